/** What a plane may be opened with: checked here completely, then trusted. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { PlaneError } from './base/errors.ts';
import type { Principal } from './control/context.ts';
import { RULE_SETS } from './control/encryption/cells.ts';
import { type ExportFiles, exportFilesIn } from './control/jobs/export-files.ts';
import { quotasOf } from './control/quotas.ts';
import { REGION_DEFAULT, SEGMENT_BYTES, SHARDS_DEFAULT, SHARDS_MAX } from './limits.ts';
import { type DataDirectory, openDataDirectory } from './meta/data-directory.ts';
import type { AttachOptions, DiskPerformance, PlaneOptions, PlanePrincipal } from './types.ts';

const PERFORMANCES: readonly DiskPerformance[] = ['unlimited', 'modelled'];

const ENGINES: readonly PlaneOptions['engine'][] = [
  'auto',
  'openssl-ffi',
  'node-crypto',
  'noble-reference',
];

type OptionType = 'boolean' | 'string' | 'number' | 'object';

/** DATA: what typeof says of each option that is given. A world is judged as a whole, elsewhere. */
const OPTION_TYPES: Record<keyof PlaneOptions, OptionType | null> = {
  memory: 'boolean',
  dataDir: 'string',
  exportDirectory: 'string',
  shards: 'number',
  memoryLimitBytes: 'number',
  rootKeyFile: 'string',
  engine: 'string',
  ruleSet: 'string',
  quotas: 'object',
  world: null,
  kmsThrottling: 'boolean',
  performance: 'string',
  simulation: 'object',
  allowDebugging: 'boolean',
};

/** Options that are paths. */
const PATHS = ['dataDir', 'exportDirectory', 'rootKeyFile'] as const;

export function openDirectory(options: PlaneOptions): DataDirectory | null {
  if (options.dataDir === undefined) return null;
  const planeId = (): string => randomBytes(10).toString('hex');
  return openDataDirectory(options.dataDir, options.shards ?? null, SHARDS_DEFAULT, planeId);
}

/** @throws PlaneError InvalidArgument, also for an option there is not */
export function checkOptions(options: PlaneOptions): void {
  checkObject('options', options);
  checkOptionTypes(options);
  const { shards, memoryLimitBytes, ruleSet, engine } = options;
  if ((options.memory === true) === (options.dataDir !== undefined)) {
    throw new PlaneError('InvalidArgument', 'expected either memory: true or a dataDir');
  }
  checkPerformance(options.performance);
  quotasOf(options.quotas ?? {});
  if (ruleSet !== undefined && !RULE_SETS.includes(ruleSet)) {
    throw new PlaneError('InvalidArgument', `expected ruleSet of ${RULE_SETS}, got ${ruleSet}`);
  }
  if (!ENGINES.includes(engine ?? 'auto')) {
    throw new PlaneError('InvalidArgument', `expected engine of ${ENGINES}, got ${engine}`);
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

function checkOptionTypes(options: PlaneOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(OPTION_TYPES, name)) {
      const known = Object.keys(OPTION_TYPES).join(', ');
      throw new PlaneError('InvalidArgument', `there is no option ${name}: expected ${known}`);
    }
    const expected = OPTION_TYPES[name as keyof PlaneOptions];
    if (expected === null || value === undefined) continue;
    if (expected === 'object') checkObject(name, value);
    else if (typeof value !== expected) throw wrongType(name, expected, value);
  }
  for (const name of PATHS) {
    const path = options[name];
    if (path !== undefined && (path === '' || path.includes('\0'))) {
      throw new PlaneError('InvalidArgument', `expected ${name} to be a path`);
    }
  }
}

/** @throws PlaneError InvalidArgument */
export function checkAttach(diskId: string, options: AttachOptions): void {
  checkText('a disk id', diskId);
  checkObject('the options', options);
  checkPerformance(options.performance);
}

/** @throws PlaneError InvalidArgument */
export function principalOf(caller: PlanePrincipal): Principal {
  checkObject('the principal', caller);
  const { accountId, userName, regionId } = caller;
  return {
    accountId: String(accountId),
    userName: userName ?? null,
    regionId: regionId ?? REGION_DEFAULT,
  };
}

/** For callers without a compiler. @throws PlaneError InvalidArgument */
export function checkObject(what: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw wrongType(what, 'object', value);
}

/** For callers without a compiler. @throws PlaneError InvalidArgument */
export function checkText(what: string, value: unknown): void {
  if (typeof value !== 'string') throw wrongType(what, 'string', value);
}

function wrongType(what: string, expected: string, value: unknown): PlaneError {
  const got = value === null ? 'null' : typeof value;
  return new PlaneError(
    'InvalidArgument',
    `expected ${what} to be of type ${expected}, got ${got}`,
  );
}

/** @throws PlaneError InvalidArgument */
function checkPerformance(performance: DiskPerformance | undefined): void {
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
