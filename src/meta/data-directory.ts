/**
 * A plane's data directory: whose it is, and that it is ours alone while it is open.
 *
 *   sealdisk.json   { "format": "sealdisk", "version": 1, "shards": n, "planeId": "..." }
 *   lock            empty; flock()ed exclusively for as long as a plane has the directory open
 *   meta/  kms/     key-value stores of the metadata service and the KMS thread
 *   shard-<n>/      ciphertext segments and chunk maps of shard n
 *                   (made in this order: kms/, meta/, shards)
 *
 * sealdisk.json is written once, to a temporary name, synced and renamed: it is whole or absent.
 * A directory that holds anything but has no sealdisk.json is not ours, and nothing in it is
 * touched.
 *
 * **Thread:** main.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { PlaneError } from '../base/errors.ts';
import { lockFile } from '../base/file-lock.ts';
import { SHARDS_MAX } from '../limits.ts';

const FORMAT = 'sealdisk';
const FORMAT_VERSION = 1;
const IDENTITY_FILE = 'sealdisk.json';

interface Identity {
  readonly planeId: string;
  readonly shards: number;
}

export interface DataDirectory {
  readonly path: string;
  readonly planeId: string;
  readonly shards: number;
  shardPath(shardIndex: number): string;
  /** Gives the lock back. */
  release(): void;
}

/**
 * Opens a data directory, made if there is none.
 *
 * @param shards how many shards a new one gets; null: shardsDefault
 * @throws PlaneError DataDirectoryLocked, DataDirectoryForeign, DataDirectoryVersion,
 *   DataDirectoryCorrupt; DataDirectoryUnusable, NoSpace: the system refuses; InvalidArgument if it
 *   has another number of shards than asked for
 */
export function openDataDirectory(
  path: string,
  shards: number | null,
  shardsDefault: number,
  makePlaneId: () => string,
): DataDirectory {
  return withCodes(path, () => {
    makeDirectory(path);
    const entries = readdirSync(path).filter((name) => name !== 'lock');
    const hasIdentity = entries.includes(IDENTITY_FILE);
    const leftovers = entries.filter((name) => name !== IDENTITY_FILE && name !== 'root.key');
    if (!hasIdentity && leftovers.some((name) => !name.startsWith(`${IDENTITY_FILE}.`))) {
      throw new PlaneError(
        'DataDirectoryForeign',
        `expected an empty directory or one with ${IDENTITY_FILE}: ${path} holds ${leftovers[0]}`,
      );
    }
    return claim(path, () => {
      if (!hasIdentity) writeIdentity(path, shards ?? shardsDefault, makePlaneId());
      const identity = readIdentity(path);
      if (shards !== null && shards !== identity.shards) {
        throw new PlaneError(
          'InvalidArgument',
          `expected shards: ${identity.shards}, as ${path} was made with; got ${shards}`,
        );
      }
      requireStores(path, entries, identity.shards);
      return identity;
    });
  });
}

/**
 * Claims a data directory that is there and that no plane has open, and makes nothing in it.
 *
 * @throws PlaneError DataDirectoryLocked, DataDirectoryForeign, DataDirectoryVersion,
 *   DataDirectoryCorrupt; DataDirectoryUnusable: the system refuses
 */
export function claimDataDirectory(path: string): DataDirectory {
  if (!existsSync(join(path, IDENTITY_FILE))) {
    throw new PlaneError('DataDirectoryForeign', `expected ${IDENTITY_FILE} in ${path}`);
  }
  return withCodes(path, () => claim(path, () => readIdentity(path)));
}

/** Takes the lock, and keeps it if the directory is what `identify` expects. */
function claim(path: string, identify: () => Identity): DataDirectory {
  const lock = lockFile(join(path, 'lock'));
  if (lock === null) {
    throw new PlaneError('DataDirectoryLocked', `another plane has ${path} open`);
  }
  try {
    return directoryAt(path, identify(), lock.release);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** What the system refuses, with a code of ours; a bug is none of it. */
function withCodes<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof PlaneError) throw cause;
    const { errno, code, message } = cause as NodeJS.ErrnoException;
    if (errno === undefined) throw cause;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    throw new PlaneError(isFull ? 'NoSpace' : 'DataDirectoryUnusable', `${path}: ${message}`, {
      cause,
    });
  }
}

/** One directory at a time: on /proc, Node's own recursion does not end. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Somebody else made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Opening a vault that is not there makes one: who only looks asks this before. */
export function hasVault({ path }: Pick<DataDirectory, 'path'>): boolean {
  const file = statSync(join(path, 'kms', 'data.mdb'), { throwIfNoEntry: false });
  return file !== undefined && file.size > 0;
}

function directoryAt(path: string, identity: Identity, release: () => void): DataDirectory {
  const shardPath = (shardIndex: number): string => join(path, `shard-${shardIndex}`);
  return { path, ...identity, shardPath, release };
}

/**
 * Stores are made in this order, so one that is there without an earlier one has lost it. A plane
 * without its metadata would take every tree for what a crash left, and remove it; a vault made
 * anew would answer for keys it never had. The vault's file is written, and forced, before there is
 * a meta/. (That of the metadata need not be before there are shards: see requireMetadata() of
 * plane-shards.ts.)
 */
function requireStores(path: string, entries: readonly string[], shards: number): void {
  const shardNames = Array.from({ length: shards }, (_, index) => `shard-${index}`);
  const order = [['kms'], ['meta'], shardNames];
  for (const [at, names] of order.entries()) {
    const isLaterThere = order
      .slice(at + 1)
      .flat()
      .some((name) => entries.includes(name));
    if (!isLaterThere || names.some((name) => entries.includes(name))) continue;
    throw new PlaneError('DataDirectoryCorrupt', `expected ${join(path, names[0] ?? '')}`);
  }
  if (entries.includes('meta') && !hasVault({ path })) {
    throw new PlaneError('DataDirectoryCorrupt', `${join(path, 'kms')} holds no vault`);
  }
}

function writeIdentity(path: string, shards: number, planeId: string): void {
  const temporary = join(path, `${IDENTITY_FILE}.new`);
  const identity = { format: FORMAT, version: FORMAT_VERSION, shards, planeId };
  writeFileSync(temporary, `${JSON.stringify(identity)}\n`, { flush: true, mode: 0o600 });
  renameSync(temporary, join(path, IDENTITY_FILE));
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function readIdentity(path: string): Identity {
  const file = join(path, IDENTITY_FILE);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new PlaneError('DataDirectoryCorrupt', `${file} is not JSON`, { cause });
  }
  const { format, version, shards, planeId } = (parsed ?? {}) as Record<string, unknown>;
  if (format !== FORMAT) {
    throw new PlaneError('DataDirectoryForeign', `${file} is not of format ${FORMAT}`);
  }
  if (version !== FORMAT_VERSION) {
    throw new PlaneError(
      'DataDirectoryVersion',
      `expected version ${FORMAT_VERSION} in ${file}, got ${String(version)}`,
    );
  }
  const isCount = typeof shards === 'number' && Number.isInteger(shards);
  if (!isCount || shards < 1 || shards > SHARDS_MAX || typeof planeId !== 'string') {
    throw new PlaneError('DataDirectoryCorrupt', `${file} names no shards or no plane`);
  }
  return { shards, planeId };
}
