/**
 * `npm run bench:nbd -- [--rounds N] [--seconds N] [--json] [rw:bs:depth ...]`: an encrypted disk
 * of ours over NBD beside the encrypted block servers people use: nbdkit with its luks filter, and
 * nbdkit without encryption. fio drives each in turn, workload by workload, round by round; ratios
 * of medians are printed, for absolute figures of a shared machine mean little. Without workloads
 * of your own also: four connections beside one, and what our server takes when it is idle.
 *
 * All of them hold 512 MiB of random bytes in memory (nbdkit a file on a tmpfs), so that no read is
 * answered from a hole. Needs fio, nbdkit and cryptsetup. Exit code 1 if a floor is missed.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { type Floor, isMet, renderFloors } from './floors/floor.ts';
import { median } from './reference.ts';

const run = promisify(execFile);
const SEALDISK = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const OURS = 'sealdisk';
const LUKS = 'nbdkit-luks';
const PLAIN = 'nbdkit-plain';
const FILLED = '512M';
const START_MS = 10_000;
const LOOK_MS = 50;
const IDLE_AFTER_MS = 100;
const IDLE_SECONDS = 10;

/** Least ratio to nbdkit with luks, by workload; 0: a figure without a floor. */
const FLOORS: Readonly<Record<string, number>> = {
  'randread:4k:32': 1.3,
  'randwrite:4k:32': 1.3,
  'randrw:4k:32': 1.3,
  'randread:4k:1': 1,
  'randwrite:4k:1': 1,
  'randread:4k:4': 0,
  'randwrite:4k:4': 0,
  'read:128k:8': 1.8,
  'write:128k:8': 1.7,
  'read:1m:4': 1.8,
  'write:1m:4': 1.7,
};

interface Server {
  readonly name: string;
  readonly uri: string;
  readonly process: ChildProcess;
}

function command(name: string, directory: string, socket: string): readonly string[] {
  if (name === OURS) {
    const disk = ['nbd', '--size', '1G', '--encrypted', '--memory', '--socket', socket, '--quiet'];
    return [process.execPath, SEALDISK, ...disk];
  }
  const nbdkit = ['nbdkit', '--foreground', '--unix', socket];
  if (name === PLAIN) return [...nbdkit, 'file', join(directory, 'plain.img')];
  const passphrase = `passphrase=+${join(directory, 'passphrase')}`;
  return [...nbdkit, '--filter=luks', 'file', join(directory, 'luks.img'), passphrase];
}

async function makeImages(directory: string): Promise<void> {
  const passphrase = join(directory, 'passphrase');
  writeFileSync(passphrase, 'no secret');
  for (const [name, mebibytes] of [
    ['plain', 640],
    ['luks', 644],
  ] as const) {
    const path = join(directory, `${name}.img`);
    writeFileSync(path, '');
    truncateSync(path, mebibytes * 2 ** 20);
  }
  const format = ['luksFormat', '--type', 'luks1', '--pbkdf-force-iterations', '1000'];
  const cipher = ['--cipher', 'aes-xts-plain64', '--key-size', '512', '--batch-mode'];
  await run('cryptsetup', [...format, ...cipher, join(directory, 'luks.img'), passphrase]);
}

async function start(name: string, directory: string): Promise<Server> {
  const socket = join(directory, `${name}.sock`);
  const [program, ...parameters] = command(name, directory, socket);
  const child = spawn(program as string, parameters, { stdio: ['ignore', 'ignore', 'inherit'] });
  const deadline = performance.now() + START_MS;
  while (!existsSync(socket)) {
    if (performance.now() > deadline) throw new Error(`${name} does not listen`);
    await sleep(LOOK_MS);
  }
  return { name, uri: `nbd+unix:///?socket=${socket}`, process: child };
}

/** Requests per second of one run of fio. */
async function fio({ uri }: Server, workload: string, more: readonly string[]): Promise<number> {
  const [rw, bs, depth] = workload.split(':');
  const target = ['--name=peers', '--ioengine=nbd', `--uri=${uri}`, `--size=${FILLED}`];
  const load = [`--rw=${rw}`, `--bs=${bs}`, `--iodepth=${depth}`, '--norandommap'];
  const report = ['--output-format=json', ...more];
  const { stdout } = await run('fio', [...target, ...load, ...report]);
  const { jobs } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
    jobs: { error: number; read: { iops: number }; write: { iops: number } }[];
  };
  const [job] = jobs;
  if (job === undefined || job.error !== 0) throw new Error(`fio: error ${job?.error} on ${uri}`);
  return job.read.iops + job.write.iops;
}

async function compare(
  servers: readonly Server[],
  workload: string,
  rounds: number,
  seconds: number,
): Promise<Floor> {
  const measured = new Map(servers.map(({ name }) => [name, [] as number[]]));
  const timed = ['--randrepeat=1', `--runtime=${seconds}`, '--time_based'];
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      measured.get(server.name)!.push(await fio(server, workload, timed));
    }
  }
  const of = (name: string): number => median(measured.get(name) as number[]);
  const ratio = of(OURS) / of(LUKS);
  const toPlain = (of(OURS) / of(PLAIN)).toFixed(2);
  return {
    name: `NBD ${workload.replaceAll(':', ' ')}`,
    measured: ratio,
    unit: `x ${LUKS}`,
    kind: 'least',
    bound: FLOORS[workload] ?? 1,
    note: `${of(OURS).toFixed(0)} IOPS, ${toPlain} x ${PLAIN}`,
  };
}

/** The same requests in flight over four connections to one export, to one connection. */
async function overFour(ours: Server, rounds: number, seconds: number): Promise<Floor> {
  const timed = ['--randrepeat=1', `--runtime=${seconds}`, '--time_based'];
  const one: number[] = [];
  const four: number[] = [];
  for (let round = 0; round < rounds; round++) {
    one.push(await fio(ours, 'randread:4k:32', timed));
    const jobs = ['--numjobs=4', '--group_reporting', '--thread'];
    four.push(await fio(ours, 'randread:4k:8', [...timed, ...jobs]));
  }
  return {
    name: 'NBD randread 4k, 4 connections of depth 8',
    measured: median(four) / median(one),
    unit: 'x 1 connection of depth 32',
    kind: 'least',
    bound: 1,
    note: `${median(four).toFixed(0)} and ${median(one).toFixed(0)} IOPS`,
  };
}

/** What a server takes of a processor when nobody asks for anything: whether polling has ended. */
async function idle(ours: Server, seconds: number): Promise<Floor> {
  await fio(ours, 'randread:4k:1', ['--runtime=1', '--time_based']);
  await sleep(IDLE_AFTER_MS);
  const before = processorSeconds(ours.process.pid!);
  await sleep(seconds * 1000);
  const taken = processorSeconds(ours.process.pid!) - before;
  return {
    name: 'NBD, a client that asks nothing',
    measured: (100 * taken) / seconds,
    unit: '% of one core',
    kind: 'most',
    bound: 2,
    note: `from ${IDLE_AFTER_MS} ms after depth 1, for ${seconds} s`,
  };
}

/** proc(5), /proc/pid/stat: utime and stime, in ticks of 10 ms. */
function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
    },
  });
  const workloads = positionals.length > 0 ? positionals : Object.keys(FLOORS);
  const tmpfs = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const directory = mkdtempSync(join(tmpfs, 'sealdisk-peers-'));
  const servers: Server[] = [];
  try {
    await makeImages(directory);
    for (const name of [OURS, LUKS, PLAIN]) servers.push(await start(name, directory));
    for (const server of servers) await fio(server, 'write:1m:4', ['--refill_buffers']);
    const floors: Floor[] = [];
    const tell = (floor: Floor): void => {
      floors.push(floor);
      if (!values.json) console.log(renderFloors([floor], floors.length === 1));
    };
    const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
    for (const workload of workloads) tell(await compare(servers, workload, rounds, seconds));
    if (positionals.length === 0) {
      tell(await overFour(servers[0]!, rounds, seconds));
      tell(await idle(servers[0]!, IDLE_SECONDS));
    }
    if (values.json) console.log(JSON.stringify(floors, null, 2));
    process.exitCode = floors.every(isMet) ? 0 : 1;
  } finally {
    for (const server of servers) server.process.kill('SIGINT');
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
