/** Shapes and checks several disk verbs share. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { SnapshotRecord } from '../../record/resource.ts';

/** GiB, any: what fits is in category-rules.ts, and refused with its codes. */
export const sizeGiBSchema = v.pipe(v.number(), v.safeInteger());
export const countSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * A copy that is being re-encrypted has its content from the first instant: disks can be made of
 * it.
 *
 * @throws PlaneError InvalidSnapshotId.NotReady
 */
export function requireReady(snapshot: SnapshotRecord): SnapshotRecord {
  if (snapshot.status !== 'failed') return snapshot;
  const detail = `${snapshot.snapshotId} is ${snapshot.status}, expected accomplished`;
  throw new PlaneError('InvalidSnapshotId.NotReady', detail);
}

/** true and false, as the cloud's nested parameters may also spell them. */
export const flagSchema = v.union([v.boolean(), v.picklist(['true', 'false'])]);
export type Flag = boolean | 'true' | 'false';

export function readFlag(flag: Flag | undefined): boolean | undefined {
  return flag === undefined ? undefined : flag === true || flag === 'true';
}
