/** Shapes and checks several disk verbs share. */
import * as v from 'valibot';
import type { SnapshotRecord } from '../../record/resource.ts';
import { checkSnapshotUse } from '../snapshots/snapshot-rules.ts';

/** GiB, any: what fits is in category-rules.ts, and refused with its codes. */
export const sizeGiBSchema = v.pipe(v.number(), v.safeInteger());
/** The same, as the cloud's nested parameters may also spell it. */
export const imageDiskSizeSchema = v.union([
  sizeGiBSchema,
  v.pipe(v.string(), v.regex(/^\d{1,9}$/)),
]);
export const countSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * A snapshot a disk may be made of: snapshots/snapshot-rules.ts says how far it has to be.
 *
 * @throws PlaneError InvalidSnapshotId.NotReady
 */
export function requireReady(snapshot: SnapshotRecord): SnapshotRecord {
  const visibleId = snapshot.snapshotId;
  checkSnapshotUse('CreateDisk', { snapshot, isShared: false, visibleId });
  return snapshot;
}

/** true and false, as the cloud's nested parameters may also spell them. */
export const flagSchema = v.union([v.boolean(), v.picklist(['true', 'false'])]);
export type Flag = boolean | 'true' | 'false';

export function readFlag(flag: Flag | undefined): boolean | undefined {
  return flag === undefined ? undefined : flag === true || flag === 'true';
}
