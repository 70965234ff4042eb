/**
 * The root key: 32 bytes every record of the vault is sealed under.
 *
 * Where it comes from, the first that applies:
 * 1. the root key file its owner names: exactly 32 bytes, only read;
 * 2. a plane in memory: random, never stored;
 * 3. `root.key` in the data directory, mode 0600, made when the vault is new. Whoever copies the
 *    directory then copies the key with it: name a file elsewhere to keep them apart.
 *
 * A vault that has records is never given a new root key: without the old one it is closed for
 * good, and the error says so.
 *
 * The bytes are read straight into memory off the V8 heap. **Thread:** KMS.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { allocateKey, zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { KEY_BYTES } from '../limits.ts';
import type { FillRandom } from './envelope.ts';

const ROOT_KEY_FILE = 'root.key';

export interface RootKeySource {
  /** null: a plane in memory. */
  readonly dataDir: string | null;
  readonly rootKeyFile: string | null;
  /** True if the vault holds nothing yet. */
  readonly isNewVault: boolean;
}

/**
 * @returns 32 bytes off the V8 heap, the caller's to zeroize
 * @throws PlaneError RootKeyInvalid: the file is missing, unreadable or not 32 bytes
 */
export function loadRootKey(source: RootKeySource, fillRandom: FillRandom): Uint8Array {
  const { dataDir, rootKeyFile, isNewVault } = source;
  if (rootKeyFile !== null) return readRootKey(rootKeyFile);
  if (dataDir === null) return drawRootKey(fillRandom);
  const path = join(dataDir, ROOT_KEY_FILE);
  if (existsSync(path)) return readRootKey(path);
  if (!isNewVault) {
    const detail = `${path} is missing and the vault beside it was sealed under it`;
    throw new PlaneError('RootKeyInvalid', detail);
  }
  const rootKey = drawRootKey(fillRandom);
  try {
    storeRootKey(dataDir, path, rootKey);
    return rootKey;
  } catch (cause) {
    zeroize(rootKey);
    throw cause;
  }
}

function drawRootKey(fillRandom: FillRandom): Uint8Array {
  const rootKey = allocateKey(KEY_BYTES);
  fillRandom(rootKey);
  return rootKey;
}

function readRootKey(path: string): Uint8Array {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new PlaneError('RootKeyInvalid', `${path}: cannot be opened (${code})`, { cause });
  }
  const rootKey = allocateKey(KEY_BYTES);
  try {
    const { size } = fstatSync(file);
    if (size !== KEY_BYTES || readSync(file, rootKey, 0, KEY_BYTES, 0) !== KEY_BYTES) {
      zeroize(rootKey);
      throw new PlaneError('RootKeyInvalid', `${path}: ${size} bytes, expected ${KEY_BYTES}`);
    }
    return rootKey;
  } finally {
    closeSync(file);
  }
}

/**
 * Writes the key whole or not at all: a torn root.key would close the vault for ever. The name
 * appears only when the bytes are on stable storage.
 */
function storeRootKey(dataDir: string, path: string, rootKey: Uint8Array): void {
  const unfinished = `${path}.unfinished`;
  // Left by a start that was killed here: nothing was sealed under it.
  rmSync(unfinished, { force: true });
  const file = openSync(unfinished, 'wx', 0o600);
  try {
    writeSync(file, rootKey, 0, KEY_BYTES, 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
  const directory = openSync(dataDir, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
