/** Accounts, users, worlds and tokens as a customer of the library sees them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadWorld, openPlane } from 'sealdisk';
import { afterAll, describe, expect, it } from 'vitest';
import { codeOf } from '../support/refusal.ts';
import { tempDir } from '../support/temp-dir.ts';

const OTHER = '2000000000000002';
const KEY = 'key-hzzaaaaaaaaaaaaaaaaa';
const DISK = 'd-bp1aaaaaaaaaaaaaaaaa';
const WORLD = `
accounts:
  - id: "${OTHER}"
    users:
      - { name: alice, policies: [AliyunECSFullAccess] }
      - { name: bob, policies: [AliyunECSReadOnlyAccess] }
keys:
  - { id: ${KEY}, account: "${OTHER}", region: cn-beijing }
disks:
  - { id: ${DISK}, account: "${OTHER}", region: cn-beijing, size: 20, key: ${KEY} }
`;

const temporary = tempDir();
afterAll(() => temporary[Symbol.dispose]());

function worldOf(name: string) {
  mkdirSync(temporary.path, { recursive: true });
  const path = `${temporary.path}/${name}.yaml`;
  writeFileSync(path, WORLD);
  return loadWorld(path);
}

describe('a plane with a world', () => {
  it('has its disks, which hold what is written, for those who may', async () => {
    await using plane = await openPlane({ memory: true, shards: 1, world: worldOf('memory') });
    const session = (userName: string) =>
      plane.as({ accountId: OTHER, userName, regionId: 'cn-beijing' });
    const { Disks } = await session('bob').call('DescribeDisks', {});
    expect(Disks).toEqual([
      expect.objectContaining({ DiskId: DISK, Encrypted: true, KMSKeyId: KEY }),
    ]);
    {
      await using disk = await session('alice').attach(DISK);
      await disk.write(0, Uint8Array.of(1, 2, 3));
      expect([...(await disk.read(0, 3))]).toEqual([1, 2, 3]);
    }
    expect(await codeOf(session('bob').attach(DISK))).toBe('Forbidden.RAM');
    expect(await codeOf(session('carol').attach(DISK))).toBe('InvalidAccessKeyId.NotFound');
    expect(await codeOf(plane.attach(DISK))).toBe('InvalidDiskId.NotFound');
    const elsewhere = plane.as({ accountId: OTHER });
    expect(await codeOf(elsewhere.attach(DISK))).toBe('InvalidDiskId.NotFound');
    const nowhere = plane.as({ accountId: OTHER, regionId: 'nowhere' });
    expect(await codeOf(nowhere.attach(DISK))).toBe('InvalidRegionId.NotFound');
    expect(await codeOf(session('alice').call('ListKeys', {}))).toBe('Forbidden.NoPermission');
    expect((await plane.call('DescribeDisks', {})).TotalCount).toBe(0);
  });

  it('is seeded once on files, and remembers tokens over a restart', async () => {
    const dataDir = `${temporary.path}/plane`;
    const open = () => openPlane({ dataDir, shards: 1, world: worldOf('files') });
    const once = { Size: 20, ClientToken: 'once' };
    const first = await open();
    const made = await first.call('CreateDisk', once);
    const session = first.as({ accountId: OTHER, regionId: 'cn-beijing' });
    {
      await using disk = await session.attach(DISK);
      await disk.write(0, Uint8Array.of(7));
    }
    await session.call('EnableDiskEncryptionByDefault', {});
    await first.close();

    await using second = await open();
    expect(await second.call('CreateDisk', once)).toEqual(made);
    expect((await second.call('DescribeDisks', {})).TotalCount).toBe(1);
    const again = second.as({ accountId: OTHER, regionId: 'cn-beijing' });
    await using disk = await again.attach(DISK);
    expect([...(await disk.read(0, 1))]).toEqual([7]);
    const status = await again.call('DescribeDiskEncryptionByDefaultStatus', {});
    expect(status).toEqual({ Encrypted: true });
    expect((await second.check()).problems).toEqual([]);
  });

  it('that is wrong is not opened, and holds nothing', async () => {
    const dataDir = `${temporary.path}/wrong`;
    const world = { disks: [{ id: DISK, size: 20, region: 'nowhere' }] };
    expect(await codeOf(openPlane({ dataDir, world }))).toBe('WorldInvalid');
    await using plane = await openPlane({ dataDir });
    expect((await plane.call('DescribeDisks', {})).TotalCount).toBe(0);
  });
});

describe('a rule set', () => {
  it('of another generation knows no default encryption; one nobody knows is refused', async () => {
    await using plane = await openPlane({ memory: true, shards: 1, ruleSet: '2018' });
    const enable = plane.call('EnableDiskEncryptionByDefault', {});
    expect(await codeOf(enable)).toBe('Abs.InvalidAction.RegionNotSupport');
    const unknown = openPlane({ memory: true, ruleSet: '2019' as '2018' });
    expect(await codeOf(unknown)).toBe('InvalidArgument');
  });
});
