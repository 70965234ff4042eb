/** Worlds with content: disks, snapshots and images that begin with known bytes, on both stores. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadWorld, openPlane, type Plane } from 'sealdisk';
import { afterAll, describe, expect, it } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import { expectBytes } from '../support/expect-bytes.ts';
import { codeOf } from '../support/refusal.ts';
import { tempDir } from '../support/temp-dir.ts';

const MIB = 1024 * 1024;
const KEY = 'key-hzzaaaaaaaaaaaaaaaaa';
const DISK = 'd-bp1aaaaaaaaaaaaaaaaa';
const PLAIN = 'd-bp1bbbbbbbbbbbbbbbbb';
const SNAPSHOT = 's-bp1aaaaaaaaaaaaaaaaa';
const IMAGE = 'm-bp1aaaaaaaaaaaaaaaaa';
const WORLD = `
keys:
  - { id: ${KEY}, state: Disabled }
disks:
  - id: ${DISK}
    size: 20
    key: ${KEY}
    content:
      - { pattern: "0xdeadbeef01", length: 2500000 }
      - { offset: 4096, pattern: "ff", length: 10 }
  - id: ${PLAIN}
    size: 20
    content: [{ offset: 512, file: files/boot.img }]
snapshots:
  - { id: ${SNAPSHOT}, disk: ${PLAIN}, name: first }
images:
  - { id: ${IMAGE}, devices: [{ type: system, size: 20, snapshot: ${SNAPSHOT} }] }
`;

const temporary = tempDir();
afterAll(() => temporary[Symbol.dispose]());

const boot = new Uint8Array(3 * MIB + 77);
createPrng(5).fill(boot);

function world(text = WORLD) {
  mkdirSync(`${temporary.path}/files`, { recursive: true });
  writeFileSync(`${temporary.path}/files/boot.img`, boot);
  writeFileSync(`${temporary.path}/world.yaml`, text);
  return loadWorld(`${temporary.path}/world.yaml`);
}

async function expectAt(plane: Plane, DiskId: string, offset: number, bytes: Uint8Array) {
  await using disk = await plane.attach(DiskId);
  expectBytes(await disk.read(offset, bytes.byteLength), bytes);
}

/** What the pattern's bytes are, written down once more. */
function patterned(): Uint8Array {
  const one = [0xde, 0xad, 0xbe, 0xef, 0x01];
  const bytes = Uint8Array.from({ length: 2_500_000 }, (_, index) => one[index % 5]!);
  return bytes.fill(0xff, 4096, 4106);
}

const stores = {
  memory: () => ({ memory: true }) as const,
  file: () => ({ dataDir: `${temporary.path}/plane` }) as const,
};

describe.each(Object.entries(stores))('a world with content on the %s store', (_, options) => {
  it('gives disks, snapshots and images the bytes it says', async () => {
    await using plane = await openPlane({ ...options(), world: world() });
    expect(await codeOf(plane.attach(DISK))).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    await plane.call('EnableKey', { KeyId: KEY });
    await expectAt(plane, DISK, 0, patterned());
    await expectAt(plane, DISK, 2_500_000, new Uint8Array(MIB));
    await expectAt(plane, PLAIN, 512, boot);
    await expectAt(plane, PLAIN, 0, new Uint8Array(512));
    const { Snapshots } = await plane.call('DescribeSnapshots', { SnapshotIds: [SNAPSHOT] });
    expect(Snapshots[0]).toMatchObject({ SnapshotName: 'first', SourceDiskId: PLAIN });
    const made = await plane.call('CreateDisk', { SnapshotId: SNAPSHOT });
    await expectAt(plane, made.DiskId, 512, boot);
    const instance = { ImageId: IMAGE, InstanceType: 'ecs.g7.large' };
    const { InstanceIdSets } = await plane.call('RunInstances', instance);
    const InstanceId = String(InstanceIdSets[0]);
    const { Disks } = await plane.call('DescribeDisks', { InstanceId });
    await expectAt(plane, String(Disks[0]?.DiskId), 512, boot);
    expect((await plane.check()).problems).toEqual([]);
  }, 60_000);
});

describe('a world with content', () => {
  it('that is seeded again changes nothing that was written since', async () => {
    const dataDir = `${temporary.path}/again`;
    {
      await using plane = await openPlane({ dataDir, world: world() });
      await using disk = await plane.attach(PLAIN);
      await disk.write(512, new Uint8Array(4096).fill(0x11));
    }
    const later = 's-bp1bbbbbbbbbbbbbbbbb';
    const more = WORLD.replace('images:', `  - { id: ${later}, disk: ${PLAIN} }\nimages:`);
    await using plane = await openPlane({ dataDir, world: world(more) });
    const changed = boot.slice().fill(0x11, 0, 4096);
    await expectAt(plane, PLAIN, 512, changed);
    // The first snapshot is as the world made it; one that is new to it is of the disk as it is.
    const old = await plane.call('CreateDisk', { SnapshotId: SNAPSHOT });
    await expectAt(plane, old.DiskId, 512, boot);
    const made = await plane.call('CreateDisk', { SnapshotId: later });
    await expectAt(plane, made.DiskId, 512, changed);
  }, 60_000);

  it.each([
    ['{ pattern: "deadbeef" }', 'disks[0].content[0]: expected a length with a pattern'],
    ['{ length: 4096 }', 'disks[0].content[0]: expected a pattern or a file'],
    ['{ pattern: "00", length: 1, file: a }', 'disks[0].content[0]: expected a pattern or a file'],
    [
      '{ file: files/boot.img, length: 1 }',
      'disks[0].content[0]: expected a length with a pattern',
    ],
    ['{ pattern: "abc", length: 1 }', 'disks[0].content.0.pattern: expected a pattern'],
    ['{ pattern: "00", length: -1 }', 'disks[0].content.0.length'],
    ['{ file: files }', 'disks[0].content[0].file: files is no file'],
    ['{ file: nowhere }', 'disks[0].content[0].file: ENOENT'],
    ['{ offset: 21474836480, pattern: "00", length: 1 }', 'behind the end of'],
    ['{ offset: 21474836480, file: files/boot.img }', 'behind the end of'],
  ])('%s is refused, and nothing is made', async (piece, words) => {
    const text = `disks: [{ id: ${DISK}, size: 20, content: [${piece}] }]`;
    let message = '';
    try {
      await using plane = await openPlane({ memory: true, world: world(text) });
      message = `it was opened: ${plane.constructor.name}`;
    } catch (error) {
      message = (error as Error).message.replaceAll('content[0].', 'content.0.');
    }
    expect(message).toContain('WorldInvalid');
    expect(message).toContain(words.replaceAll('content[0].', 'content.0.'));
  });

  it.each([
    [`snapshots: [{ id: ${SNAPSHOT}, disk: ${DISK} }]`, `the world has no ${DISK}`],
    [
      `disks: [{ id: ${DISK}, size: 20, region: cn-beijing }]\n` +
        `snapshots: [{ id: ${SNAPSHOT}, disk: ${DISK} }]`,
      `${DISK} is of 1000000000000001 in cn-beijing`,
    ],
    [
      `images: [{ id: ${IMAGE}, devices: [{ type: system, size: 20, snapshot: ${SNAPSHOT} }] }]`,
      `the world has no ${SNAPSHOT}`,
    ],
    [
      `disks: [{ id: ${DISK}, size: 40 }]\nsnapshots: [{ id: ${SNAPSHOT}, disk: ${DISK} }]\n` +
        `images: [{ id: ${IMAGE}, devices: [{ type: system, size: 20, snapshot: ${SNAPSHOT} }] }]`,
      'expected a size of at least 40',
    ],
  ])('of %s is refused', async (text, words) => {
    await expect(openPlane({ memory: true, world: world(text) })).rejects.toThrow(words);
  });
});
