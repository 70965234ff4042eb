/**
 * `npm run bench:cross -- [--rounds N] [--ramp N] [--seconds N | --requests N] [--server NAME]
 * [--json] [rw:bs:depth[:rate_iops] ...]`: the load generator beside fio. The same job, in words
 * of fio, is run by both on the same NBD export in memory, in turns whose order flips; then on no
 * target at all (fio's null engine, our null target).
 *
 * Both run for `--ramp` seconds before anything counts (fio's ramp_time): a program of JavaScript
 * is compiled while it runs.
 *
 * For each figure the median of the turns, and the ratio of the two with its 95 % interval over
 * pairs of turns (src/load/paired-overhead.ts; the first pair is warm-up). They agree where they
 * are the same within 2 %, and differ where they are farther apart (agreement.ts). CPU time per
 * request is what the generators cost: user and system time, as both report it (getrusage: of fio's
 * job thread; of our whole process, start-up not counted: its share of a core over ramp and run).
 *
 * Needs fio, and nbdkit for a second server. Exit code 1 if a run failed or moved other bytes.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { overheadOf } from '../src/load/paired-overhead.ts';
import { agreementOf, type PairedRatio } from './agreement.ts';
import { median } from './reference.ts';

const run = promisify(execFile);
const SEALDISK = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const DISK_SIZE = '1G';
const LOADED_SIZE = '256m';
const START_MS = 10_000;
const LOOK_MS = 50;
const MAX_OUTPUT_BYTES = 2 ** 24;
const WORKLOADS = ['randread:4k:1', 'randread:4k:32', 'randrw:4k:8:4000', 'write:128k:4'];

/** What makes the load. */
type Generator = 'fio' | 'sealdisk';

/** What one turn of a generator came to. */
interface Turn {
  readonly iops: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Of the generator, a request. */
  readonly cpuUs: number;
  readonly bytes: number;
}

/** A figure of both generators. */
interface Row {
  readonly server: string;
  readonly workload: string;
  readonly figure: string;
  readonly fio: number;
  readonly sealdisk: number;
  /** Ours over fio's; null: too few turns for an interval. */
  readonly ratio: PairedRatio | null;
  /** Bytes each generator moved in each turn; they differ where turns end by time. */
  readonly bytes: Readonly<Record<Generator, readonly number[]>>;
}

interface Server {
  readonly name: string;
  /** null: there is no server, the generators do nothing. */
  readonly uri: string | null;
  readonly process: ChildProcess | null;
}

interface FioDirection {
  readonly iops: number;
  /** What counts, milliseconds. */
  readonly runtime: number;
  readonly io_bytes: number;
  readonly total_ios: number;
  readonly clat_ns: { readonly percentile?: Readonly<Record<string, number>> };
}

interface FioJob {
  readonly error: number;
  readonly read: FioDirection;
  readonly write: FioDirection;
  readonly usr_cpu: number;
  readonly sys_cpu: number;
}

function serverCommand(name: string, socket: string): readonly string[] {
  if (name === 'nbdkit') return ['nbdkit', '--foreground', '--unix', socket, 'memory', DISK_SIZE];
  const words = ['nbd', '--size', DISK_SIZE, '--encrypted', '--memory', '--socket', socket];
  return [process.execPath, SEALDISK, ...words, '--quiet'];
}

async function start(name: string, directory: string): Promise<Server> {
  if (name === 'null') return { name, uri: null, process: null };
  const socket = join(directory, `${name}.sock`);
  const [program, ...words] = serverCommand(name, socket);
  const child = spawn(program!, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  const deadline = performance.now() + START_MS;
  while (!existsSync(socket)) {
    if (performance.now() > deadline) throw new Error(`${name} does not listen`);
    await sleep(LOOK_MS);
  }
  return { name, uri: `nbd+unix:///?socket=${socket}`, process: child };
}

/** The options of a job, the same words for both. */
function jobOptions(workload: string, ending: readonly string[]): string[] {
  const [rw, bs, depth, rate] = workload.split(':');
  const options = ['--name=cross', `--rw=${rw}`, `--bs=${bs}`, `--iodepth=${depth}`];
  if (rate !== undefined) options.push(`--rate_iops=${rate}`);
  return [...options, `--size=${LOADED_SIZE}`, '--norandommap', ...ending];
}

function commandOf(generator: Generator, { uri }: Server, job: readonly string[]): string[] {
  if (generator === 'sealdisk') {
    const target = ['--target', uri ?? 'null', '--json', '--quiet'];
    return [process.execPath, SEALDISK, 'load', ...target, ...job];
  }
  const engine = uri === null ? ['--ioengine=null'] : ['--ioengine=nbd', `--uri=${uri}`];
  return ['fio', ...engine, ...job, '--output-format=json'];
}

async function turn(generator: Generator, server: Server, job: readonly string[]): Promise<Turn> {
  const [program, ...words] = commandOf(generator, server, job);
  const { stdout } = await run(program!, words, { maxBuffer: MAX_OUTPUT_BYTES });
  const document = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { jobs: readonly FioJob[] };
  const [done] = document.jobs;
  if (done === undefined || done.error !== 0) throw new Error(`${generator} failed: ${stdout}`);
  const { read, write, usr_cpu, sys_cpu } = done;
  const requests = read.total_ios + write.total_ios;
  // Not job_runtime: ours has the ramp in it, of which no request counts.
  const measuredMs = Math.max(read.runtime, write.runtime);
  // Of mixed loads the reads' latencies.
  const { percentile = {} } = (read.total_ios > 0 ? read : write).clat_ns;
  return {
    iops: read.iops + write.iops,
    p50Us: percentile['50.000000']! / 1e3,
    p99Us: percentile['99.000000']! / 1e3,
    cpuUs: (((usr_cpu + sys_cpu) / 100) * measuredMs * 1e3) / requests,
    bytes: read.io_bytes + write.io_bytes,
  };
}

const FIGURES = [
  ['IOPS', 'iops'],
  ['p50, us', 'p50Us'],
  ['p99, us', 'p99Us'],
  ['CPU a request, us', 'cpuUs'],
] as const;

async function compare(
  server: Server,
  workload: string,
  rounds: number,
  ending: readonly string[],
): Promise<Row[]> {
  const job = jobOptions(workload, ending);
  const turns: Record<Generator, Turn[]> = { fio: [], sealdisk: [] };
  for (let round = 0; round < rounds; round++) {
    const order = ['fio', 'sealdisk'] as const;
    for (const generator of round % 2 === 0 ? order : order.toReversed()) {
      turns[generator].push(await turn(generator, server, job));
    }
  }
  return FIGURES.map(([figure, key]) => {
    const of = (generator: Generator): number[] => turns[generator].map((each) => each[key]);
    const lost = overheadOf(of('sealdisk'), of('fio'));
    const kept = (percent: number): number => 1 - percent / 100;
    return {
      server: server.name,
      workload: workload.replaceAll(':', ' '),
      figure,
      fio: median(of('fio')),
      sealdisk: median(of('sealdisk')),
      ratio:
        lost === null
          ? null
          : {
              mean: kept(lost.percent),
              low: kept(lost.high),
              high: kept(lost.low),
              pairs: lost.pairs,
            },
      bytes: {
        fio: turns.fio.map(({ bytes }) => bytes),
        sealdisk: turns.sealdisk.map(({ bytes }) => bytes),
      },
    };
  });
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function renderHead(): string {
  const head = ['server', 'load', 'figure', 'fio', 'sealdisk load', 'ratio, 95 % interval', ''];
  return [line(head), line(head.map(() => '---'))].join('\n');
}

function renderRow({ server, workload, figure, fio, sealdisk, ratio }: Row): string {
  const number = (value: number): string => value.toFixed(value < 100 ? 2 : 0);
  const [mean, low, high] = ratio === null ? [] : [ratio.mean, ratio.low, ratio.high];
  const interval =
    ratio === null ? '-' : `${[mean, low, high].map((x) => x!.toFixed(2)).join(' ')}`;
  const words = interval.replace(/^(\S+) (\S+) (\S+)$/, '$1 ($2-$3)');
  const cells = [server, workload, figure, number(fio), number(sealdisk), words];
  return line([...cells, ratio === null ? '' : agreementOf(ratio)]);
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '9' },
      ramp: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '1' },
      requests: { type: 'string' },
      server: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
    },
  });
  const ms = (seconds: string): string => `${Math.round(Number(seconds) * 1e3)}ms`;
  const timed = ['--time_based', `--runtime=${ms(values.seconds)}`];
  if (Number(values.ramp) > 0) timed.push(`--ramp_time=${ms(values.ramp)}`);
  const ending = values.requests === undefined ? timed : [`--number_ios=${values.requests}`];
  const workloads = positionals.length > 0 ? positionals : WORKLOADS;
  const known = ['sealdisk', ...(isInstalled('nbdkit') ? ['nbdkit'] : []), 'null'];
  const directory = mkdtempSync(join(tmpdir(), 'sealdisk-cross-'));
  const rows: Row[] = [];
  if (!values.json) console.log(renderHead());
  try {
    for (const name of values.server ?? known) {
      const server = await start(name, directory);
      try {
        if (server.uri !== null) await turn('fio', server, jobOptions('write:1m:4', []));
        for (const workload of workloads) {
          const compared = await compare(server, workload, Number(values.rounds), ending);
          rows.push(...compared);
          if (!values.json) console.log(compared.map(renderRow).join('\n'));
        }
      } finally {
        server.process?.kill('SIGTERM');
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  if (values.json) console.log(JSON.stringify(rows, null, 2));
}

await main();
