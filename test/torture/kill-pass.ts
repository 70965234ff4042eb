/**
 * Kill -9 at a random moment under load, again and again on one data directory.
 *
 * After each kill every sector holds what was last acknowledged, or something asked for later; no
 * mixture, nothing of another sector or disk; and the plane's own check finds nothing.
 */
import { SECTOR_UNITS } from './content.ts';
import { Ground, pause } from './ground.ts';
import type { Round } from './pass.ts';
import type { Mix } from './protocol.ts';
import { VictimEnded, type VictimProcess } from './victim-process.ts';

/** Kills of one data directory. */
const CYCLES = 20;
/**
 * A kill comes when a load has written down so much, most often far less, or a second has passed;
 * then a bit later.
 */
const HISTORY_BYTES_MAX = 40_000;
const LATER_MS_MAX = 20;
/** Of what the last opening took. */
const OPENING_PART_MAX = 1.1;
/** One in so many ends before the load begins: in the recovery of the kill before. */
const EARLY_ONE_IN = 4;

const MIXES: readonly Mix[] = [
  { w: 12, W: 2, t: 2, z: 1, f: 2, r: 1 },
  { w: 20, f: 1 },
  { W: 4, t: 3, z: 1 },
  { w: 5, t: 5, f: 3, r: 2 },
];

export async function killUnderLoad(round: Round): Promise<void> {
  const { prng } = round;
  const ground = new Ground(round, {
    shards: 1 + prng.nextBelow(2),
    disks: [{ Encrypted: true }, { Encrypted: false }, { Encrypted: true }],
    units: SECTOR_UNITS * (8 + prng.nextBelow(120)),
  });
  let victim = round.victim();
  await ground.open(victim);
  await ground.makeDisks(victim);
  for (let cycle = 0; ; cycle++) {
    await loadAndKill(ground, victim);
    const history = ground.takeHistory();
    victim = await reopen(ground);
    await ground.attachAll(victim);
    await ground.verify(victim, history);
    await ground.check(victim);
    if (cycle >= CYCLES || round.isOver()) break;
  }
  await victim.ask('close', {});
  await victim.kill();
}

async function loadAndKill(ground: Ground, victim: VictimProcess): Promise<void> {
  const { prng, figures } = ground.round;
  const loaded = ground.load(victim, {
    callers: 1 + prng.nextBelow(3),
    burst: 1 + prng.nextBelow(8),
    mix: MIXES[prng.nextBelow(MIXES.length)]!,
    unitsMax: SECTOR_UNITS * (1 + prng.nextBelow(8)),
    isAligned: prng.nextBelow(3) === 0,
  });
  await ground.untilWritten(prng.nextFloat() ** 2 * HISTORY_BYTES_MAX);
  await killAfter(victim, prng.nextFloat() * LATER_MS_MAX, loaded);
  figures.kill();
}

/** A victim on the data directory. Now and then one is killed while it opens it. */
async function reopen(ground: Ground): Promise<VictimProcess> {
  const { prng, figures } = ground.round;
  while (prng.nextBelow(EARLY_ONE_IN) === 0) {
    const victim = ground.round.victim();
    await victim.ready;
    const partMs = prng.nextFloat() * OPENING_PART_MAX * ground.openingMs;
    await killAfter(victim, partMs, ground.open(victim));
    figures.kill('kill while opening');
  }
  const victim = ground.round.victim();
  await ground.open(victim);
  return victim;
}

/** @param doing what it does; that it is cut off is no error */
export async function killAfter(
  victim: VictimProcess,
  milliseconds: number,
  doing: Promise<unknown>,
): Promise<void> {
  const outcome = doing.then(
    () => null,
    (error: unknown) => error,
  );
  await pause(milliseconds);
  await victim.kill();
  const error = await outcome;
  if (error !== null && !(error instanceof VictimEnded)) throw error;
}
