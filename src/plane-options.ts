/** What a plane may be opened with: checked here completely, then trusted. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { PlaneError } from './base/errors.ts';
import { RULE_SETS } from './control/encryption/cells.ts';
import { type ExportFiles, exportFilesIn } from './control/jobs/export-files.ts';
import { quotasOf } from './control/quotas.ts';
import { SEGMENT_BYTES, SHARDS_DEFAULT, SHARDS_MAX } from './limits.ts';
import { type DataDirectory, openDataDirectory } from './meta/data-directory.ts';
import type { DiskPerformance, PlaneOptions } from './types.ts';

const PERFORMANCES: readonly DiskPerformance[] = ['unlimited', 'modelled'];

export function openDirectory(options: PlaneOptions): DataDirectory | null {
  if (options.dataDir === undefined) return null;
  const planeId = (): string => randomBytes(10).toString('hex');
  return openDataDirectory(options.dataDir, options.shards ?? null, SHARDS_DEFAULT, planeId);
}

export function checkOptions(options: PlaneOptions): void {
  const isMemory = options?.memory === true;
  if (isMemory === (typeof options?.dataDir === 'string')) {
    throw new PlaneError('InvalidArgument', 'expected either memory: true or a dataDir');
  }
  const { shards, memoryLimitBytes, ruleSet } = options;
  checkPerformance(options.performance);
  quotasOf(options.quotas ?? {});
  if (ruleSet !== undefined && !RULE_SETS.includes(ruleSet)) {
    throw new PlaneError('InvalidArgument', `expected ruleSet of ${RULE_SETS}, got ${ruleSet}`);
  }
  const isCount = shards === undefined || (Number.isInteger(shards) && shards >= 1);
  if (!isCount || (shards ?? 1) > SHARDS_MAX) {
    throw new PlaneError(
      'InvalidArgument',
      `expected shards from 1 to ${SHARDS_MAX}, got ${shards}`,
    );
  }
  const leastBytes = 2 * SEGMENT_BYTES * (shards ?? SHARDS_DEFAULT);
  const limit = memoryLimitBytes ?? leastBytes;
  if (!Number.isSafeInteger(limit) || limit < leastBytes) {
    throw new PlaneError(
      'InvalidArgument',
      `expected memoryLimitBytes of at least two segments a shard (${leastBytes}), got ${limit}`,
    );
  }
}

/** @throws PlaneError InvalidArgument */
export function checkPerformance(performance: DiskPerformance | undefined): void {
  if (performance === undefined || PERFORMANCES.includes(performance)) return;
  throw new PlaneError(
    'InvalidArgument',
    `expected performance of ${PERFORMANCES.join(', ')}, got ${String(performance)}`,
  );
}

/** Of disks of which nobody says otherwise. */
export function performanceOf({ performance }: PlaneOptions): DiskPerformance {
  return performance ?? 'unlimited';
}

/** null: the plane exports nothing. */
export function openExports(
  options: PlaneOptions,
  directory: DataDirectory | null,
): ExportFiles | null {
  const inside = directory === null ? undefined : join(directory.path, 'export');
  const path = options.exportDirectory ?? inside;
  return path === undefined ? null : exportFilesIn(path);
}
