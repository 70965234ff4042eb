import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { searchForKey } from '../../../src/kms/key-search.ts';
import { tempDir } from '../../support/temp-dir.ts';

const MIB = 1 << 20;
const key = Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37 + 11) & 0xff));
const wrapped = Buffer.from(Array.from({ length: 90 }, (_, index) => (index * 53 + 5) & 0xff));

async function hitsOf(content: Buffer): Promise<number> {
  using dir = tempDir();
  mkdirSync(join(dir.path, 'deep/er'), { recursive: true });
  writeFileSync(join(dir.path, 'deep/er/file'), content);
  writeFileSync(join(dir.path, 'other'), Buffer.alloc(5000, 7));
  const found = await searchForKey(dir.path, key, wrapped);
  expect(found).toMatchObject({ files: 2, bytes: content.length + 5000, wrappedKeyHits: 0 });
  return found.hits;
}

describe('a search for a data key', () => {
  it('finds nothing where there is nothing, and leaves the key as it was', async () => {
    const before = Buffer.from(key);
    expect(await hitsOf(Buffer.alloc(3 * MIB))).toBe(0);
    expect(key).toEqual(before);
  });

  it.each([
    ['whole', key, 2],
    ['its first half', key.subarray(0, 16), 1],
    ['its second half', key.subarray(16), 1],
    ['hex', Buffer.from(key.toString('hex')), 2],
    ['HEX', Buffer.from(key.toString('hex').toUpperCase()), 2],
    ['base64', Buffer.from(key.toString('base64')), 1],
  ])('finds it %s', async (_form, bytes, hits) => {
    expect(await hitsOf(Buffer.concat([Buffer.alloc(100), bytes, Buffer.alloc(100)]))).toBe(hits);
  });

  it('finds it across the edge of what is read at once, and counts it once', async () => {
    for (let before = MIB - 33; before <= MIB + 1; before++) {
      const half = key.subarray(0, 16);
      const content = Buffer.concat([Buffer.alloc(before), half, Buffer.alloc(2 * MIB)]);
      using dir = tempDir();
      writeFileSync(join(dir.path, 'file'), content);
      expect((await searchForKey(dir.path, key, wrapped)).hits).toBe(1);
    }
  });

  it('finds the wrapped key, which shows that it looks where keys are', async () => {
    using dir = tempDir();
    writeFileSync(join(dir.path, 'file'), Buffer.concat([Buffer.alloc(9), wrapped, wrapped]));
    expect(await searchForKey(dir.path, key, wrapped)).toMatchObject({
      hits: 0,
      wrappedKeyHits: 2,
    });
  });

  it('fails where a directory cannot be read', async () => {
    await expect(searchForKey('/nowhere/at/all', key, wrapped)).rejects.toThrow('ENOENT');
  });
});
