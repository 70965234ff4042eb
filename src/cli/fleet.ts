/**
 * `sealdisk fleet`: a fleet of disks in virtual time, of a YAML file or of options.
 *
 * Standard output depends on the input alone: two runs from one seed print the same bytes, on any
 * number of threads. How long it took is on standard error. Exit codes: 0 simulated, 2 the input
 * makes no sense, 130 interrupted: nothing is printed then.
 */
import { writeFileSync } from 'node:fs';
import { systemClock } from '../base/clock.ts';
import type { FleetInput, FleetSimulation, simulateFleet } from '../index.ts';
import { FLEET_THREADS_MAX } from '../limits.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import { readFleetFile } from './fleet-file.ts';
import { fleetTable, perDiskCsv, seriesCsv } from './fleet-table.ts';
import { packageVersion } from './package-files.ts';
import type { Terminal } from './terminal.ts';

export interface FleetFlags {
  readonly disks?: string;
  readonly duration?: string;
  readonly iopsPerDisk?: string;
  readonly seed?: string;
  readonly threads?: string;
  readonly category?: string;
  readonly performanceLevel?: string;
  readonly diskSize?: string;
  readonly provisionedIops?: string;
  readonly bursting?: boolean;
  readonly instanceType?: string;
  readonly instanceDisks?: string;
  readonly encrypt?: string;
  readonly key?: string;
  readonly attachesPerDay?: string;
  readonly snapshotsPerDay?: string;
  readonly prices?: string;
  readonly encryptionCost?: string;
  readonly zipf?: string;
  readonly arrivals?: string;
  readonly onShare?: string;
  readonly onDuration?: string;
  readonly tail?: string;
  readonly diurnal?: string;
  readonly queueDepth?: string;
  readonly readPercent?: string;
  readonly blockSizes?: string;
  readonly step?: string;
  readonly json?: boolean;
  readonly series?: string;
  readonly perDisk?: string;
}

/** The library's part in it. */
export interface FleetLibrary {
  readonly simulateFleet: typeof simulateFleet;
  /** Nanoseconds that encrypting a byte takes on this machine. */
  readonly measureEncryption: () => Promise<number>;
}

const SCHEMA_ID = 'sealdisk-fleet/1';
const DISKS_DEFAULT = '1000';
const OPTIONS_OF_DISKS = [
  'disks',
  'category',
  'performanceLevel',
  'diskSize',
  'provisionedIops',
  'bursting',
  'instanceType',
  'instanceDisks',
  'encrypt',
  'key',
] as const;
/** Where no line can be rewritten, one is written so often: of the whole. */
const PROGRESS_SHARE = 0.1;

/** Runs the command. @param fileName of a fleet; undefined: the options say what it is */
export async function runFleet(
  fileName: string | undefined,
  flags: FleetFlags,
  library: FleetLibrary,
  terminal: Terminal,
  onStart: (stop: () => void) => void,
): Promise<ExitCode> {
  const threads = threadsOf(flags);
  const input = fileName === undefined ? inputOf(flags) : fileInput(fileName, flags);
  if (flags.encryptionCost !== undefined) {
    input.encryption = { nanosecondsPerByte: await encryptionCost(flags, library, terminal) };
  }
  const stopping = new AbortController();
  onStart(() => stopping.abort());
  const progress = startProgress(terminal);
  let simulation: FleetSimulation;
  try {
    simulation = await library.simulateFleet(input as unknown as FleetInput, {
      name: fileName ?? 'options',
      signal: stopping.signal,
      onProgress: progress.show,
      ...(threads === null ? {} : { threads }),
    });
  } catch (error) {
    if (stopping.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    progress.end();
  }
  const { report } = simulation;
  terminal.say(progress.summary(report.fleet.requests));
  if (flags.series !== undefined) writeText(flags.series, seriesCsv(simulation));
  if (flags.perDisk !== undefined) writeText(flags.perDisk, perDiskCsv(simulation));
  terminal.print(
    flags.json === true
      ? `${JSON.stringify({ schema: SCHEMA_ID, version: packageVersion(), ...report }, null, 2)}\n`
      : fleetTable(report),
  );
  return EXIT.ok;
}

type Input = Record<string, unknown>;

/** Options of the load, which a file may have as well: they win over it. */
function loadOf(flags: FleetFlags): Input {
  return defined({
    iopsPerDisk: numberOf('iops-per-disk', flags.iopsPerDisk),
    zipf: numberOf('zipf', flags.zipf),
    arrivals: flags.arrivals,
    onShare: numberOf('on-share', flags.onShare),
    onDuration: flags.onDuration,
    tail: numberOf('tail', flags.tail),
    diurnal: numberOf('diurnal', flags.diurnal),
    queueDepth: numberOf('queue-depth', flags.queueDepth),
    readPercent: numberOf('read-percent', flags.readPercent),
    blockSizes: blockSizesOf(flags.blockSizes),
  });
}

function inputOf(flags: FleetFlags): Input {
  const { encrypt } = flags;
  if (encrypt !== undefined && encrypt !== 'on' && encrypt !== 'off') {
    throw new UsageError(`--encrypt: expected on or off, got '${encrypt}'`);
  }
  return defined({
    seed: numberOf('seed', flags.seed),
    duration: flags.duration,
    step: flags.step,
    load: loadOf(flags),
    operations: operationsOf(flags),
    prices: pricesOf(flags.prices),
    disks: [
      defined({
        count: numberOf('disks', flags.disks ?? DISKS_DEFAULT),
        category: flags.category,
        performanceLevel: flags.performanceLevel,
        size: flags.diskSize,
        provisionedIops: numberOf('provisioned-iops', flags.provisionedIops),
        bursting: flags.bursting,
        encrypted: encrypt === undefined ? undefined : encrypt === 'on',
        key: flags.key,
        instance: instanceOf(flags),
      }),
    ],
  });
}

function fileInput(fileName: string, flags: FleetFlags): Input {
  const [said] = OPTIONS_OF_DISKS.filter((name) => flags[name] !== undefined);
  if (said !== undefined) throw new UsageError(`${said}: the file says which disks there are`);
  const file = readFleetFile(fileName);
  const load = { ...(file.load as Input | undefined), ...loadOf(flags) };
  const { duration, step } = flags;
  const seed = numberOf('seed', flags.seed);
  const operations = { ...(file.operations as Input | undefined), ...operationsOf(flags) };
  const prices = { ...(file.prices as Input | undefined), ...pricesOf(flags.prices) };
  return { ...file, load, operations, prices, ...defined({ seed, duration, step }) };
}

function instanceOf({ instanceType, instanceDisks }: FleetFlags): Input | undefined {
  if (instanceType === undefined && instanceDisks === undefined) return undefined;
  return defined({ type: instanceType, disks: numberOf('instance-disks', instanceDisks ?? '1') });
}

function operationsOf({ attachesPerDay, snapshotsPerDay }: FleetFlags): Input {
  return defined({
    attachesPerDay: numberOf('attaches-per-day', attachesPerDay),
    snapshotsPerDay: numberOf('snapshots-per-day', snapshotsPerDay),
  });
}

/** gibibyteMonth:0.15,keyDay:0.5 */
function pricesOf(text: string | undefined): Input {
  const pairs = text?.split(',').map((part) => part.split(':')) ?? [];
  return Object.fromEntries(
    pairs.map(([name = '', price]) => [name, numberOf(`prices ${name}`, price ?? '')]),
  );
}

/** Without what was not said. */
function defined(values: Input): Input {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new UsageError(`--${name}: expected a number, got '${text}'`);
  return value;
}

/** 4k:60,64k:40 */
function blockSizesOf(text: string | undefined): Input[] | undefined {
  return text?.split(',').map((part) => {
    const [size = '', percent] = part.split(':');
    return { size, percent: numberOf('block-sizes', percent ?? '') };
  });
}

function threadsOf({ threads }: FleetFlags): number | null {
  if (threads === undefined) return null;
  const count = numberOf('threads', threads)!;
  if (!Number.isInteger(count) || count < 1 || count > FLEET_THREADS_MAX) {
    throw new UsageError(`--threads: expected 1 to ${FLEET_THREADS_MAX}, got '${threads}'`);
  }
  return count;
}

/** Nanoseconds a byte. */
async function encryptionCost(
  { encryptionCost: said }: FleetFlags,
  { measureEncryption }: FleetLibrary,
  terminal: Terminal,
): Promise<number> {
  if (said !== 'measure') return numberOf('encryption-cost', said)!;
  const nanoseconds = await measureEncryption();
  terminal.say(`encryption takes ${nanoseconds} ns a byte on this machine`);
  return nanoseconds;
}

interface Progress {
  show(share: number, requests: number): void;
  end(): void;
  summary(requests: number): string;
}

function startProgress({ status, say }: Terminal): Progress {
  const beganAtMs = systemClock.monotonic();
  let next = PROGRESS_SHARE;
  return {
    show: (share, requests) => {
      const percent = `${(share * 100).toFixed(0).padStart(3)} %`;
      const text = `${percent}  ${(requests / 1e6).toFixed(1)} million requests`;
      if (status.isTTY === true) {
        status.write(`\r\x1b[K${text}`);
      } else if (share >= next) {
        say(text);
        next = Math.floor(share / PROGRESS_SHARE + 1) * PROGRESS_SHARE;
      }
    },
    end: () => {
      if (status.isTTY === true) status.write('\r\x1b[K');
    },
    summary: (requests) => {
      const seconds = (systemClock.monotonic() - beganAtMs) / 1e3;
      const each = requests === 0 ? 0 : (seconds * 1e9) / requests;
      return `${requests} requests in ${seconds.toFixed(1)} s: ${each.toFixed(0)} ns each`;
    },
  };
}

function writeText(fileName: string, text: string): void {
  try {
    writeFileSync(fileName, text);
  } catch (error) {
    throw new UsageError(`cannot write ${fileName}: ${(error as Error).message}`);
  }
}
