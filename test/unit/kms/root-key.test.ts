import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadRootKey } from '../../../src/kms/root-key.ts';
import { fillRandom } from './support.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sealdisk-root-key-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const load = (source: Partial<Parameters<typeof loadRootKey>[0]>): Uint8Array =>
  loadRootKey({ dataDir, rootKeyFile: null, isNewVault: true, ...source }, fillRandom);
const invalid = expect.objectContaining({ code: 'RootKeyInvalid' });

describe('the root key', () => {
  test('of a new vault on files is made into root.key, mode 0600, and read from there', () => {
    const made = load({});
    const path = join(dataDir, 'root.key');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(new Uint8Array(readFileSync(path))).toEqual(made);
    expect(made.some((byte) => byte !== 0)).toBe(true);
    expect(load({})).toEqual(made);
    expect(load({ isNewVault: false })).toEqual(made);
    expect(existsSync(`${path}.unfinished`)).toBe(false);
  });

  test('is made anew if an earlier start was killed before the name appeared', () => {
    writeFileSync(join(dataDir, 'root.key.unfinished'), 'torn');
    expect(load({})).toHaveLength(32);
  });

  test('of a plane in memory is random and stored nowhere', () => {
    const [a, b] = [load({ dataDir: null }), load({ dataDir: null })];
    expect(a).toHaveLength(32);
    expect(a).not.toEqual(b);
    expect(existsSync(join(dataDir, 'root.key'))).toBe(false);
  });

  test('from a named file wins over root.key, for files and for memory', () => {
    load({});
    const rootKeyFile = join(dataDir, 'mine');
    writeFileSync(rootKeyFile, new Uint8Array(32).fill(5));
    expect(load({ rootKeyFile })).toEqual(new Uint8Array(32).fill(5));
    expect(load({ rootKeyFile, dataDir: null })).toEqual(new Uint8Array(32).fill(5));
  });

  test('is never made anew for a vault that has records', () => {
    expect(() => load({ isNewVault: false })).toThrow(invalid);
    expect(existsSync(join(dataDir, 'root.key'))).toBe(false);
  });

  test('is refused if its file is missing, a directory, or not exactly 32 bytes', () => {
    const rootKeyFile = join(dataDir, 'mine');
    expect(() => load({ rootKeyFile })).toThrow(/RootKeyInvalid.*ENOENT/);
    for (const length of [0, 31, 33, 64]) {
      writeFileSync(rootKeyFile, new Uint8Array(length));
      expect(() => load({ rootKeyFile })).toThrow(`${length} bytes, expected 32`);
    }
    mkdirSync(join(dataDir, 'directory'));
    expect(() => load({ rootKeyFile: join(dataDir, 'directory') })).toThrow(invalid);
  });

  test('lies off the V8 heap with memory of its own', () => {
    for (const rootKey of [load({}), load({}), load({ dataDir: null })]) {
      expect([rootKey.byteOffset, rootKey.buffer.byteLength]).toEqual([0, 32]);
    }
  });

  test('that cannot be stored is not used, and its bytes are erased', () => {
    const drawn: Uint8Array[] = [];
    const source = { dataDir: join(dataDir, 'absent'), rootKeyFile: null, isNewVault: true };
    expect(() =>
      loadRootKey(source, (bytes) => {
        fillRandom(bytes);
        drawn.push(bytes);
      }),
    ).toThrow(/ENOENT/);
    expect(drawn[0]!.every((byte) => byte === 0)).toBe(true);
  });
});
