/**
 * `npm run bench:api -- [--seconds N] [--disks N]`: the cloud's API as the official ECS client
 * meets it. A server in a process of its own, its signatures verified; 16 calls in flight.
 *
 * The client is most of what is measured: its share of the processor is printed beside each rate.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import ecsModule, * as ecs from '@alicloud/ecs20140526';
import { $OpenApiUtil } from '@alicloud/openapi-core';
import { type Floor, isMet, renderFloors } from './floors/floor.ts';
import { median } from './reference.ts';

const CONCURRENCY = 16;
const PAGE = 100;
const regionId = 'cn-hangzhou';
const CREDENTIALS = { accessKeyId: 'bench', accessKeySecret: 'bench-secret' };
const PROGRAM = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
/** Ticks of /proc/<pid>/stat a second: what Linux says on every machine. */
const TICKS = 100;

/** CommonJS: Node gives the module as its default, the client is that one's. */
const EcsClass = ecsModule.default;
type EcsClient = InstanceType<typeof EcsClass>;

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
  const client = new EcsClass(
    new $OpenApiUtil.Config({
      ...CREDENTIALS,
      endpoint: `127.0.0.1:${port}`,
      protocol: 'http',
      regionId,
    }),
  );
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

/** Seconds of processor time of the server. */
function serverSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Calls a second, CONCURRENCY in flight, until a deadline or so many are made. */
async function rateOf(
  { pid }: Served,
  call: () => Promise<unknown>,
  until: { readonly seconds: number; readonly calls: number },
): Promise<{ readonly perSecond: number; readonly note: string }> {
  const [start, cpu, served] = [performance.now(), process.cpuUsage(), serverSeconds(pid)];
  const deadline = start + until.seconds * 1_000;
  let begun = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < deadline && begun < until.calls) {
      begun++;
      await call();
      done++;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  const { user, system } = process.cpuUsage(cpu);
  const client = (user + system) / 1e6;
  const server = serverSeconds(pid) - served;
  const perSecond = (done * 1_000) / (performance.now() - start);
  const share = (100 * client) / (client + server);
  const us = (seconds: number): string => `${((seconds * 1e6) / done).toFixed(0)} us`;
  const calls = `${us(client)} a call, server ${us(server)}`;
  const note = `client ${share.toFixed(0)} % of the time: ${calls}`;
  return { perSecond, note };
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
    const request = new ecs.DescribeDisksRequest({ regionId, pageNumber, pageSize: PAGE });
    const { body } = await client.describeDisks(request);
    times.push(performance.now() - start);
    if ((body?.disks?.disk?.length ?? 0) === 0) throw new Error(`page ${pageNumber} is empty`);
  }
  return times;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, disks: { type: 'string' } },
  });
  const seconds = Number(values.seconds ?? 5);
  const disks = Number(values.disks ?? 10_000);
  await using served = await serve();
  const { client } = served;
  const describe = new ecs.DescribeDisksRequest({ regionId });
  const create = new ecs.CreateDiskRequest({ regionId, size: 20, encrypted: true });
  const floors: Floor[] = [];
  floors.push(floor('start-up to the first answer', served.firstAnswerMs, 'ms', 1_000, ''));
  for (let index = 0; index < 10; index++) await client.createDisk(create);
  const endless = { seconds, calls: Number.POSITIVE_INFINITY };
  const described = await rateOf(served, () => client.describeDisks(describe), endless);
  floors.push(floor('DescribeDisks', described.perSecond, '/s', 2_000, described.note));
  const rest = { seconds: 600, calls: disks - 10 };
  const created = await rateOf(served, () => client.createDisk(create), rest);
  floors.push(floor('CreateDisk', created.perSecond, '/s', 500, created.note));
  await pages(served, Math.min(disks, 5 * PAGE));
  const times = await pages(served, disks);
  const [first, last] = [median(times.slice(0, 5)), median(times.slice(-5))];
  const note = `${first.toFixed(2)} and ${last.toFixed(2)} ms, medians of five pages of ${PAGE}`;
  floors.push(floor(`${disks} disks, the last pages to the first`, last / first, 'x', 2, note));
  console.log(renderFloors(floors, true));
  process.exitCode = floors.every(isMet) ? 0 : 1;
}

await main();
