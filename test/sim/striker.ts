/**
 * Faults that strike at the machine or the process as a whole, each with the chance the history has
 * drawn for it; and what heals by itself some steps later. Faults of single calls to a disk or to a
 * key-value store are where those are simulated.
 */
import type { Prng } from '../../src/base/prng.ts';
import type { Mishaps } from './causes.ts';
import type { Machine } from './machine.ts';
import type { PlaneProcess } from './plane-process.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { SimulatedTime } from './simulated-time.ts';
import { FAULT_KINDS, type FaultKind, type Swarm } from './swarm.ts';
import type { Trace } from './trace.ts';

export interface StrikerSeams {
  readonly prng: Prng;
  readonly trace: Trace;
  readonly time: SimulatedTime;
  readonly swarm: Swarm;
  readonly machine: Machine;
  /** Master keys that may be disabled. */
  readonly keys: readonly string[];
  readonly count: (fault: FaultKind) => void;
  /** Before a shard's thread ends, and again if its disk is damaged before it is opened again. */
  readonly shardCrashes: (shardIndex: number) => void;
}

interface Healing {
  readonly atStep: number;
  /** It is of the machine, not of the process. */
  readonly isOutside: boolean;
  readonly heal: () => void;
}

const HOUR_MS = 3_600_000;

export class Striker {
  readonly #seams: StrikerSeams;
  #healing: Healing[] = [];
  #step = 0;

  constructor(seams: StrikerSeams) {
    this.#seams = seams;
  }

  /** @param mishaps told what befalls the process */
  strike(mishaps: Mishaps): void {
    const { swarm, prng } = this.#seams;
    for (const kind of FAULT_KINDS) {
      const rate = swarm.eventRates[kind] ?? 0;
      if (rate > 0 && prng.nextFloat() < rate) this.#strikeWith(kind, mishaps);
    }
  }

  /** To be called at every step: what is due heals. */
  heal(step: number): void {
    this.#step = step;
    const due = this.#healing.filter(({ atStep }) => atStep <= step);
    if (due.length === 0) return;
    this.#healing = this.#healing.filter(({ atStep }) => atStep > step);
    for (const { heal } of due) heal();
  }

  /** The process is gone, and with it what was to heal in it. */
  forget(): void {
    this.#healing = this.#healing.filter(({ isOutside }) => isOutside);
  }

  #later(steps: number, heal: () => void, isOutside = false): void {
    const atStep = this.#step + 1 + this.#seams.prng.nextBelow(steps);
    this.#healing.push({ atStep, heal, isOutside });
  }

  #strikeWith(kind: FaultKind, mishaps: Mishaps): void {
    const prng = this.#seams.prng;
    const { process } = this.#seams.machine;
    if (process === null) return;
    if (kind === 'powerCut' || kind === 'kill') {
      if (prng.nextBelow(3) === 0) this.#seams.machine.crashNow(kind);
      else this.#crashAtCall(kind);
    } else if (kind === 'rot') {
      this.#rot(process);
    } else if (kind === 'clockJump') {
      this.#seams.count('clockJump');
      this.#seams.trace.note('clock jump');
      this.#seams.time.jump((prng.nextFloat() - 0.5) * 48 * HOUR_MS);
    } else if (kind === 'full') this.#fill(mishaps);
    else if (kind === 'shardCrash') this.#crashShard(mishaps);
    else if (kind === 'kmsCrash') this.#crashKms(mishaps);
    else if (kind === 'keyDisabled') this.#disableKey(mishaps);
  }

  #crashAtCall(kind: 'powerCut' | 'kill'): void {
    const isOfNames = this.#seams.prng.nextBelow(2) === 0;
    const callsLeft = 1 + this.#seams.prng.nextBelow(isOfNames ? 8 : 20);
    this.#seams.machine.crashAtCall({ kind, callsLeft, isOfNames });
  }

  #drawDisk(): SimulatedDisk {
    const { disks } = this.#seams.machine;
    return disks[this.#seams.prng.nextBelow(disks.length)]!;
  }

  #rot({ threads }: PlaneProcess): void {
    const disk = this.#drawDisk();
    const hasRotted = disk.rot();
    const index = threads.findIndex((thread) => thread.disk === disk);
    const isBeingOpened = threads[index]?.store === null;
    if (hasRotted && isBeingOpened) this.#seams.shardCrashes(index);
  }

  #fill(mishaps: Mishaps): void {
    const disk = this.#drawDisk();
    if (disk.capacityBytes !== Number.POSITIVE_INFINITY) return;
    this.#seams.count('full');
    mishaps.isFull = true;
    disk.capacityBytes = disk.usedBytes + this.#seams.prng.nextBelow(8) * 4096;
    this.#seams.trace.note('full', disk.capacityBytes);
    const empty = (): void => {
      for (const each of this.#seams.machine.disks) each.capacityBytes = Number.POSITIVE_INFINITY;
    };
    this.#later(300, empty, true);
  }

  #crashShard(mishaps: Mishaps): void {
    const { process } = this.#seams.machine;
    const index = this.#seams.prng.nextBelow(process!.threads.length);
    const thread = process!.threads[index]!;
    if (thread.isLost) return;
    this.#seams.count('shardCrash');
    mishaps.isShardLost = true;
    this.#seams.trace.note('shard crash', index);
    this.#seams.shardCrashes(index);
    thread.crash();
  }

  #crashKms(mishaps: Mishaps): void {
    const { process } = this.#seams.machine;
    if (process === null || !process.kms.isRunning) return;
    this.#seams.count('kmsCrash');
    mishaps.isKmsLost = true;
    this.#seams.trace.note('kms crash');
    process.crashKms(this.#seams.prng);
    this.#later(200, () => void process.restartKms().catch(() => {}));
  }

  #disableKey(mishaps: Mishaps): void {
    const { process } = this.#seams.machine;
    const key = this.#seams.keys[this.#seams.prng.nextBelow(this.#seams.keys.length)]!;
    if (process === null || mishaps.isKeyDisabled) return;
    this.#seams.count('keyDisabled');
    mishaps.isKeyDisabled = true;
    this.#seams.trace.note('key disabled', key);
    process.call('DisableKey', { KeyId: key }).catch(() => {});
    this.#later(200, () => {
      process.call('EnableKey', { KeyId: key }).catch(() => {});
    });
  }
}
