/**
 * What the shape of a world does not say: names that lead nowhere, ids that are taken, settings
 * that cannot be. Everything is looked at before anything is made.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { ACCOUNT_DEFAULT, REGION_DEFAULT } from '../../limits.ts';
import type { Metadata, Scope } from '../../meta/metadata.ts';
import { findRegion, type Region, zonesOf } from './regions.ts';
import { checkTags } from './tag-rules.ts';
import type { World, WorldDisk, WorldImage, WorldSnapshot } from './world.ts';
import { checkContent } from './world-content.ts';
import { worldInvalid } from './world-schema.ts';

type Metas = Pick<Metadata, 'getDocument' | 'getDisk' | 'getSnapshot'>;

/** The account and region an entry is of. */
export function scopeOf(entry: { readonly account?: string; readonly region?: string }): Scope {
  return { accountId: entry.account ?? ACCOUNT_DEFAULT, regionId: entry.region ?? REGION_DEFAULT };
}

/** @throws PlaneError WorldInvalid */
export function checkWorld(metadata: Metas, world: World): void {
  const { accounts = [], regions = [], keys = [], disks = [], images = [], snapshots = [] } = world;
  requireOnce(
    world,
    'accounts',
    accounts.map(({ id }) => id),
  );
  for (const [index, { users = [] }] of accounts.entries()) {
    requireOnce(
      world,
      `accounts[${index}].users`,
      users.map(({ name }) => name),
    );
  }
  requireOnce(
    world,
    'regions',
    regions.map((each) => Object.values(scopeOf(each)).join(' in ')),
  );
  for (const [place, entries] of Object.entries({ keys, disks, snapshots, images })) {
    requireOnce(
      world,
      place,
      entries.map(({ id }) => id),
    );
  }
  for (const [place, entries] of Object.entries({ regions, keys, disks, snapshots, images })) {
    for (const [index, entry] of entries.entries()) {
      checkScope(metadata, world, `${place}[${index}]`, scopeOf(entry));
    }
  }
  checkSettings(world);
  for (const [index, disk] of disks.entries()) checkDisk(metadata, world, `disks[${index}]`, disk);
  checkSnapshots(metadata, world);
  checkImages(metadata, world);
}

function checkScope(metadata: Metas, world: World, path: string, scope: Scope): void {
  const { accountId, regionId } = scope;
  if (!isAccount(metadata, world, accountId)) {
    throw worldInvalid(world, path, `there is no account ${accountId}`);
  }
  regionAt(world, `${path}.region`, regionId);
}

function checkSettings(world: World): void {
  for (const [index, region] of (world.regions ?? []).entries()) {
    const path = `regions[${index}]`;
    const { defaultKey, defaultEncryption } = region;
    const { regionId, encryption, because } = regionAt(world, path, scopeOf(region).regionId);
    if (defaultEncryption === true && encryption === 'none') {
      throw worldInvalid(world, path, `${regionId}: ${because}`);
    }
    if (defaultKey === undefined) continue;
    if (defaultEncryption !== true) {
      throw worldInvalid(world, path, 'expected defaultEncryption: true with a defaultKey');
    }
    requireKey(world, `${path}.defaultKey`, defaultKey, scopeOf(region));
  }
}

function checkDisk(metadata: Metas, world: World, path: string, disk: WorldDisk): void {
  const scope = scopeOf(disk);
  const region = regionAt(world, path, scope.regionId);
  const { key, encrypted = key !== undefined, zone } = disk;
  if (zone !== undefined && !zonesOf(region).includes(zone)) {
    const zones = zonesOf(region).join(', ');
    throw worldInvalid(world, `${path}.zone`, `expected one of ${zones}, got ${zone}`);
  }
  if (key !== undefined && !encrypted) {
    throw worldInvalid(world, path, 'expected no key with encrypted: false');
  }
  if (encrypted && region.encryption === 'none') {
    throw worldInvalid(world, path, `${region.regionId}: ${region.because}`);
  }
  if (key !== undefined) requireKey(world, `${path}.key`, key, scope);
  checkContent(world, path, disk);
  checkTagsAt(world, `${path}.tags`, disk.tags ?? {});
  requireOwn(world, path, metadata.getDisk(disk.id), scope);
}

function checkSnapshots(metadata: Metas, world: World): void {
  for (const [index, snapshot] of (world.snapshots ?? []).entries()) {
    const path = `snapshots[${index}]`;
    requireNamed(world, `${path}.disk`, world.disks, snapshot.disk, scopeOf(snapshot));
    checkTagsAt(world, `${path}.tags`, snapshot.tags ?? {});
    requireOwn(world, path, metadata.getSnapshot(snapshot.id), scopeOf(snapshot));
  }
}

/** A disk or snapshot the world itself speaks of, in the same account and region. */
function requireNamed<T extends WorldDisk | WorldSnapshot>(
  world: World,
  path: string,
  entries: readonly T[] | undefined,
  id: string,
  scope: Scope,
): T {
  const entry = entries?.find((each) => each.id === id);
  if (entry === undefined) throw worldInvalid(world, path, `the world has no ${id}`);
  const { accountId, regionId } = scopeOf(entry);
  if (accountId === scope.accountId && regionId === scope.regionId) return entry;
  throw worldInvalid(world, path, `${id} is of ${accountId} in ${regionId}`);
}

function checkDevices(world: World, path: string, image: WorldImage): void {
  const { devices } = image;
  if (devices === undefined) return;
  const systemDisks = devices.filter(({ type }) => type === 'system').length;
  if (systemDisks !== 1) {
    throw worldInvalid(world, `${path}.devices`, `expected one system disk, got ${systemDisks}`);
  }
  for (const [index, { snapshot, size }] of devices.entries()) {
    if (snapshot === undefined) continue;
    const place = `${path}.devices[${index}]`;
    const found = requireNamed(world, place, world.snapshots, snapshot, scopeOf(image));
    const disk = world.disks?.find(({ id }) => id === found.disk);
    if (disk === undefined || disk.size <= size) continue;
    throw worldInvalid(world, place, `expected a size of at least ${disk.size}, as ${snapshot}`);
  }
}

function checkImages(metadata: Metas, world: World): void {
  for (const [index, image] of (world.images ?? []).entries()) {
    const path = `images[${index}]`;
    checkDevices(world, path, image);
    for (const [place, accountId] of (image.sharedWith ?? []).entries()) {
      if (isAccount(metadata, world, accountId)) continue;
      const at = `${path}.sharedWith[${place}]`;
      throw worldInvalid(world, at, `there is no account ${accountId}`);
    }
    checkTagsAt(world, `${path}.tags`, image.tags ?? {});
    requireOwn(world, path, metadata.getDocument('image', image.id), scopeOf(image));
  }
}

function isAccount(metadata: Metas, world: World, accountId: string): boolean {
  const isNew = world.accounts?.some(({ id }) => id === accountId) ?? false;
  return isNew || metadata.getDocument('account', accountId) !== undefined;
}

/** A key the world itself speaks of, in the same account and region. */
function requireKey(world: World, path: string, keyId: string, scope: Scope): void {
  const { regionId: here, encryption, because } = findRegion(scope.regionId);
  if (encryption !== 'full') throw worldInvalid(world, path, `${here}: ${because}`);
  const key = world.keys?.find(({ id }) => id === keyId);
  if (key === undefined) throw worldInvalid(world, path, `the world has no key ${keyId}`);
  const { accountId, regionId } = scopeOf(key);
  if (accountId === scope.accountId && regionId === scope.regionId) return;
  throw worldInvalid(world, path, `${keyId} is of ${accountId} in ${regionId}`);
}

/** What is there under the id already must be what the world means. */
function requireOwn(world: World, path: string, found: Scope | undefined, scope: Scope): void {
  if (found === undefined) return;
  if (found.accountId === scope.accountId && found.regionId === scope.regionId) return;
  const { accountId, regionId } = found;
  throw worldInvalid(world, `${path}.id`, `it is there already, of ${accountId} in ${regionId}`);
}

function regionAt(world: World, path: string, regionId: string): Region {
  try {
    return findRegion(regionId);
  } catch (error) {
    throw at(world, path, error);
  }
}

function checkTagsAt(world: World, path: string, tags: Readonly<Record<string, string>>): void {
  try {
    checkTags(Object.entries(tags).map(([Key, Value]) => ({ Key, Value })));
  } catch (error) {
    throw at(world, path, error);
  }
}

/** A refusal of the API's, with the place in the world that brought it about. */
function at(world: World, path: string, error: unknown): unknown {
  return error instanceof PlaneError ? worldInvalid(world, path, error.toRecord().message) : error;
}

function requireOnce(world: World, path: string, ids: readonly string[]): void {
  const seen = new Set<string>();
  for (const [index, id] of ids.entries()) {
    if (seen.has(id)) throw worldInvalid(world, `${path}[${index}]`, `${id} is there twice`);
    seen.add(id);
  }
}
