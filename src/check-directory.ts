/**
 * A data directory checked while no plane has it open: everything that is stored is read, and
 * nothing is changed.
 *
 *   identity and lock ─▶ metadata ─▶ vault ─▶ each shard: checkpoint, map logs, every sector
 *     ─▶ trees of the shards against records of the metadata
 *
 * 1. What a crash leaves, and the next open tidies up, is no problem: it is counted.
 * 2. Sectors are compared with their checksums as ciphertext: no data key is unwrapped. That each
 *    record of the vault authenticates is checked by opening it, on the KMS thread.
 *
 * **Thread:** main.
 */
import { join } from 'node:path';
import { PlaneError } from './base/errors.ts';
import { checkMetadataDirectory } from './meta/check-directory.ts';
import { claimDataDirectory, type DataDirectory, hasVault } from './meta/data-directory.ts';
import { checkShardDirectories } from './threads/check-thread.ts';
import { startKmsThread } from './threads/kms-thread.ts';

export interface DirectoryCheck {
  readonly disks: number;
  readonly snapshots: number;
  readonly sectorsChecked: number;
  /** Trees no record names, and files nothing refers to: the next open removes them. */
  readonly leftOvers: number;
  /** One sentence each; empty if everything is as it should be. */
  readonly problems: readonly string[];
}

/**
 * Checks a data directory.
 *
 * @param rootKeyFile as PlaneOptions.rootKeyFile
 * @throws PlaneError DataDirectoryForeign, DataDirectoryLocked, DataDirectoryVersion,
 *   DataDirectoryCorrupt: it is not one that can be looked at; RootKeyInvalid; ReadFailed
 */
export async function checkDirectory(
  path: string,
  rootKeyFile: string | null = null,
): Promise<DirectoryCheck> {
  const directory = claimDataDirectory(path);
  try {
    return await checkClaimed(directory, rootKeyFile);
  } finally {
    directory.release();
  }
}

async function checkClaimed(
  directory: DataDirectory,
  rootKeyFile: string | null,
): Promise<DirectoryCheck> {
  const { path, shards } = directory;
  const metadata = await checkMetadataDirectory(join(path, 'meta'), shards);
  const problems = metadata.problems.map((text) => `meta: ${text}`);
  problems.push(...(await checkVault(directory, rootKeyFile)));
  const paths = Array.from({ length: shards }, (_, index) => directory.shardPath(index));
  const stores = await checkShardDirectories(paths);
  let leftOvers = 0;
  for (const [index, store] of stores.entries()) {
    problems.push(...store.problems.map((text) => `shard ${index}: ${text}`));
    if (!metadata.hasAccount && store.trees.length > 0) {
      problems.push(`meta: it is empty, and shard ${index} holds ${store.trees.length} trees`);
      continue;
    }
    const named = metadata.treesOfShards[index];
    leftOvers += store.leftOverFiles;
    leftOvers += store.trees.filter((tree) => named?.has(tree) !== true).length;
  }
  return {
    disks: metadata.disks,
    snapshots: metadata.snapshots,
    sectorsChecked: stores.reduce((sum, store) => sum + store.sectorsChecked, 0),
    leftOvers,
    problems,
  };
}

/** @throws PlaneError RootKeyInvalid: without the root key it cannot be told */
async function checkVault(directory: DataDirectory, rootKeyFile: string | null): Promise<string[]> {
  if (!hasVault(directory)) return [`kms: ${directory.path} has no vault`];
  try {
    const kms = await startKmsThread({ dataDir: directory.path, rootKeyFile });
    await kms.close();
    return [];
  } catch (error) {
    if (!(error instanceof PlaneError) || error.code === 'RootKeyInvalid') throw error;
    return [`kms: ${error.message}`];
  }
}
