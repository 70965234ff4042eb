/**
 * LockSnapshot, UnlockSnapshot, DescribeLockedSnapshots: while a snapshot is locked nobody deletes
 * it, not its owner and not its retention, and its data key is not erased.
 *
 *   (none) ──Lock──▶ compliance-cooloff ──CoolOffPeriod──▶ compliance ──LockDuration──▶ expired
 *     ▲                │   ▲  │                              │   ▲  │                      │
 *     └────Unlock──────┘   └──┘ Lock: any other lock         └───┘  Lock: a longer one     │
 *                                                        Lock: a new one ◀─────────────────┘
 *
 * What the lock is, is said by its record and the clock, nothing else. A copy that is still being
 * encrypted can be locked: its content is there, and its time runs, from the beginning.
 *
 * **Source:** ECS LockSnapshot, UnlockSnapshot, DescribeLockedSnapshots.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { SnapshotLockRecord, SnapshotRecord } from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import { pageOf, tokenPageEntries } from '../list-pages.ts';
import { idListSchema, idSchema, isoSeconds } from '../schemas.ts';
import { holdSnapshotSource } from './find-source.ts';
import { lockStatusAt } from './snapshot-lock.ts';
import { checkSnapshotUse } from './snapshot-rules.ts';
import type { LockedSnapshot, SnapshotVerbs } from './types.ts';

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;
/** Source: ECS LockSnapshot, parameters CoolOffPeriod and LockDuration. */
const COOL_OFF_HOURS_MAX = 72;
const LOCK_DAYS_MAX = 36_500;

export const lockSnapshotSchema = v.strictObject({
  SnapshotId: idSchema,
  LockMode: v.literal('compliance'),
  LockDuration: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(LOCK_DAYS_MAX)),
  CoolOffPeriod: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(COOL_OFF_HOURS_MAX)),
});
export const unlockSnapshotSchema = v.strictObject({ SnapshotId: idSchema });
export const describeLockedSnapshotsSchema = v.strictObject({
  NextToken: tokenPageEntries.NextToken,
  MaxResults: tokenPageEntries.MaxResults,
  SnapshotIds: v.optional(idListSchema),
  LockStatus: v.optional(v.picklist(['compliance-cooloff', 'compliance', 'expired'])),
});

/** @throws PlaneError InvalidSnapshotId.NotFound, OperationDenied: it would be a shorter lock */
export function lockSnapshot(
  context: ControlContext,
  parameters: SnapshotVerbs['LockSnapshot']['parameters'],
): Promise<SnapshotVerbs['LockSnapshot']['result']> {
  return holdSnapshotSource(context, parameters.SnapshotId, async (source) => {
    checkSnapshotUse('LockSnapshot', source);
    const { snapshot } = source;
    const now = context.clock.now();
    const { LockDuration, CoolOffPeriod } = parameters;
    const lock = isSettled(snapshot.lock, now)
      ? longerLock(snapshot.snapshotId, snapshot.lock, parameters)
      : {
          lockedAt: now,
          coolOffEndsAt: now + CoolOffPeriod * HOUR_MS,
          expiresAt: now + LockDuration * DAY_MS,
        };
    context.passValidation();
    await context.metadata.commit({ putSnapshots: [{ ...snapshot, lock }] });
    return { LockedSnapshotInfo: describe(snapshot.snapshotId, lock, now) };
  });
}

/** Whether the time is over in which the lock could be taken off. */
function isSettled(lock: SnapshotLockRecord | undefined, now: number): lock is SnapshotLockRecord {
  return lock !== undefined && lockStatusAt(lock, now) === 'compliance';
}

function longerLock(
  snapshotId: string,
  lock: SnapshotLockRecord,
  { LockDuration, CoolOffPeriod }: SnapshotVerbs['LockSnapshot']['parameters'],
): SnapshotLockRecord {
  const expiresAt = lock.lockedAt + LockDuration * DAY_MS;
  if (CoolOffPeriod === 0 && expiresAt >= lock.expiresAt) return { ...lock, expiresAt };
  throw new PlaneError(
    'OperationDenied',
    `${snapshotId} is locked until ${isoSeconds(lock.expiresAt)}: expected CoolOffPeriod 0 and ` +
      `LockDuration of at least ${(lock.expiresAt - lock.lockedAt) / DAY_MS}`,
  );
}

/** @throws PlaneError InvalidSnapshotId.NotFound, OperationDenied: not locked, or for good */
export function unlockSnapshot(
  context: ControlContext,
  { SnapshotId }: SnapshotVerbs['UnlockSnapshot']['parameters'],
): Promise<SnapshotVerbs['UnlockSnapshot']['result']> {
  return holdSnapshotSource(context, SnapshotId, async (source) => {
    checkSnapshotUse('UnlockSnapshot', source);
    const { lock, ...unlocked } = source.snapshot;
    const status = lock === undefined ? 'expired' : lockStatusAt(lock, context.clock.now());
    if (status !== 'compliance-cooloff') {
      const why = status === 'expired' ? 'is not locked' : 'is locked, and its cool-off has ended';
      throw new PlaneError('OperationDenied', `${SnapshotId} ${why}`);
    }
    context.passValidation();
    await context.metadata.commit({ putSnapshots: [unlocked] });
    return {};
  });
}

export async function describeLockedSnapshots(
  context: ControlContext,
  parameters: SnapshotVerbs['DescribeLockedSnapshots']['parameters'],
): Promise<SnapshotVerbs['DescribeLockedSnapshots']['result']> {
  const { SnapshotIds, LockStatus, ...page } = parameters;
  const now = context.clock.now();
  const isAsked = ({ snapshotId, lock }: SnapshotRecord): boolean =>
    lock !== undefined &&
    (SnapshotIds === undefined || SnapshotIds.includes(snapshotId)) &&
    (LockStatus === undefined || lockStatusAt(lock, now) === LockStatus);
  const { records, NextToken } = pageOf(
    { ...page, NextToken: page.NextToken ?? '' },
    (skip, limit) => context.metadata.listSnapshots({ scope: context }, skip, limit),
    isAsked,
  );
  const LockedSnapshotsInfo = records.map(({ snapshotId, lock }) =>
    describe(snapshotId, lock as SnapshotLockRecord, now),
  );
  return { LockedSnapshotsInfo, NextToken };
}

function describe(snapshotId: string, lock: SnapshotLockRecord, now: number): LockedSnapshot {
  const { lockedAt, coolOffEndsAt, expiresAt } = lock;
  return {
    SnapshotId: snapshotId,
    LockMode: 'compliance',
    LockStatus: lockStatusAt(lock, now),
    LockDuration: (expiresAt - lockedAt) / DAY_MS,
    CoolOffPeriod: (coolOffEndsAt - lockedAt) / HOUR_MS,
    LockCreationTime: isoSeconds(lockedAt),
    LockDurationStartTime: isoSeconds(lockedAt),
    CoolOffPeriodExpiredTime: isoSeconds(coolOffEndsAt),
    LockExpiredTime: isoSeconds(expiresAt),
  };
}
