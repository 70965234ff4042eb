/** Metadata at rest looked at from outside. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLmdbStore } from '../../../src/kv/lmdb-store.ts';
import { checkMetadataDirectory } from '../../../src/meta/check-directory.ts';
import { openMetadata } from '../../../src/meta/metadata.ts';
import { encodeRecord } from '../../../src/record/codec.ts';
import type { EncryptionRecord } from '../../../src/record/resource.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { disk, diskId, encryption, keyId, snapshot, snapshotId } from './fixtures.ts';

let temporary: TempDir;
let directory: string;
beforeEach(() => {
  temporary = tempDir();
  directory = join(temporary.path, 'meta');
});
afterEach(() => temporary[Symbol.dispose]());

const [first, second] = [diskId(1), diskId(2)];

/** A wrapped key, as far as its head: format, master key, version. */
function wrappedBy(key: number): EncryptionRecord {
  const bytes = new Uint8Array(100);
  bytes.set(new TextEncoder().encode(keyId(key)), 2);
  return { ...encryption(key, first), wrappedKey: bytes };
}

async function store(...disks: ReturnType<typeof disk>[]): Promise<void> {
  const metadata = await openMetadata(directory);
  await metadata.commit({ putDisks: disks });
  await metadata.close();
}

it('is sound if it is: trees by their shard, and nothing is written', async () => {
  const sound = { encryption: wrappedBy(1) };
  await store(disk(first, sound), disk(second, { shardIndex: 1 }));
  const metadata = await openMetadata(directory);
  await metadata.commit({ putSnapshots: [snapshot(snapshotId(1), first, sound)] });
  await metadata.close();
  expect(await checkMetadataDirectory(directory, 2)).toEqual({
    disks: 2,
    snapshots: 1,
    hasAccount: false,
    treesOfShards: [new Set([first, snapshotId(1)]), new Set([second])],
    problems: [],
  });
});

it.each([
  [
    'a wrapped key of another master key',
    { ...wrappedBy(1), keyId: keyId(2) },
    /is wrapped by key-/,
  ],
  ['what is no wrapped key', encryption(1, first), /is no wrapped data key/],
])('tells of %s', async (_, stored, expected) => {
  await store(disk(first, { encryption: stored }));
  const { problems } = await checkMetadataDirectory(directory, 1);
  expect(problems).toEqual([expect.stringMatching(expected)]);
});

it('tells of a record that is not as its top layer, and of a shard there is not', async () => {
  const layers = [{ tree: first, encryption: wrappedBy(1) }];
  const other = { ...wrappedBy(1), lineageId: second };
  await store(disk(first, { encryption: wrappedBy(1) }), disk(second, { shardIndex: 5 }));
  // No commit of ours would do this.
  const raw = openLmdbStore(directory);
  const record = encodeRecord('disk', disk(first, { encryption: other, layers }));
  await raw.transact((transaction) => transaction.put(`disk/${first}`, record));
  await raw.close();
  const { problems } = await checkMetadataDirectory(directory, 1);
  expect(problems).toEqual([
    `${first}: its encryption is not that of its top layer`,
    `${second}: there is no shard 5`,
  ]);
});

it('asks nothing of a data key that was erased', async () => {
  const erased = { ...encryption(1, first), wrappedKey: new Uint8Array(0), erasedAt: 5 };
  await store(disk(first, { encryption: erased }));
  expect((await checkMetadataDirectory(directory, 1)).problems).toEqual([]);
});

it('tells of records that do not unpack, and goes on with the others', async () => {
  await store(disk(first), disk(second));
  const raw = openLmdbStore(directory);
  await raw.transact((transaction) => transaction.put(`disk/${first}`, Uint8Array.of(9, 9)));
  await raw.close();
  const { disks, problems } = await checkMetadataDirectory(directory, 1);
  expect(disks).toBe(1);
  expect(problems.join()).toMatch(new RegExp(`${first}: DataDirectoryCorrupt`));
});

it('is a problem if it is not there, and is not made', async () => {
  const { problems } = await checkMetadataDirectory(directory, 1);
  expect(problems).toEqual([
    expect.stringMatching(/^DataDirectoryCorrupt: there is no .*data.mdb/),
  ]);
});
