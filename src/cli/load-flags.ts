/**
 * The options of `sealdisk load` that are its own and not a job's: what they are, and which of them
 * go together.
 */
import { UsageError } from './exit-codes.ts';
import { type DiskFlags, diskKindOf, performanceOf } from './load-disks.ts';
import { isNbdUri } from './load-nbd.ts';
import { FILE_PREFIX, TARGET_NAMES } from './load-targets.ts';

/** fio's, and ours. */
const OUTPUT_FORMATS = ['table', 'normal', 'json', 'json+', 'terse'] as const;
const ENGINES = ['auto', 'openssl-ffi', 'node-crypto', 'noble-reference'] as const;

/** The command's own options, as typed. */
export interface LoadFlags extends DiskFlags {
  readonly trace?: string;
  readonly deviceSizes?: string;
  readonly target?: string;
  readonly encrypt?: string;
  readonly overwrite?: boolean;
  readonly dataDir?: string;
  readonly memory?: boolean;
  readonly shards?: string;
  readonly workers?: string;
  readonly engine?: string;
  readonly verify?: boolean;
  readonly depth?: string;
  readonly speed?: string;
  readonly json?: boolean;
  readonly outputFormat?: string;
  readonly jsonSchema?: boolean;
  readonly html?: string;
  readonly live?: boolean;
  readonly inTurns?: string;
}

/** @throws UsageError they make no sense, by themselves or together */
export function checkFlags(flags: LoadFlags, jobFiles: readonly string[]): void {
  const { target, encrypt, shards, depth, engine } = flags;
  if (jobFiles.length > 1) throw new UsageError(`expected one job file, got ${jobFiles.join(' ')}`);
  if (flags.trace !== undefined && jobFiles.length > 0) {
    throw new UsageError('expected a job file or --trace, got both');
  }
  const isFile = target?.startsWith(FILE_PREFIX) === true && target !== FILE_PREFIX;
  const isElsewhere = isFile || isNbdUri(target ?? '');
  if (!isElsewhere) checkChoice('target', target, [...TARGET_NAMES, 'file:PATH']);
  checkChoice('encrypt', encrypt, ['on', 'off', 'both']);
  if (encrypt === 'both' && (flags.trace ?? flags.target) !== undefined) {
    throw new UsageError('--encrypt both is for jobs on disks of the library');
  }
  checkChoice('engine', engine, ENGINES);
  performanceOf(flags.performance);
  diskKindOf(flags);
  checkChoice('output-format', flags.outputFormat, OUTPUT_FORMATS);
  if (flags.workers !== undefined && (flags.trace !== undefined || encrypt === 'both')) {
    throw new UsageError('--workers is for jobs, not for traces or --encrypt both');
  }
  const counts = { shards, depth, workers: flags.workers, 'in-turns': flags.inTurns };
  for (const [name, value] of Object.entries(counts)) {
    if (value !== undefined && !/^[1-9]\d{0,5}$/.test(value)) {
      throw new UsageError(`--${name}: expected a whole number above 0, got '${value}'`);
    }
  }
  checkInTurns(flags);
  if (flags.dataDir !== undefined && flags.memory === true) {
    throw new UsageError('expected --data-dir or --memory, got both');
  }
  speedOf(flags);
}

/** Turns are of jobs, by this thread, and their report is their own. */
function checkInTurns({ inTurns, trace, workers, html, encrypt }: LoadFlags): void {
  if (inTurns === undefined) return;
  if ((trace ?? workers ?? html) !== undefined || encrypt === 'both') {
    const others = '--trace, --workers, --html or --encrypt both';
    throw new UsageError(`--in-turns is for jobs on this thread, without ${others}`);
  }
}

function checkChoice(name: string, value: string | undefined, known: readonly string[]): void {
  if (value !== undefined && !known.includes(value)) {
    throw new UsageError(`--${name}: expected one of ${known.join(', ')}, got '${value}'`);
  }
}

/** 0 is as fast as possible. */
export function speedOf({ speed }: LoadFlags): number {
  if (speed === undefined || speed === 'max') return 0;
  const factor = /^\d+(\.\d+)?$/.test(speed) ? Number(speed) : 0;
  if (factor === 0)
    throw new UsageError(`--speed: expected max or a factor above 0, got '${speed}'`);
  return factor;
}
