/** Worlds: what is seeded, that it is seeded once, and what a wrong world is refused with. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { PlaneError } from '../../../../src/base/errors.ts';
import { loadWorld } from '../../../../src/control/access/load-world.ts';
import { seedWorld } from '../../../../src/control/access/seed-world.ts';
import type { World } from '../../../../src/control/access/world.ts';
import { callVerb } from '../../../../src/control/call.ts';
import { scopeGroup } from '../../../../src/meta/documents.ts';
import { testControl } from '../../../support/control-context.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { refusal } from './refusal.ts';

const OWNER = '1000000000000001';
const OTHER = '2000000000000002';
const KEY = 'key-hzzaaaaaaaaaaaaaaaaa';
const SUSPENDED_KEY = 'key-shhaaaaaaaaaaaaaaaaa';
const OLD_KEY = 'key-hzzbbbbbbbbbbbbbbbbb';
const DISK = 'd-bp1aaaaaaaaaaaaaaaaa';
const PLAIN_DISK = 'd-bp1bbbbbbbbbbbbbbbbb';
const IMAGE = 'm-bp1aaaaaaaaaaaaaaaaa';

const WORLD = {
  accounts: [
    {
      id: OTHER,
      name: 'other',
      users: [{ name: 'alice', policies: ['AliyunECSFullAccess'] }, { name: 'bob' }],
    },
  ],
  regions: [
    { region: 'cn-beijing', defaultEncryption: true },
    { account: OTHER, region: 'cn-shanghai', kms: 'Suspended' },
  ],
  keys: [
    { id: SUSPENDED_KEY, account: OTHER, region: 'cn-shanghai' },
    { id: KEY, description: 'payroll' },
    { id: OLD_KEY, account: OTHER, region: 'cn-beijing', state: 'Disabled' },
  ],
  disks: [
    {
      id: 'd-uf6aaaaaaaaaaaaaaaaa',
      account: OTHER,
      region: 'cn-shanghai',
      size: 20,
      key: SUSPENDED_KEY,
    },
    { id: DISK, size: 40, key: KEY, name: 'a', tags: { team: 'x' } },
    {
      id: PLAIN_DISK,
      account: OTHER,
      region: 'cn-beijing',
      size: 20,
      zone: 'cn-beijing-b',
      category: 'cloud_auto',
    },
    { id: 'd-bp1cccccccccccccccccc'.slice(0, 22), account: OTHER, size: 20, encrypted: true },
    { id: 'd-bp1ddddddddddddddddd', account: OTHER, region: 'cn-beijing', size: 20, key: OLD_KEY },
  ],
  images: [
    {
      id: IMAGE,
      name: 'linux',
      public: true,
      sharedWith: [OTHER],
      devices: [
        { type: 'system', size: 40 },
        { type: 'data', size: 100 },
      ],
    },
    { id: 'm-bp1bbbbbbbbbbbbbbbbb' },
  ],
} as const satisfies World;

async function seeded(world: World = WORLD) {
  const { context } = await testControl();
  await seedWorld(context, world);
  return context;
}

describe('a world', () => {
  it('is there when it is seeded: accounts, users, roles and settings', async () => {
    const { metadata } = await seeded();
    expect(metadata.getDocument('account', OTHER)).toMatchObject({
      name: 'other',
      users: [
        { name: 'alice', policies: ['AliyunECSFullAccess'] },
        { name: 'bob', policies: [] },
      ],
      roles: expect.arrayContaining(['AliyunECSDiskEncryptDefaultRole']),
      isDefaultEncryptionGranted: true,
    });
    expect(metadata.getDocument('region', scopeGroup(OWNER, 'cn-beijing'))).toEqual({
      accountId: OWNER,
      regionId: 'cn-beijing',
      isDefaultEncryptionOn: true,
      defaultKeyId: null,
    });
  });

  it('has keys with its ids, in its states', async () => {
    const context = await seeded();
    const describeKey = (accountId: string, regionId: string, KeyId: string) =>
      callVerb(context, { accountId, userName: null, regionId }, 'DescribeKey', { KeyId });
    expect((await describeKey(OWNER, 'cn-hangzhou', KEY)).KeyMetadata).toMatchObject({
      KeyId: KEY,
      KeyState: 'Enabled',
      Description: 'payroll',
    });
    expect((await describeKey(OTHER, 'cn-beijing', OLD_KEY)).KeyMetadata).toMatchObject({
      KeyState: 'Disabled',
    });
  });

  it('has disks with its ids, under its keys', async () => {
    const context = await seeded();
    const { metadata } = context;
    expect(metadata.getDisk(DISK)).toMatchObject({
      accountId: OWNER,
      regionId: 'cn-hangzhou',
      zoneId: 'cn-hangzhou-a',
      name: 'a',
      sizeBytes: 40 * 2 ** 30,
      tags: { team: 'x' },
      category: 'cloud_essd',
      performanceLevel: 'PL1',
      status: 'Available',
      encryption: { keyId: KEY, accountId: OWNER, regionId: 'cn-hangzhou', lineageId: DISK },
    });
    expect(metadata.getDisk(PLAIN_DISK)).toMatchObject({
      accountId: OTHER,
      zoneId: 'cn-beijing-b',
      category: 'cloud_auto',
      performanceLevel: '',
      encryption: null,
    });
    const service = await context.kms.call({
      op: 'serviceKey',
      accountId: OTHER,
      regionId: 'cn-hangzhou',
    });
    const underServiceKey = metadata.getDisk(WORLD.disks[3].id);
    expect(underServiceKey?.encryption?.keyId).toBe(service.keyId);
    expect(underServiceKey?.layers).toEqual([
      { tree: WORLD.disks[3].id, encryption: underServiceKey?.encryption },
    ]);
    expect(metadata.check()).toEqual([]);
  });

  it('has images with its ids, whose disks are empty', async () => {
    const { metadata } = await seeded();
    expect(metadata.getDocument('image', IMAGE)).toMatchObject({
      accountId: OWNER,
      status: 'Available',
      isPublic: true,
      sharedWith: [OTHER],
      devices: [
        { device: '/dev/xvda', type: 'system', sizeBytes: 40 * 2 ** 30, snapshotId: null },
        { device: '/dev/xvdb', type: 'data', sizeBytes: 100 * 2 ** 30, snapshotId: null },
      ],
    });
    expect(metadata.getDocument('image', WORLD.images[1].id)?.devices.length).toBe(1);
  });

  it('that is seeded again leaves what is there as it is, and makes what is not', async () => {
    const context = await seeded();
    const before = {
      disk: context.metadata.getDisk(DISK),
      account: context.metadata.getDocument('account', OTHER),
    };
    const { principal } = context;
    await callVerb(context, principal, 'DisableDiskEncryptionByDefault', {
      RegionId: 'cn-beijing',
    });
    const grown = { DiskId: DISK, NewSize: 50 };
    await callVerb(context, principal, 'ResizeDisk', grown);
    await context.kms.call({
      op: 'enableKey',
      keyId: OLD_KEY,
      ...{ accountId: OTHER, regionId: 'cn-beijing' },
    });
    await context.metadata.commit({ removeDisks: [PLAIN_DISK] });
    const users = [{ name: 'carol', policies: ['ReadOnlyAccess'] }];
    await seedWorld(context, { ...WORLD, accounts: [{ id: OTHER, roles: [], users }] });
    expect(context.metadata.getDisk(DISK)).toEqual({ ...before.disk, sizeBytes: 50 * 2 ** 30 });
    expect(context.metadata.getDisk(PLAIN_DISK)).toBeDefined();
    const setting = context.metadata.getDocument('region', scopeGroup(OWNER, 'cn-beijing'));
    expect(setting?.isDefaultEncryptionOn).toBe(false);
    const key = await context.kms.call({
      op: 'describeKey',
      keyId: OLD_KEY,
      ...{ accountId: OTHER, regionId: 'cn-beijing' },
    });
    expect(key.state).toBe('Enabled');
    expect(context.metadata.getDocument('account', OTHER)).toEqual({
      ...before.account,
      name: OTHER,
      users,
      roles: [],
    });
  });

  it('has KMS activated or not, and may be seeded again either way', async () => {
    const context = await seeded();
    const scope = { accountId: OTHER, regionId: 'cn-shanghai' };
    const status = () => context.kms.call({ op: 'describeAccountStatus', ...scope });
    expect(await status()).toBe('Suspended');
    await seedWorld(context, WORLD);
    expect(await status()).toBe('Suspended');
    await context.metadata.commit({ removeDisks: ['d-uf6aaaaaaaaaaaaaaaaa'] });
    await seedWorld(context, WORLD);
    expect(await status()).toBe('Suspended');
    expect(context.metadata.getDisk('d-uf6aaaaaaaaaaaaaaaaa')?.encryption?.keyId).toBe(
      SUSPENDED_KEY,
    );
  });

  it('may be empty', async () => {
    const { context } = await testControl();
    const accounts = () => context.metadata.listDocuments('account', null, 0, 10);
    const before = accounts();
    await seedWorld(context, {});
    expect(accounts()).toEqual(before);
  });
});

const disk = { id: DISK, size: 40 };
const key = { id: KEY };

describe('a wrong world', () => {
  it.each<[unknown, string]>([
    [null, 'world: expected Object, got null'],
    [[], 'world: expected Object'],
    [{ volumes: [] }, 'world: volumes: there is nothing of this name'],
    [{ disks: {} }, 'world: disks: expected Array'],
    [{ disks: [disk, { size: 1 }] }, 'world: disks[1].id: expected'],
    [{ disks: [{ ...disk, id: 'd-1' }] }, 'disks[0].id: expected a disk id'],
    [{ disks: [{ ...disk, size: 0 }] }, 'disks[0].size: expected >=1, got 0'],
    [{ disks: [{ ...disk, sise: 1 }] }, 'disks[0].sise: there is nothing of this name'],
    [{ disks: [{ ...disk, zone: 'nowhere' }] }, 'disks[0].zone: expected one of cn-hangzhou-a'],
    [{ disks: [{ ...disk, region: 'nowhere' }] }, 'disks[0].region: there is no region "nowhere"'],
    [{ disks: [{ ...disk, account: '3' }] }, 'disks[0]: there is no account 3'],
    [{ disks: [{ ...disk, key: KEY }] }, `disks[0].key: the world has no key ${KEY}`],
    [
      { disks: [{ ...disk, key: KEY, encrypted: false }], keys: [key] },
      'disks[0]: expected no key',
    ],
    [
      { disks: [{ ...disk, key: KEY, region: 'cn-beijing' }], keys: [key] },
      `${KEY} is of ${OWNER} in cn-hangzhou`,
    ],
    [{ disks: [{ ...disk, encrypted: true, region: 'cn-nanjing' }] }, 'no disk encryption'],
    [
      {
        disks: [{ ...disk, key: KEY, region: 'cn-fuzhou' }],
        keys: [{ ...key, region: 'cn-fuzhou' }],
      },
      'service key alone',
    ],
    [{ disks: [{ ...disk, tags: { 'acs:x': '' } }] }, 'disks[0].tags: "acs:x"'],
    [{ disks: [disk, disk] }, `disks[1]: ${DISK} is there twice`],
    [{ accounts: [{ id: 1000000000000001 }] }, 'accounts[0].id: expected an account id: a string'],
    [{ accounts: [{ id: 'X' }] }, 'accounts[0].id: expected an account id'],
    [{ accounts: [{ id: '3' }, { id: '3' }] }, 'accounts[1]: 3 is there twice'],
    [{ accounts: [{ id: '3', roles: ['R'] }] }, 'accounts[0].roles[0]: expected one of Aliyun'],
    [
      { accounts: [{ id: '3', users: [{ name: 'a', policies: ['P'] }] }] },
      'accounts[0].users[0].policies[0]: expected one of AdministratorAccess',
    ],
    [
      { accounts: [{ id: '3', users: [{ name: '' }] }] },
      'accounts[0].users[0].name: expected a user name',
    ],
    [
      { accounts: [{ id: '3', users: [{ name: 'a' }, { name: 'a' }] }] },
      'accounts[0].users[1]: a is there twice',
    ],
    [{ regions: [{}, {}] }, 'regions[1]: 1000000000000001 in cn-hangzhou is there twice'],
    [{ regions: [{ region: 'nowhere' }] }, 'regions[0].region: there is no region'],
    [
      { regions: [{ defaultKey: KEY }], keys: [key] },
      'regions[0]: expected defaultEncryption: true',
    ],
    [
      { regions: [{ defaultKey: KEY, defaultEncryption: true }] },
      'regions[0].defaultKey: the world has no key',
    ],
    [
      { regions: [{ region: 'cn-nanjing', defaultEncryption: true }] },
      'regions[0]: cn-nanjing: the region offers no',
    ],
    [{ keys: [{ id: 'key-1' }] }, 'keys[0].id: expected a key id'],
    [{ keys: [{ ...key, state: 'Gone' }] }, 'keys[0].state: expected'],
    [{ keys: [key, key] }, `keys[1]: ${KEY} is there twice`],
    [
      { images: [{ id: IMAGE, devices: [{ type: 'data', size: 1 }] }] },
      'images[0].devices: expected one system disk, got 0',
    ],
    [
      { images: [{ id: IMAGE, sharedWith: ['3'] }] },
      'images[0].sharedWith[0]: there is no account 3',
    ],
    [{ images: [{ id: IMAGE, devices: [] }] }, 'images[0].devices: expected'],
    [{ images: [{ id: IMAGE }, { id: IMAGE }] }, `images[1]: ${IMAGE} is there twice`],
  ])('%j is refused, and nothing is made', async (world, message) => {
    const { context } = await testControl();
    const seeding = seedWorld(context, world as World);
    await expect(seeding).rejects.toThrow(message);
    await expect(seeding).rejects.toMatchObject({ code: 'WorldInvalid' });
    expect(context.metadata.listDisks({}, 0, 1).total).toBe(0);
    const scope = { accountId: OWNER, regionId: 'cn-hangzhou' };
    expect(await context.kms.call({ op: 'listKeys', ...scope })).toEqual([]);
  });

  it('that takes an id from somebody else is refused', async () => {
    const context = await seeded();
    const there = { account: OTHER, region: 'cn-beijing' };
    const again = (world: World) => seedWorld(context, world);
    await expect(again({ disks: [{ ...disk, ...there }] })).rejects.toThrow(
      `disks[0].id: it is there already, of ${OWNER} in cn-hangzhou`,
    );
    await expect(again({ images: [{ id: IMAGE, ...there }] })).rejects.toThrow(/images\[0\]\.id/);
    await expect(again({ keys: [{ ...key, ...there }] })).rejects.toThrow();
  });

  it('is not seeded when KMS fails', async () => {
    const { context } = await testControl();
    const kms = {
      call: () => Promise.reject(new PlaneError('KmsUnavailable', 'as the test says')),
    };
    expect(await refusal(() => seedWorld({ ...context, kms }, WORLD))).toBe('KmsUnavailable');
    expect(context.metadata.listDisks({}, 0, 1).total).toBe(0);
  });
});

describe('a world file', () => {
  const folder = tempDir();
  afterAll(() => folder[Symbol.dispose]());
  const file = (name: string, text: string): string => {
    const path = `${folder.path}/${name}`;
    writeFileSync(path, text);
    return path;
  };

  it('is YAML or JSON, and gives the same world', () => {
    expect(loadWorld(file('world.yaml', stringify(WORLD)))).toEqual(WORLD);
    expect(loadWorld(file('world.json', JSON.stringify(WORLD)))).toEqual(WORLD);
    expect(loadWorld(file('empty.yaml', '# nothing\n'))).toEqual({});
  });

  it.each([
    ['bad.yaml', 'disks: [', /bad\.yaml: .*line 1/],
    ['twice.yaml', 'keys: []\nkeys: []\n', /twice\.yaml: .*unique.*line/],
    ['text.yaml', 'just text', /text\.yaml: expected Object, got "just text"/],
    [
      'size.yaml',
      'disks: [{ id: d-bp1aaaaaaaaaaaaaaaaa, size: big }]',
      /size\.yaml: disks\[0\]\.size: expected number, got "big"/,
    ],
    [
      'number.yaml',
      'accounts: [{ id: 1000000000000001 }]',
      /number\.yaml: accounts\[0\]\.id: expected .* a string/,
    ],
  ])('%s that is wrong is named with the place and what was expected', (name, text, message) => {
    expect(() => loadWorld(file(name, text))).toThrow(message);
  });

  it('that cannot be read is named', () => {
    mkdirSync(`${folder.path}/folder`);
    for (const path of [`${folder.path}/none.yaml`, `${folder.path}/folder`]) {
      expect(() => loadWorld(path)).toThrow(/WorldInvalid: .*(none\.yaml|folder): E/);
    }
  });

  it('is named in what only seeding can see', async () => {
    const { context } = await testControl();
    const world = loadWorld(
      file('far.yaml', stringify({ disks: [{ ...disk, region: 'nowhere' }] })),
    );
    await expect(seedWorld(context, world)).rejects.toThrow(/far\.yaml: disks\[0\]\.region/);
  });
});
