/**
 * Threads of a running plane that are lost: shards and the KMS thread, killed, crashed, hung or out
 * of memory, while callers go on.
 *
 * Every request has one answer. One that was under way in a lost shard may fail, and is then done
 * or not; nothing acknowledged is lost; disks come back by themselves, without a new attach, and
 * what is acknowledged afterwards outlives a kill. The loss of the KMS thread is noticed by no
 * attached disk, unless its shard is lost too: then it needs its key again, and while nobody
 * answers for it, requests end with KmsUnavailable in bounded time (C8, C9).
 */
import { SECTOR_UNITS } from './content.ts';
import { Ground, pause } from './ground.ts';
import { killAfter } from './kill-pass.ts';
import { type Round, violate } from './pass.ts';
import type { HistoryLine } from './protocol.ts';
import { Refused, type VictimProcess } from './victim-process.ts';

const CYCLES = 3;
const LOSSES_MAX = 3;
const SHARDS = 2;
/** What a verb may say that a lost thread was at work on. */
const REFUSALS: ReadonlySet<string> = new Set(['ShardLost', 'KmsUnavailable']);
const DISKS = [{ Encrypted: true }, { Encrypted: false }, { Encrypted: true }];
/** Numbers of disks that need no key. */
const KEYLESS: ReadonlySet<number> = new Set(
  DISKS.flatMap(({ Encrypted }, index) => (Encrypted ? [] : [index + 1])),
);
const KINDS = ['terminate', 'throw', 'exit'] as const;
/** A hang is noticed ten seconds later: one loss in so many. */
const HANG_ONE_IN = 20;
const TRIES = 100;

/** Threads that were lost under one load. */
export interface Losses {
  shard: boolean;
  kms: boolean;
}

/** What requests on attached disks may fail with. */
export function allowedAfter({ shard, kms }: Losses): ReadonlySet<string> {
  return new Set([...(shard ? ['ShardLost'] : []), ...(shard && kms ? ['KmsUnavailable'] : [])]);
}

/** A disk without a key is never refused for want of one. @param keyless numbers of such disks */
export function refusedWithoutNeed(
  lines: readonly HistoryLine[],
  keyless: ReadonlySet<number>,
): string[] {
  const disks = new Map<number, number>();
  const problems: string[] = [];
  for (const line of lines) {
    if (line[0] === 'i') disks.set(line[1], line[3]);
    if (line[0] !== 'e' || line[2] !== 'KmsUnavailable') continue;
    const disk = disks.get(line[1])!;
    if (keyless.has(disk)) {
      problems.push(`request ${line[1]} on disk ${disk}, which has no key, failed with ${line[2]}`);
    }
  }
  return problems;
}

export async function loseThreads(round: Round): Promise<void> {
  const { prng } = round;
  const ground = new Ground(round, {
    shards: SHARDS,
    disks: DISKS,
    units: SECTOR_UNITS * (8 + prng.nextBelow(56)),
  });
  let victim = round.victim();
  await ground.open(victim, true);
  await ground.makeDisks(victim);
  for (let cycle = 0; ; cycle++) {
    const lost = await loseSome(ground, victim);
    violate(refusedWithoutNeed(ground.peekLines(), KEYLESS));
    await ground.verify(victim, ground.takeHistory(allowedAfter(lost)));
    await makeDisk(victim);
    if (cycle >= CYCLES || round.isOver()) break;
    const loaded = ground.load(victim, {});
    await killAfter(victim, prng.nextBelow(60), loaded);
    round.figures.kill('kill after losses');
    const history = ground.takeHistory();
    victim = round.victim();
    await ground.open(victim, true);
    await ground.attachAll(victim);
    await ground.verify(victim, history);
  }
  await ground.check(victim);
  await victim.ask('close', {});
  await victim.kill();
}

async function loseSome(ground: Ground, victim: VictimProcess): Promise<Losses> {
  const { prng, figures } = ground.round;
  const load = ground.load(victim, { callers: 1 + prng.nextBelow(4), burst: 4 });
  const copying = copy(ground, victim);
  const losses = 1 + prng.nextBelow(LOSSES_MAX);
  const lost: Losses = { shard: false, kms: false };
  for (let count = 0; count < losses; count++) {
    await pause(prng.nextBelow(80));
    const isKms = prng.nextBelow(3) === 0;
    const isHang = prng.nextBelow(HANG_ONE_IN) === 0;
    const kind = isHang ? 'hang' : KINDS[prng.nextBelow(KINDS.length)]!;
    const shard = isKms ? null : prng.nextBelow(SHARDS);
    await victim.ask('lose', { shard, kind });
    figures.fault(`${isKms ? 'KMS thread' : 'shard'}: ${kind}`);
    lost[isKms ? 'kms' : 'shard'] = true;
  }
  await pause(prng.nextBelow(80));
  await victim.ask('stop', {});
  // Not answered in time: a request that had no answer.
  await load;
  await copying;
  return lost;
}

/** A snapshot beside it all: refused in words, or made. */
async function copy(ground: Ground, victim: VictimProcess): Promise<void> {
  await pause(ground.round.prng.nextBelow(100));
  await tolerate(victim.call('CreateSnapshot', { DiskId: ground.disks[0]!.diskId }));
}

/** Encrypted, so it needs the KMS thread, and attached, so a shard has to be given a key. */
async function makeDisk(victim: VictimProcess): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const made = await tolerate(victim.call('CreateDisk', { Size: 1, Encrypted: true }));
    if (made !== null) {
      await victim.call('DeleteDisk', { DiskId: made.DiskId });
      return;
    }
    await pause(50);
  }
  violate([`no encrypted disk can be made, ${TRIES} times after threads were lost`]);
}

/** @returns null if it was refused as it may be */
async function tolerate<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Refused && REFUSALS.has(error.code)) return null;
    throw error;
  }
}
