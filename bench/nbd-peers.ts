/**
 * `npm run bench:nbd -- [--rounds N] [--seconds N] [--json] [rw:bs:depth ...]`: an encrypted disk
 * of ours over NBD beside the encrypted block servers people use: nbdkit with its luks filter, and
 * nbdkit without encryption. fio drives each in turn, workload by workload, round by round; ratios
 * of medians are printed, for absolute figures of a shared machine mean little.
 *
 * All of them hold 512 MiB of random bytes in memory (nbdkit a file on a tmpfs), so that no read is
 * answered from a hole. Needs fio, nbdkit and cryptsetup. Exit code 1 if a floor is missed.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
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

/** Least ratio to nbdkit with luks, by workload. */
const FLOORS: Readonly<Record<string, number>> = {
  'randread:4k:32': 1.3,
  'randwrite:4k:32': 1.3,
  'randrw:4k:32': 1.3,
  'randread:4k:1': 1,
  'randwrite:4k:1': 1,
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
    for (const workload of workloads) {
      const floor = await compare(servers, workload, Number(values.rounds), Number(values.seconds));
      floors.push(floor);
      if (!values.json) console.log(renderFloors([floor], floors.length === 1));
    }
    if (values.json) console.log(JSON.stringify(floors, null, 2));
    process.exitCode = floors.every(isMet) ? 0 : 1;
  } finally {
    for (const server of servers) server.process.kill('SIGINT');
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
