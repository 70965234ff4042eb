/**
 * A process that is tortured: a real plane, told what to do by lines on stdin (protocol.ts).
 *
 *   node victim.js <path of the library> [<bug to plant>]
 *
 * It says 'ready' when it has loaded the library, so that it can be started before it is needed. It
 * checks nothing: what it reads it writes to files, what is acknowledged it writes down.
 */
import { writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Disk, Plane } from '../../src/index.ts';
import { UNIT_BYTES } from './content.ts';
import { History } from './history.ts';
import { runLoad } from './load.ts';
import { plantIn } from './plants.ts';
import type { AnswerLine, CommandLine, CommandName, Commands } from './protocol.ts';

const [libraryPath, plantName] = process.argv.slice(2);
const library = (await import(libraryPath!)) as typeof import('../../src/index.ts');
const sabotagePath = join(dirname(libraryPath!), 'threads/sabotage.js');
const { SABOTAGE, Sabotage } = (await import(
  sabotagePath
)) as typeof import('../../src/threads/sabotage.ts');

const plant = plantIn(plantName ?? null);
const disks = new Map<number, Disk>();
let plane: Plane | null = null;
let history: History | null = null;
let isStopped = false;
const sabotage = new Sabotage({ lossesMax: Infinity });

type Call = (verb: string, parameters: Record<string, unknown>) => Promise<unknown>;

function call(verb: string, parameters: Record<string, unknown>): Promise<unknown> {
  return (plane!.call as unknown as Call).call(plane, verb, parameters);
}

type Run<Name extends CommandName> = (
  parameters: Commands[Name]['parameters'],
) => Promise<Commands[Name]['result']>;

const COMMANDS: { readonly [Name in CommandName]: Run<Name> } = {
  async open({ dataDir, shards, isSabotaged }) {
    const options = { dataDir, shards, ...(isSabotaged ? { [SABOTAGE]: sabotage } : {}) };
    plane = await library.openPlane(options);
    return null;
  },
  async lose({ shard, kind }) {
    await (shard === null ? sabotage.killKms(kind) : sabotage.killShard(shard, kind));
    return null;
  },
  async call({ verb, parameters, mark }) {
    if (mark !== undefined) history!.say(['<', mark]);
    const answered = await plant.call(verb, parameters, call);
    if (mark !== undefined) history!.say(['>', mark]);
    return answered as Record<string, unknown>;
  },
  async attach({ diskId, disk }) {
    disks.set(disk, plant.disk(await plane!.attach(diskId)));
    return null;
  },
  async detach({ disk }) {
    await disks.get(disk)!.close();
    disks.delete(disk);
    return null;
  },
  async dump({ disk, units, file }) {
    writeFileSync(file, await disks.get(disk)!.read(0, units * UNIT_BYTES));
    return null;
  },
  async load(options) {
    history = new History(options.file);
    isStopped = false;
    return { operations: await runLoad(options, disks, history, () => isStopped) };
  },
  async stop() {
    isStopped = true;
    return null;
  },
  async check() {
    return { problems: (await plane!.check()).problems };
  },
  async close() {
    await plane!.close();
    plane = null;
    disks.clear();
    return null;
  },
};

function answer(line: AnswerLine | 'ready'): void {
  // By a system call of its own: what is said here has been said, whatever happens next.
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function run({ id, name, parameters }: CommandLine): Promise<void> {
  try {
    const command = COMMANDS[name] as (of: unknown) => Promise<unknown>;
    answer({ id, result: await command(parameters) });
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    answer({ id, error: { code: String(code ?? 'none'), message: String(message ?? error) } });
  }
}

answer('ready');
// A victim whose checker is gone ends too.
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL'));
for await (const line of createInterface({ input: process.stdin })) void run(JSON.parse(line));
