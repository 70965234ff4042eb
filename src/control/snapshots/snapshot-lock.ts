/** What a lock forbids, and for how long: see lock-snapshot.ts. */
import { PlaneError } from '../../base/errors.ts';
import type { SnapshotLockRecord, SnapshotRecord } from '../../record/resource.ts';
import { isoSeconds } from '../schemas.ts';
import type { LockedSnapshot } from './types.ts';

/** Source: ECS LockSnapshot, LockStatus. */
export function lockStatusAt(lock: SnapshotLockRecord, now: number): LockedSnapshot['LockStatus'] {
  if (now >= lock.expiresAt) return 'expired';
  return now < lock.coolOffEndsAt ? 'compliance-cooloff' : 'compliance';
}

/** @throws PlaneError OperationDenied */
export function checkUnlocked({ snapshotId, lock }: SnapshotRecord, now: number): void {
  if (lock === undefined || lockStatusAt(lock, now) === 'expired') return;
  const detail = `${snapshotId} is locked until ${isoSeconds(lock.expiresAt)}`;
  throw new PlaneError('OperationDenied', detail);
}
