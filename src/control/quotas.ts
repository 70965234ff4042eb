/**
 * DATA: how much of something an account may have in a region. The cloud's differ from account to
 * account and grow with it; a plane has those it was opened with, else these.
 *
 * **Thread:** main.
 */
import { type ErrorCode, PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { GIB } from '../base/units.ts';
import { SNAPSHOTS_PER_DISK_MAX, STORE_RANGE_ENTRIES_MAX } from '../limits.ts';
import type { DiskRecord } from '../record/resource.ts';
import type { ControlContext } from './context.ts';

/** Infinity: as much as there is room for. */
export interface Quotas {
  /** GiB of all disks together. */
  readonly diskCapacityGiB: number;
  /** Disks, which are all paid for as they are used. */
  readonly postPaidDisks: number;
  /** Disks that can be moved from one instance to another: data disks. */
  readonly portableDisks: number;
  /** Snapshots that were taken of one disk and are there still. */
  readonly snapshotsPerDisk: number;
  /** Snapshots that are not finished. */
  readonly snapshotsInProgress: number;
  /** Images of others that are shared with an account. */
  readonly imagesSharedWith: number;
}

export interface QuotaRow {
  readonly name: keyof Quotas;
  readonly most: number;
  readonly code: ErrorCode;
  readonly because: string;
  readonly source: string;
}

export const QUOTA_ROWS: readonly QuotaRow[] = [
  {
    name: 'diskCapacityGiB',
    most: Number.POSITIVE_INFINITY,
    code: 'QuotaExceed.DiskCapacity',
    because: 'the disks of an account in a region have so much capacity together',
    source: 'ECS CreateDisk, QuotaExceed.DiskCapacity',
  },
  {
    name: 'postPaidDisks',
    most: Number.POSITIVE_INFINITY,
    code: 'QuotaExceed.PostPaidDisk',
    because: 'an account has so many pay-as-you-go disks in a region',
    source: 'ECS CreateDisk, QuotaExceed.PostPaidDisk',
  },
  {
    name: 'portableDisks',
    most: Number.POSITIVE_INFINITY,
    code: 'QuotaExceed.PortableCloudDisk',
    because: 'an account has so many disks in a region that can be detached',
    source: 'ECS CreateDisk, QuotaExceed.PortableCloudDisk',
  },
  {
    name: 'snapshotsPerDisk',
    most: SNAPSHOTS_PER_DISK_MAX,
    code: 'QuotaExceed.Snapshot',
    because: 'a disk has so many manual snapshots',
    source: 'ECS CreateSnapshot, QuotaExceed.Snapshot',
  },
  {
    name: 'snapshotsInProgress',
    most: Number.POSITIVE_INFINITY,
    code: 'QuotaExceed.ConcurrentSnapshotQuota',
    because: 'so many snapshots of an account in a region are unfinished at a time',
    source: 'ECS CreateSnapshot, QuotaExceed.ConcurrentSnapshotQuota',
  },
  {
    name: 'imagesSharedWith',
    most: Number.POSITIVE_INFINITY,
    code: 'QuotaExceed.ShareImageUser',
    because: 'so many images are shared with one account in a region',
    source: 'ECS ModifyImageSharePermission, QuotaExceed.ShareImageUser',
  },
];

/** @throws PlaneError InvalidArgument: a quota that is none, or of no such name */
export function quotasOf(given: Partial<Quotas>): Quotas {
  for (const [name, most] of Object.entries(given)) {
    const isKnown = QUOTA_ROWS.some((row) => row.name === name);
    const isCount = most === Number.POSITIVE_INFINITY || (Number.isSafeInteger(most) && most >= 0);
    if (isKnown && isCount) continue;
    const names = QUOTA_ROWS.map((row) => row.name).join(', ');
    const what = `expected quotas of ${names}, whole numbers or Infinity; got ${name}: ${most}`;
    throw new PlaneError('InvalidArgument', what);
  }
  const usual = Object.fromEntries(QUOTA_ROWS.map(({ name, most }) => [name, most]));
  return { ...usual, ...given } as unknown as Quotas;
}

type SizedDisk = Pick<DiskRecord, 'type' | 'sizeBytes'>;

/**
 * @param made disks to be made, or what one grows to
 * @param freed disks that go for them
 * @throws PlaneError QuotaExceed.DiskCapacity, QuotaExceed.PostPaidDisk,
 *   QuotaExceed.PortableCloudDisk
 */
export function checkDiskQuotas(
  context: ControlContext,
  made: readonly SizedDisk[],
  freed: readonly SizedDisk[] = [],
): void {
  if (!hasDiskQuota(context)) return;
  const { accountId, regionId, metadata } = context;
  const filter = { scope: { accountId, regionId } };
  const there = metadata.listDisks(filter, 0, STORE_RANGE_ENTRIES_MAX).records;
  const after = (count: (disks: readonly SizedDisk[]) => number): number =>
    count(there) + count(made) - count(freed);
  requireQuota(
    context,
    'diskCapacityGiB',
    after((disks) => disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / GIB),
  );
  requireQuota(
    context,
    'postPaidDisks',
    after((disks) => disks.length),
  );
  requireQuota(
    context,
    'portableDisks',
    after((disks) => disks.filter(({ type }) => type === 'data').length),
  );
}

/**
 * Runs a step that makes disks while no other call of the account in the region makes some: what
 * was checked holds until they are there. To be called by those who hold everything else they need.
 *
 * @throws PlaneError as checkDiskQuotas(); what the step throws
 */
export function withDiskQuotas<T>(
  context: ControlContext,
  made: readonly SizedDisk[],
  freed: readonly SizedDisk[],
  step: () => Promise<T>,
): Promise<T> {
  if (!hasDiskQuota(context)) return step();
  const { accountId, regionId } = context;
  return context.locks.hold([`~quota ${accountId} ${regionId}`], () => {
    checkDiskQuotas(context, made, freed);
    return step();
  });
}

/** @throws PlaneError the code of the quota's row */
export function requireQuota(
  { quotas, accountId, regionId }: ControlContext,
  name: keyof Quotas,
  wanted: number,
): void {
  const most = quotas[name];
  if (wanted <= most) return;
  const row = QUOTA_ROWS.find((each) => each.name === name);
  invariant(row !== undefined, `there is a row for ${name}`);
  const where = `${accountId} in ${regionId}`;
  throw new PlaneError(row.code, `${where}: ${row.because}: at most ${most}, this makes ${wanted}`);
}

/** Without one no disk has to be counted. */
function hasDiskQuota({ quotas }: ControlContext): boolean {
  return [quotas.diskCapacityGiB, quotas.postPaidDisks, quotas.portableDisks].some(Number.isFinite);
}
