/**
 * A file system that is full: a clean refusal, nothing lost, reads go on, and service resumes when
 * there is space again – because more was given, or because something was trimmed.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SECTOR_UNITS } from './content.ts';
import { Ground, pause } from './ground.ts';
import { type Round, violate } from './pass.ts';
import type { VictimProcess } from './victim-process.ts';

const FULL: ReadonlySet<string> = new Set(['NoSpace']);
/** The reserve of a shard is 4 MiB, metadata and keys are less than one. */
const MIB_SMALL = 10;
const MIB_LARGE = 64;
/** More than fits into what is left. */
const UNITS: number = 1_600 * SECTOR_UNITS;
const FILL_OPERATIONS = 4_000;
const TRIES = 500;
const OPERATIONS_A_TRY = 10;

function run(program: string, ...parameters: string[]): string | null {
  const { status, stderr, error } = spawnSync(program, parameters, { encoding: 'utf8' });
  if (status === 0) return null;
  return error === undefined ? stderr.trim() : error.message;
}

/** Why there can be no file system of a chosen size; null: there can. */
export function mountMissing(): string | null {
  if (process.getuid?.() !== 0) return 'only root may mount a file system of a chosen size';
  const refusal = run(
    'unshare',
    '--mount',
    'mount',
    '-t',
    'tmpfs',
    '-o',
    'size=1m',
    'none',
    '/mnt',
  );
  return refusal === null ? null : `mount is refused: ${refusal}`;
}

export async function fillUp(round: Round): Promise<void> {
  const mount = join(round.directory, 'mount');
  mkdirSync(mount);
  const refusal = run('mount', '-t', 'tmpfs', '-o', `size=${MIB_SMALL}m`, 'none', mount);
  if (refusal !== null) throw new Error(`cannot mount: ${refusal}`);
  try {
    await fillMount(round, mount);
  } finally {
    run('umount', '--lazy', mount);
  }
}

async function fillMount(round: Round, mount: string): Promise<void> {
  const disks = [{ Encrypted: true }, { Encrypted: false }];
  const ground = new Ground(round, { shards: 1, disks, units: UNITS }, join(mount, 'plane'));
  let victim = round.victim();
  await ground.open(victim);
  await ground.makeDisks(victim);
  await fill(ground, victim);
  round.figures.fault('file system full');
  // Half of them are killed and opened while it is full.
  if (round.prng.nextBelow(2) === 0) victim = await reopen(ground, victim);
  if (round.prng.nextBelow(2) === 0) {
    run('mount', '-o', `remount,size=${MIB_LARGE}m`, mount);
  } else {
    const trimmed = ground.load(victim, { operations: 400, mix: { t: 9, f: 1 }, unitsMax: 800 });
    await trimmed;
    await ground.verify(victim, ground.takeHistory(FULL));
  }
  await resume(ground, victim);
  victim = await reopen(ground, victim);
  await ground.check(victim);
  await victim.ask('close', {});
  await victim.kill();
}

async function fill(ground: Ground, victim: VictimProcess): Promise<void> {
  const mix = { w: 20, f: 1 };
  const options = { callers: 2, unitsMax: 16 * SECTOR_UNITS, mix, endsOnError: true };
  await ground.load(victim, { ...options, operations: FILL_OPERATIONS });
  const history = ground.takeHistory(FULL);
  if (!history.failed.has('NoSpace')) violate([`${FILL_OPERATIONS} writes fitted into nothing`]);
  await ground.verify(victim, history);
  await ground.check(victim);
}

/** There is space again: soon, and without being told, everything is taken. */
async function resume(ground: Ground, victim: VictimProcess): Promise<void> {
  const options = { callers: 1, burst: 1, unitsMax: SECTOR_UNITS, operations: OPERATIONS_A_TRY };
  let refused = 0;
  for (let tries = 0; ; tries++) {
    const firstVersion = ground.nextVersion + tries * OPERATIONS_A_TRY;
    await ground.load(victim, { ...options, firstVersion });
    const refusals = ground.peekLines().filter(([what]) => what === 'e').length;
    if (refusals === refused) break;
    refused = refusals;
    if (tries === TRIES) violate([`writes are refused ${TRIES} times after there was space`]);
    await pause(20);
  }
  await ground.verify(victim, ground.takeHistory(FULL));
}

async function reopen(ground: Ground, victim: VictimProcess): Promise<VictimProcess> {
  await victim.kill();
  ground.round.figures.kill('kill while full');
  const history = ground.takeHistory();
  const next = ground.round.victim();
  await ground.open(next);
  await ground.attachAll(next);
  await ground.verify(next, history);
  return next;
}
