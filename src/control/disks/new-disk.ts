/**
 * New disks: planned completely, then made, several at once if a call makes several.
 *
 *   planDisk()  checks everything, changes nothing
 *   makeDisks() data keys ─▶ trees shared ─▶ one commit ─▶ re-encryption begun
 *
 * All or nothing: what was shared is removed again if the commit fails, and reconcile.ts removes it
 * after a crash.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { GIB } from '../../base/units.ts';
import type { MetadataChange } from '../../meta/metadata.ts';
import { AUTO_FIGURES } from '../../performance/figures.ts';
import { provisionedIopsMax } from '../../performance/profile.ts';
import { makeDiskId } from '../../record/ids.ts';
import type {
  ChargeType,
  DiskRecord,
  DiskType,
  EncryptionRecord,
  LayerRecord,
  SnapshotRecord,
} from '../../record/resource.ts';
import type { ControlContext } from '../context.ts';
import {
  makeEncryption,
  type PreparedEncryption,
  prepareEncryption,
} from '../encryption/choose.ts';
import { emptyLayers, layersLike, layersOver, shareAllAndCommit } from '../layers.ts';
import { questionRecord } from '../lineage/explain-encryption.ts';
import { checkDiskQuotas, withDiskQuotas } from '../quotas.ts';
import {
  checkAutoParameter,
  checkSize,
  chooseKind,
  type DiskKind,
  kindOf,
} from './category-rules.ts';

/** What a new disk's content is. */
export interface DiskContent {
  /** What it is made from: a snapshot, or a disk as it is now. */
  readonly record: SnapshotRecord | DiskRecord;
  readonly isShared: boolean;
}

/** What a caller says of a new disk, in the cloud's words. */
export interface DiskWishes {
  readonly Size?: number | undefined;
  readonly DiskName?: string | undefined;
  readonly Description?: string | undefined;
  readonly DiskCategory?: string | undefined;
  readonly PerformanceLevel?: string | undefined;
  readonly ProvisionedIops?: number | undefined;
  readonly BurstingEnabled?: boolean | undefined;
  readonly Encrypted?: boolean | undefined;
  readonly KMSKeyId?: string | undefined;
  readonly EncryptAlgorithm?: string | undefined;
}

/** What its place says of a new disk. */
export interface DiskPlace {
  readonly type: DiskType;
  readonly zoneId: string;
  readonly imageId: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly deleteWithInstance: boolean;
  readonly resourceGroupId?: string;
  readonly chargeType?: ChargeType;
}

/** A disk that could be made now. */
export interface PlannedDisk {
  readonly disk: Omit<DiskRecord, 'encryption' | 'layers' | 'shardIndex'>;
  readonly content: DiskContent | null;
  readonly encryption: PreparedEncryption;
}

/**
 * @throws PlaneError what the categories, sizes and encryption rules refuse with; the CMK codes
 */
export async function planDisk(
  context: ControlContext,
  wishes: DiskWishes,
  place: DiskPlace,
  content: DiskContent | null,
): Promise<PlannedDisk> {
  const diskId = makeDiskId(context.randomBytes);
  const kind = chooseKind(context.ruleSet, wishes.DiskCategory, wishes.PerformanceLevel);
  checkContent(kind, content);
  const sizeGiB = chooseSize(wishes.Size, content);
  checkSize(kind, place.type, sizeGiB);
  checkAlgorithm(wishes);
  const encryption = await prepareEncryption(context, {
    resource: 'disk',
    action: 'create',
    source: content?.record ?? null,
    isShared: content?.isShared ?? false,
    newId: diskId,
    regionId: context.regionId,
    Encrypted: wishes.Encrypted,
    KMSKeyId: wishes.KMSKeyId,
    category: kind.category,
    isSystemDisk: place.type === 'system',
  });
  const snapshotId =
    content !== null && 'snapshotId' in content.record ? content.record.snapshotId : null;
  const disk = {
    ...blankDisk(context, diskId),
    ...place,
    ...kind,
    ...chooseAuto(kind, sizeGiB, wishes),
    name: wishes.DiskName ?? '',
    description: wishes.Description ?? '',
    sizeBytes: sizeGiB * GIB,
    sourceSnapshotId: snapshotId,
  };
  return { disk, content, encryption };
}

/** To be asked before anything is done, so that a dry run is told too. @throws as makeDisks() */
export function checkPlannedQuotas(
  context: ControlContext,
  planned: readonly PlannedDisk[],
  replaced: readonly DiskRecord[] = [],
): void {
  const sizes = planned.map(({ disk }) => disk);
  checkDiskQuotas(context, sizes, replaced);
}

/** A disk with nothing said about it. */
function blankDisk(
  context: ControlContext,
  diskId: string,
): Omit<DiskRecord, 'sizeBytes' | 'encryption' | 'layers' | 'shardIndex' | keyof DiskPlace> {
  const { accountId, regionId } = context;
  return {
    diskId,
    accountId,
    regionId,
    name: '',
    description: '',
    category: '',
    performanceLevel: '',
    provisionedIops: 0,
    burstingEnabled: false,
    status: 'Available',
    sourceSnapshotId: null,
    instanceId: null,
    device: '',
    deleteAutoSnapshot: true,
    enableAutoSnapshot: true,
    attachedAt: null,
    detachedAt: null,
    createdAt: context.clock.now(),
  };
}

/**
 * Makes planned disks, and what else the change says, in one commit.
 *
 * @param change of the records of the disks made, in the order of `planned`
 * @param replaced disks it removes
 * @throws PlaneError the CMK codes, what a shard or the metadata refuses with: nothing is made
 */
export async function makeDisks(
  context: ControlContext,
  planned: readonly PlannedDisk[],
  change: (disks: readonly DiskRecord[]) => MetadataChange,
  replaced: readonly DiskRecord[] = [],
): Promise<readonly DiskRecord[]> {
  const sizes = planned.map(({ disk }) => disk);
  const disks: DiskRecord[] = [];
  await withDiskQuotas(context, sizes, replaced, async () => {
    for (const plan of planned) disks.push(await completeDisk(context, plan));
    const pairs = planned.flatMap(({ content }, index) =>
      content === null ? [] : [{ source: content.record, target: disks[index] as DiskRecord }],
    );
    await shareAllAndCommit(context, pairs, change(disks));
  });
  for (const disk of disks) {
    if (disk.layers.length > 1) await context.tasks.reencrypt(disk.diskId);
  }
  return disks;
}

async function completeDisk(
  context: ControlContext,
  { disk, content, encryption: prepared }: PlannedDisk,
): Promise<DiskRecord> {
  const encryption = await makeEncryption(context, prepared);
  const { diskId } = disk;
  const shardIndex =
    content?.record.shardIndex ?? context.metadata.leastLoadedShard(context.shards.count);
  return {
    ...disk,
    encryption,
    question: questionRecord(prepared.decision.question),
    shardIndex,
    layers: layersOf(diskId, content, prepared, encryption),
  };
}

function layersOf(
  diskId: string,
  content: DiskContent | null,
  prepared: PreparedEncryption,
  encryption: EncryptionRecord | null,
): readonly LayerRecord[] {
  if (content === null) return emptyLayers(diskId, encryption);
  const { layers } = content.record;
  return prepared.keepsSource ? layersLike(layers, diskId) : layersOver(layers, diskId, encryption);
}

function chooseSize(sizeGiB: number | undefined, content: DiskContent | null): number {
  if (sizeGiB === undefined) {
    if (content !== null) return content.record.sizeBytes / GIB;
    const detail = 'either SnapshotId or Size should be given';
    throw new PlaneError('MissingParameter', detail);
  }
  if (content !== null && sizeGiB * GIB < content.record.sizeBytes) {
    throw new PlaneError(
      'InvalidDiskSize.TooSmall',
      `expected Size of at least ${content.record.sizeBytes / GIB}, as its source; got ${sizeGiB}`,
    );
  }
  return sizeGiB;
}

function checkContent({ category }: DiskKind, content: DiskContent | null): void {
  if (content === null || !category.startsWith('elastic_ephemeral')) return;
  const detail = `a disk of ${category} cannot be made from a snapshot`;
  throw new PlaneError('InvalidOperation.CreateFromSnapshotUnsupported', detail);
}

function checkAlgorithm({ EncryptAlgorithm, Encrypted }: DiskWishes): void {
  if (EncryptAlgorithm === undefined) return;
  if (EncryptAlgorithm.toUpperCase() !== 'AES-256') {
    const shown = JSON.stringify(EncryptAlgorithm.slice(0, 64));
    throw new PlaneError('InvalidEncryptAlgorithm', `expected AES-256, got ${shown}`);
  }
  if (Encrypted === true) return;
  const detail = 'expected Encrypted=true with EncryptAlgorithm';
  throw new PlaneError('InvalidEncrypted.NotMatchEncryptAlgorithm', detail);
}

/**
 * What an AutoPL disk has besides.
 *
 * @throws PlaneError ProvisionedIopsForDiskCategoryUnsupported, InvalidProvisionedIops.LimitExceed,
 *   BurstingEnabledForDiskCategoryUnsupported, InvalidBurstingEnabled.DiskSizeTooSmall
 */
export function chooseAuto(
  kind: DiskKind,
  sizeGiB: number,
  wishes: Pick<DiskWishes, 'ProvisionedIops' | 'BurstingEnabled'>,
): Pick<DiskRecord, 'provisionedIops' | 'burstingEnabled'> {
  const { ProvisionedIops, BurstingEnabled } = wishes;
  if (ProvisionedIops !== undefined) {
    checkAutoParameter('ProvisionedIops', kind.category);
    const most = provisionedIopsMax(kind, sizeGiB);
    if (ProvisionedIops > most) {
      throw new PlaneError(
        'InvalidProvisionedIops.LimitExceed',
        `expected at most ${most} for ${sizeGiB} GiB, got ${ProvisionedIops}`,
      );
    }
  }
  if (BurstingEnabled === true) {
    checkAutoParameter('BurstingEnabled', kind.category);
    if (sizeGiB < AUTO_FIGURES.gibMin) {
      throw new PlaneError(
        'InvalidBurstingEnabled.DiskSizeTooSmall',
        `expected at least ${AUTO_FIGURES.gibMin} GiB, got ${sizeGiB}`,
      );
    }
  }
  return { provisionedIops: ProvisionedIops ?? 0, burstingEnabled: BurstingEnabled ?? false };
}

/** The category and level of a disk there is, as wishes for one like it. */
export function wishesLike(disk: DiskRecord): DiskWishes {
  const { category, performanceLevel } = kindOf(disk);
  return {
    DiskCategory: category,
    ...(performanceLevel === '' ? {} : { PerformanceLevel: performanceLevel }),
  };
}
