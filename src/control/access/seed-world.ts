/**
 * A world made true, when a plane is opened.
 *
 * 1. The whole world is checked before anything is made (check-world.ts).
 * 2. Accounts are as the world says, from every opening on: nothing else changes them. Of all the
 *    rest, what is there stays as it is, and what is not is made: so a world may be seeded again,
 *    and one that a crash cut off is completed.
 * 3. Keys come first, each a transaction of the KMS thread; then everything else in one. What is to
 *    be disabled is so when the data keys are made, for which it has to be enabled.
 * 4. Content is written, and trees are shared, before the transaction: after a crash in between the
 *    trees are nobody's, and the next open begins anew.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { GIB } from '../../base/units.ts';
import { scopeGroup } from '../../meta/documents.ts';
import type { Scope } from '../../meta/metadata.ts';
import type { AccountRecord, ImageRecord, RegionRecord } from '../../record/document.ts';
import type { DiskRecord, EncryptionRecord, SnapshotRecord } from '../../record/resource.ts';
import type { PlaneContext } from '../context.ts';
import { emptyLayers, layersLike, shareAllAndCommit } from '../layers.ts';
import { fullAccount } from './accounts.ts';
import { checkWorld, scopeOf } from './check-world.ts';
import { findRegion, zonesOf } from './regions.ts';
import type {
  World,
  WorldAccount,
  WorldDisk,
  WorldImage,
  WorldKey,
  WorldRegion,
  WorldSnapshot,
} from './world.ts';
import { type ContentTarget, writeContent } from './world-content.ts';
import { checkShape, fileOf } from './world-schema.ts';

/** The size of an image's system disk if the world does not say. */
const IMAGE_GIB_DEFAULT = 20;

/** Opens the volume of a disk that no record names yet. */
export type OpenDisk = (disk: DiskRecord) => Promise<ContentTarget>;

/**
 * @param openDisk of a world that says what is on its disks
 * @throws PlaneError WorldInvalid; what KMS refuses a key or a data key with; what writing throws
 */
export async function seedWorld(
  context: PlaneContext,
  given: World,
  openDisk: OpenDisk = noVolumes,
): Promise<void> {
  const world = checkShape(given, fileOf(given));
  const { metadata, clock } = context;
  checkWorld(metadata, world);
  const newRegions = (world.regions ?? []).filter((region) => {
    const { accountId, regionId } = scopeOf(region);
    return metadata.getDocument('region', scopeGroup(accountId, regionId)) === undefined;
  });
  const disks: DiskRecord[] = [];
  await whileActivated(context, world, newRegions, async () => {
    const made: WorldKey[] = [];
    for (const key of world.keys ?? []) if (await makeKey(context, key)) made.push(key);
    for (const disk of world.disks ?? []) {
      if (metadata.getDisk(disk.id) !== undefined) continue;
      const record = await diskOf(context, disk);
      if (disk.content !== undefined) await fill(world, disk, await openDisk(record));
      disks.push(record);
    }
    for (const key of made.filter(({ state }) => state === 'Disabled')) {
      await context.kms.call({ op: 'disableKey', keyId: key.id, ...scopeOf(key) });
    }
  });
  const images = (world.images ?? []).filter(
    ({ id }) => metadata.getDocument('image', id) === undefined,
  );
  const snapshots = (world.snapshots ?? []).flatMap((snapshot) => {
    if (metadata.getSnapshot(snapshot.id) !== undefined) return [];
    const own = disks.find(({ diskId }) => diskId === snapshot.disk);
    const source = own ?? metadata.getDisk(snapshot.disk);
    invariant(source !== undefined, `${snapshot.disk} is there, or was made`);
    return [{ source, target: snapshotOf(snapshot, source, clock.now()) }];
  });
  await shareAllAndCommit(context, snapshots, {
    putDisks: disks,
    putSnapshots: snapshots.map(({ target }) => target),
    putDocuments: [
      ...(world.accounts ?? []).map(
        (account) => ({ kind: 'account', record: accountOf(context, account) }) as const,
      ),
      ...newRegions.map((region) => ({ kind: 'region', record: regionOf(region) }) as const),
      ...images.map((image) => ({ kind: 'image', record: imageOf(image, clock.now()) }) as const),
    ],
  });
}

async function fill(world: World, disk: WorldDisk, target: ContentTarget): Promise<void> {
  try {
    await writeContent(world, disk, target);
  } finally {
    await target.close();
  }
}

function noVolumes(): never {
  invariant(false, 'a world with content is given to a plane that has volumes');
}

function snapshotOf(snapshot: WorldSnapshot, disk: DiskRecord, createdAt: number): SnapshotRecord {
  return {
    ...scopeOf(snapshot),
    snapshotId: snapshot.id,
    name: snapshot.name ?? '',
    description: snapshot.description ?? '',
    tags: snapshot.tags ?? {},
    createdAt,
    sourceDiskId: disk.diskId,
    sourceDiskType: disk.type,
    sourceSnapshotId: null,
    sourceRegionId: null,
    sizeBytes: disk.sizeBytes,
    status: 'accomplished',
    encryption: disk.encryption,
    layers: layersLike(disk.layers, snapshot.id),
    shardIndex: disk.shardIndex,
    retentionDays: 0,
  };
}

/** Runs a step with KMS activated wherever the world has keys; then it is as it was or is to be. */
async function whileActivated(
  { kms }: PlaneContext,
  world: World,
  newRegions: readonly WorldRegion[],
  step: () => Promise<void>,
): Promise<void> {
  const entries = [...(world.keys ?? []), ...(world.disks ?? []), ...newRegions];
  const scopes = new Map(entries.map(scopeOf).map((each) => [Object.values(each).join(), each]));
  const former: (readonly [Scope, WorldRegion['kms']])[] = [];
  try {
    for (const scope of scopes.values()) {
      const status = await kms.call({ op: 'describeAccountStatus', ...scope });
      if (status === 'Enabled') continue;
      former.push([scope, status]);
      await kms.call({ op: 'setAccountStatus', status: 'Enabled', ...scope });
    }
    await step();
  } finally {
    const wanted = newRegions.map((region) => [scopeOf(region), region.kms] as const);
    for (const [scope, status] of [...former, ...wanted]) {
      if (status !== undefined) await kms.call({ op: 'setAccountStatus', status, ...scope });
    }
  }
}

/** @returns false: it is there */
async function makeKey({ kms }: PlaneContext, key: WorldKey): Promise<boolean> {
  const scope = scopeOf(key);
  try {
    const found = await kms.call({ op: 'describeKey', keyId: key.id, ...scope });
    if (found.accountId === scope.accountId && found.regionId === scope.regionId) return false;
    throw new PlaneError('WorldInvalid', `key ${key.id} is there already, of another scope`);
  } catch (error) {
    if (!(error instanceof PlaneError) || error.code !== 'Forbidden.KeyNotFound') throw error;
  }
  const description = key.description ?? '';
  await kms.call({ op: 'createKey', ...scope, description, fixedKeyId: key.id });
  return true;
}

function accountOf({ metadata, clock }: PlaneContext, account: WorldAccount): AccountRecord {
  const former = metadata.getDocument('account', account.id);
  const full = fullAccount(account.id, former?.createdAt ?? clock.now());
  const users = (account.users ?? []).map(({ name, policies = [] }) => ({ name, policies }));
  return {
    ...full,
    users,
    name: account.name ?? account.id,
    roles: account.roles ?? full.roles,
    isDefaultEncryptionGranted: account.defaultEncryptionGranted ?? true,
  };
}

function regionOf(region: WorldRegion): RegionRecord {
  const isDefaultEncryptionOn = region.defaultEncryption ?? false;
  return { ...scopeOf(region), isDefaultEncryptionOn, defaultKeyId: region.defaultKey ?? null };
}

async function diskOf(context: PlaneContext, disk: WorldDisk): Promise<DiskRecord> {
  const scope = scopeOf(disk);
  const category = disk.category ?? 'cloud_essd';
  const encryption = await encryptionOf(context, disk, scope);
  const [firstZone = ''] = zonesOf(findRegion(scope.regionId));
  return {
    ...scope,
    diskId: disk.id,
    zoneId: disk.zone ?? firstZone,
    name: disk.name ?? '',
    description: disk.description ?? '',
    tags: disk.tags ?? {},
    createdAt: context.clock.now(),
    sizeBytes: disk.size * GIB,
    encryption,
    layers: emptyLayers(disk.id, encryption),
    shardIndex: context.metadata.leastLoadedShard(context.shards.count),
    category,
    performanceLevel: category === 'cloud_essd' ? (disk.performanceLevel ?? 'PL1') : '',
    provisionedIops: 0,
    burstingEnabled: false,
    type: 'data',
    status: 'Available',
    sourceSnapshotId: null,
    imageId: null,
    instanceId: null,
    device: '',
    deleteWithInstance: false,
    deleteAutoSnapshot: true,
    enableAutoSnapshot: false,
    attachedAt: null,
    detachedAt: null,
  };
}

async function encryptionOf(
  { kms }: PlaneContext,
  disk: WorldDisk,
  scope: Scope,
): Promise<EncryptionRecord | null> {
  const isEncrypted = disk.encrypted ?? disk.key !== undefined;
  if (!isEncrypted) return null;
  const keyId = disk.key ?? (await kms.call({ op: 'serviceKey', ...scope })).keyId;
  const wrapContext = { ...scope, lineageId: disk.id };
  const request = { op: 'generateWrappedDataKey', keyId, context: wrapContext } as const;
  return { keyId, wrappedKey: await kms.call(request), ...wrapContext };
}

function imageOf(image: WorldImage, createdAt: number): ImageRecord {
  const devices: WorldImage['devices'] = image.devices ?? [
    { type: 'system', size: IMAGE_GIB_DEFAULT },
  ];
  return {
    ...scopeOf(image),
    imageId: image.id,
    name: image.name ?? '',
    description: image.description ?? '',
    tags: image.tags ?? {},
    createdAt,
    family: image.family ?? '',
    status: 'Available',
    devices: devices.map(({ type, size, snapshot }, index) => ({
      device: `/dev/xvd${String.fromCharCode(97 + index)}`,
      type,
      sizeBytes: size * GIB,
      snapshotId: snapshot ?? null,
    })),
    sourceInstanceId: null,
    sourceImageId: null,
    sourceRegionId: null,
    platform: image.platform ?? 'Aliyun',
    osType: image.osType ?? 'linux',
    architecture: image.architecture ?? 'x86_64',
    sharedWith: image.sharedWith ?? [],
    isPublic: image.public ?? false,
  };
}
