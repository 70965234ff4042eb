/** `sealdisk check`: what it finds in a damaged data directory, and that it changes nothing. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { checkDirectory, openPlane } from 'sealdisk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPrng } from '../../src/base/prng.ts';
import { codeOf } from '../support/refusal.ts';
import { openSabotaged } from '../support/sabotaged-plane.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

const SECTOR = 4096;
const SECTORS = 600;

let directory: TempDir;
let whole: string;
beforeAll(async () => {
  directory = tempDir();
  whole = join(directory.path, 'whole');
  await using plane = await openPlane({ dataDir: whole });
  const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
  await using disk = await plane.attach(DiskId);
  const bytes = new Uint8Array(SECTORS * SECTOR);
  createPrng(1).fill(bytes);
  await disk.write(0, bytes);
  await plane.call('CreateSnapshot', { DiskId });
  await disk.write(0, bytes.subarray(0, 10 * SECTOR));
});
afterAll(() => directory[Symbol.dispose]());

let copies = 0;
function copy(): string {
  const path = join(directory.path, `copy-${copies++}`);
  cpSync(whole, path, { recursive: true });
  return path;
}

function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Of every file but LMDB's lock file, which any reader writes its place into. */
function hashOf(path: string): string {
  const hash = createHash('sha256');
  for (const file of filesOf(path)) {
    if (!file.endsWith('lock.mdb')) hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** The file of a plane that is largest, of those whose path matches. */
function fileLike(path: string, pattern: RegExp): string {
  const found = filesOf(path).filter((file) => pattern.test(file));
  found.sort((a, b) => statSync(b).size - statSync(a).size);
  expect(found).not.toEqual([]);
  return found[0]!;
}

function flipBit(file: string, offset: number): void {
  const descriptor = openSync(file, 'r+');
  const byte = new Uint8Array(1);
  readSync(descriptor, byte, 0, 1, offset);
  byte[0]! ^= 1;
  writeSync(descriptor, byte, 0, 1, offset);
  closeSync(descriptor);
}

describe('a check of a data directory', () => {
  it('finds nothing in a sound one, reads every sector, changes nothing', async () => {
    const path = copy();
    const before = hashOf(path);
    const found = await checkDirectory(path);
    expect(found).toEqual({
      disks: 1,
      snapshots: 1,
      sectorsChecked: 2 * SECTORS,
      leftOvers: 0,
      problems: [],
    });
    expect(hashOf(path)).toBe(before);
  });

  it('finds nothing wrong with what a kill leaves, and leaves it for the next open', async () => {
    const path = join(directory.path, 'killed');
    const copied = `${path}-copy`;
    await using opened = await openSabotaged({ dataDir: path, shards: 1 }, {});
    const { plane } = opened;
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
    const disk = await plane.attach(DiskId);
    for (let sector = 0; sector < 50; sector++) {
      await disk.write(sector * SECTOR, new Uint8Array(SECTOR).fill(sector));
    }
    // As a kill leaves it: the log was committed and never flushed.
    cpSync(path, copied, { recursive: true });
    const before = hashOf(copied);
    const { problems, sectorsChecked } = await checkDirectory(copied);
    expect({ problems, sectorsChecked }).toEqual({ problems: [], sectorsChecked: 50 });
    expect(hashOf(copied)).toBe(before);
    expect(await codeOf(checkDirectory(path))).toBe('DataDirectoryLocked');
  });

  it('names the sector of each flipped bit of a segment, and none beside it', async () => {
    const path = copy();
    const segment = fileLike(path, /shard-0\/segments\//);
    const random = createPrng(7);
    // Those of the first ten sectors that the snapshot has no more are read once, not twice.
    const slots = new Set(Array.from({ length: 5 }, () => 20 + random.nextBelow(500)));
    for (const slot of slots) flipBit(segment, slot * SECTOR + random.nextBelow(SECTOR));
    const { problems } = await checkDirectory(path);
    expect(problems).toHaveLength(2 * slots.size);
    for (const slot of slots) {
      const found = problems.filter((text) => text.includes(`sector ${slot}: `));
      expect(found).toHaveLength(2);
      expect(found[0]).toMatch(
        /^shard 0: tree ".*", sector \d+: .* does not hold what its checksum/,
      );
    }
  });

  it.each([
    ['a segment that is gone', /shard-0\/segments\//, 'remove', /sector \d+: .* cannot be read/],
    ['a checkpoint', /shard-0\/.*\.ckpt$/, 'flip', /shard 0: DataDirectoryCorrupt: .*/],
    ['a checkpoint that is gone', /shard-0\/.*\.ckpt$/, 'remove', /shard 0: .*/],
    ['metadata cut short', /meta\/data\.mdb/, 'cut', /meta: DataDirectoryCorrupt: .*/],
    ['metadata that is gone', /meta\/data\.mdb/, 'remove', /meta: DataDirectoryCorrupt: .*/],
    ['metadata that is empty', /meta\/data\.mdb/, 'empty', /meta: .*data\.mdb is empty/],
    ['a vault that is empty', /kms\/data\.mdb/, 'empty', /kms: .* has no vault/],
    ['a vault cut short', /kms\/data\.mdb/, 'cut', /kms: DataDirectoryCorrupt: .*/],
    ['a vault that is gone', /kms\/data\.mdb/, 'remove', /kms: .* has no vault/],
    ['a shard that is gone', /shard-1$/, 'directory', /shard 1: .*shard-1 cannot be read: ENOENT/],
  ] as const)('tells of %s', async (_, pattern, damage, expected) => {
    const path = copy();
    if (damage === 'directory') {
      rmSync(join(path, 'shard-1'), { recursive: true });
    } else {
      const file = fileLike(path, pattern);
      if (damage === 'flip') flipBit(file, Math.floor(statSync(file).size / 2));
      if (damage === 'remove') rmSync(file);
      if (damage === 'empty') truncateSync(file);
      if (damage === 'cut') {
        const head = readFileSync(file).subarray(0, 3 * SECTOR);
        rmSync(file);
        const descriptor = openSync(file, 'w');
        writeSync(descriptor, head);
        closeSync(descriptor);
      }
    }
    const { problems } = await checkDirectory(path);
    expect(problems.join('\n')).toMatch(expected);
  });

  it('tells of metadata that was lost and made anew, and of no trees to be removed', async () => {
    const path = copy();
    rmSync(join(path, 'meta', 'data.mdb'));
    expect(await codeOf(openPlane({ dataDir: path }))).toBe('DataDirectoryCorrupt');
    const { problems, leftOvers, sectorsChecked } = await checkDirectory(path);
    expect(problems.join('\n')).toMatch(/^meta: it is empty, and shard 0 holds 2 trees$/);
    expect({ leftOvers, sectorsChecked }).toEqual({ leftOvers: 0, sectorsChecked: 2 * SECTORS });
  });

  it('tells what is no data directory, and what a root key is missing for', async () => {
    expect(await codeOf(checkDirectory(directory.path))).toBe('DataDirectoryForeign');
    const path = copy();
    renameSync(join(path, 'root.key'), join(directory.path, 'elsewhere.key'));
    expect(await codeOf(checkDirectory(path))).toBe('RootKeyInvalid');
    const { problems } = await checkDirectory(path, join(directory.path, 'elsewhere.key'));
    expect(problems).toEqual([]);
  });
});

describe('sealdisk check', () => {
  const run = (...words: string[]) => {
    const ended = spawnSync(process.execPath, ['dist/src/cli/main.js', 'check', ...words], {
      encoding: 'utf8',
      timeout: 100_000,
    });
    return ended;
  };

  it('ends with 0 or 1, and says one sentence per problem', () => {
    const path = copy();
    expect(run(path)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^ok: 1 disks/) });
    flipBit(fileLike(path, /shard-0\/segments\//), 100 * SECTOR);
    const damaged = run(path);
    expect(damaged.status).toBe(1);
    expect(damaged.stdout.trim().split('\n')).toHaveLength(3);
    const json = JSON.parse(run(path, '--json').stdout) as { ok: boolean; problems: string[] };
    expect(json).toMatchObject({ schema: 'sealdisk-check/1', ok: false, disks: 1 });
    expect(json.problems).toHaveLength(2);
    expect(run(join(directory.path, 'nowhere')).status).toBe(2);
    expect(run(directory.path).status).toBe(3);
    expect(existsSync(join(directory.path, 'nowhere'))).toBe(false);
  });
});
