/**
 * `npm run bench:api -- [--seconds N] [--disks N] [--clients N]`: the cloud's API as the official
 * ECS client meets it. A server in a process of its own, its signatures verified; 16 calls in
 * flight, of two client processes together.
 *
 * The clients are most of what is measured: their share of the processor is printed beside each
 * rate, and what one of them alone comes to.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as ecs from '@alicloud/ecs20140526';
import {
  type ClientJob,
  type ClientResult,
  CREDENTIALS,
  type EcsClient,
  ecsClient,
  REGION,
} from './api-client.ts';
import { type Floor, isMet, renderFloors } from './floors/floor.ts';
import { median } from './reference.ts';

const CONCURRENCY = 16;
const PAGE = 100;
/** Disks there are while DescribeDisks is measured: a page of the default size. */
const SHOWN = 10;
const WARM_UP_SECONDS = 2;
const PROGRAM = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const CLIENT = fileURLToPath(new URL('./api-client.js', import.meta.url));
/** Ticks of /proc/<pid>/stat a second: what Linux says on every machine. */
const TICKS = 100;

interface Served extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly client: EcsClient;
  /** Milliseconds from spawning the process to the first answer of a call. */
  readonly firstAnswerMs: number;
}

async function serve(): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), 'sealdisk-api-'));
  const keys = join(directory, 'keys.json');
  writeFileSync(keys, JSON.stringify([CREDENTIALS]));
  const start = performance.now();
  const flags = ['serve', '--memory', '--port', '0', '--auth', 'strict', '--access-keys', keys];
  const server = spawn(process.execPath, [PROGRAM, ...flags], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    server.stdout.once('data', (bytes) => resolve(String(bytes).trim()));
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  const port = Number(new URL(url).port);
  const client = ecsClient(port);
  await client.describeRegions(new ecs.DescribeRegionsRequest({}));
  const firstAnswerMs = performance.now() - start;
  const close = async (): Promise<void> => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  const pid = server.pid as number;
  return { port, pid, client, firstAnswerMs, [Symbol.asyncDispose]: close };
}

/** Seconds of processor time of the server, of all its threads. */
function serverSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Has one client process do its part. */
function ask(client: ChildProcess, job: ClientJob): Promise<ClientResult> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null): void => reject(new Error(`a client ended with ${code}`));
    client.once('exit', gone);
    client.once('message', (result) => {
      client.off('exit', gone);
      resolve(result as ClientResult);
    });
    client.send(job);
  });
}

type Asked = Pick<ClientJob, 'kind'> & Partial<ClientJob>;

/** Calls a second of some client processes, CONCURRENCY in flight of all of them together. */
async function rateOf(
  { pid }: Served,
  clients: readonly ChildProcess[],
  { kind, seconds = 600, calls = Number.MAX_SAFE_INTEGER }: Asked,
): Promise<{ readonly perSecond: number; readonly note: string }> {
  const [start, served] = [performance.now(), serverSeconds(pid)];
  const lanes = CONCURRENCY / clients.length;
  const part = { kind, lanes, seconds, calls: Math.ceil(calls / clients.length) };
  const results = await Promise.all(clients.map((client) => ask(client, part)));
  const perSecondOf = (count: number): number => (count * 1_000) / (performance.now() - start);
  const done = results.reduce((sum, result) => sum + result.calls, 0);
  const client = results.reduce((sum, result) => sum + result.cpuSeconds, 0);
  const server = serverSeconds(pid) - served;
  const share = (100 * client) / (client + server);
  const us = (seconds: number): string => `${((seconds * 1e6) / done).toFixed(0)} us`;
  const note = `clients ${share.toFixed(0)} % of the time: ${us(client)} a call, server ${us(server)}`;
  return { perSecond: perSecondOf(done), note };
}

function floor(name: string, measured: number, unit: string, bound: number, note: string): Floor {
  const kind = unit === '/s' ? 'least' : 'most';
  return { name, measured, unit, kind, bound, note };
}

/** Milliseconds of each page, all of them read in order. */
async function pages({ client }: Served, disks: number): Promise<number[]> {
  const times: number[] = [];
  for (let pageNumber = 1; pageNumber <= Math.ceil(disks / PAGE); pageNumber++) {
    const start = performance.now();
    const request = new ecs.DescribeDisksRequest({ regionId: REGION, pageNumber, pageSize: PAGE });
    const { body } = await client.describeDisks(request);
    times.push(performance.now() - start);
    if ((body?.disks?.disk?.length ?? 0) === 0) throw new Error(`page ${pageNumber} is empty`);
  }
  return times;
}

async function measure(served: Served, seconds: number, disks: number, processes: number) {
  const port = String(served.port);
  const clients = Array.from({ length: processes }, () => fork(CLIENT, ['client', port]));
  const floors: Floor[] = [];
  floors.push(floor('start-up to the first answer', served.firstAnswerMs, 'ms', 1_000, ''));
  try {
    await rateOf(served, clients.slice(0, 1), { kind: 'create', calls: SHOWN });
    await rateOf(served, clients, { kind: 'describe', seconds: WARM_UP_SECONDS });
    const described = await rateOf(served, clients, { kind: 'describe', seconds });
    const shown = `${SHOWN} disks a page; ${described.note}`;
    floors.push(floor('DescribeDisks', described.perSecond, '/s', 2_000, shown));
    const alone = await rateOf(served, clients.slice(0, 1), { kind: 'describe', seconds });
    const mixed = await rateOf(served, clients, { kind: 'mixed', seconds });
    const created = await rateOf(served, clients, { kind: 'create', calls: disks - SHOWN });
    floors.push(floor('CreateDisk', created.perSecond, '/s', 500, created.note));
    console.log(`DescribeDisks of one client process: ${alone.perSecond.toFixed(0)} /s`);
    console.log(
      `a sixteenth of the calls a change: ${mixed.perSecond.toFixed(0)} /s, ${mixed.note}`,
    );
  } finally {
    for (const client of clients) client.kill();
  }
  await pages(served, Math.min(disks, 5 * PAGE));
  const times = await pages(served, disks);
  const [first, last] = [median(times.slice(0, 5)), median(times.slice(-5))];
  const note = `${first.toFixed(2)} and ${last.toFixed(2)} ms, medians of five pages of ${PAGE}`;
  floors.push(floor(`${disks} disks, the last pages to the first`, last / first, 'x', 2, note));
  return floors;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      disks: { type: 'string' },
      clients: { type: 'string' },
    },
  });
  const processes = Number(values.clients ?? 2);
  if (!(CONCURRENCY % processes === 0)) throw new Error(`--clients: a part of ${CONCURRENCY}`);
  await using served = await serve();
  const [seconds, disks] = [Number(values.seconds ?? 5), Number(values.disks ?? 10_000)];
  const floors = await measure(served, seconds, disks, processes);
  console.log(renderFloors(floors, true));
  process.exitCode = floors.every(isMet) ? 0 : 1;
}

await main();
