/** The naive baseline does honest work: right bytes, real encryption. */
import { createDecipheriv } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Target } from '../../src/load/target.ts';

const built = (path: string): string =>
  new URL(`../../dist/bench/naive/${path}`, import.meta.url).pathname;

let target: Target;
beforeAll(async () => {
  const module: unknown = await import(pathToFileURL(built('naive-target.js')).href);
  target = await (module as { openNaiveTarget: () => Promise<Target> }).openNaiveTarget();
});
afterAll(() => target.close());

test('what is written is read, what is not is zeros, what is trimmed is zeros', async () => {
  const disk = await target.openDisk('a', 2 ** 20);
  const bytes = Uint8Array.from({ length: 16_384 }, (_, index) => (index * 31) & 0xff);
  await disk.write(8192, bytes);
  await disk.trim(12_288, 4096);
  await disk.flush();
  const read = new Uint8Array(32_768).fill(7);
  await disk.read(0, read);
  const expected = new Uint8Array(32_768);
  expected.set(bytes, 8192);
  expected.fill(0, 12_288, 16_384);
  expect(Buffer.compare(read, expected)).toBe(0);
  await disk.close();
});

test('requests in flight together each get their own bytes', async () => {
  const disk = await target.openDisk('b', 2 ** 20);
  await Promise.all(
    Array.from({ length: 64 }, (_, sector) =>
      disk.write(sector * 4096, new Uint8Array(4096).fill(sector + 1)),
    ),
  );
  const reads = Array.from({ length: 64 }, () => new Uint8Array(4096));
  await Promise.all(reads.map((into, sector) => disk.read(sector * 4096, into)));
  for (const [sector, into] of reads.entries())
    expect(into.every((byte) => byte === sector + 1)).toBe(true);
});

test("the thread encrypts with AES-256-XTS, the sector's index as the tweak", async () => {
  const module: unknown = await import(pathToFileURL(built('naive-worker.js')).href);
  const { naiveTask } = module as {
    naiveTask: (task: {
      direction: string;
      key: Uint8Array;
      firstSector: number;
      bytes: Uint8Array;
    }) => Uint8Array;
  };
  const key = Uint8Array.from({ length: 64 }, (_, index) => index);
  const bytes = new Uint8Array(8192).fill(0x42);
  const ciphertext = naiveTask({ direction: 'encrypt', key, firstSector: 7, bytes });
  const tweak = Buffer.alloc(16);
  tweak.writeUInt32LE(8);
  const decipher = createDecipheriv('aes-256-xts', key, tweak);
  const second = Buffer.concat([decipher.update(ciphertext.subarray(4096)), decipher.final()]);
  expect(Buffer.compare(second, bytes.subarray(4096))).toBe(0);
  expect(Buffer.compare(ciphertext.subarray(0, 4096), ciphertext.subarray(4096))).not.toBe(0);
});

test('part sectors are refused', async () => {
  const disk = await target.openDisk('c', 2 ** 20);
  await expect(disk.read(512, new Uint8Array(4096))).rejects.toThrow('serves whole sectors');
  await expect(disk.write(0, new Uint8Array(100))).rejects.toThrow('InvalidArgument');
});
