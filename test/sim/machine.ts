/**
 * The machine a history runs on: what survives a process (disks, key-value stores, the root key),
 * and the process that is open on it, if one is.
 *
 *   off ──open()──▶ opening ──▶ open ──close()──▶ off
 *                      └── crash: the process dies at once, wherever it is ──▶ off
 *
 * A crash is one instant for everything: shards' files, both key-value stores. It comes between two
 * tasks, or inside one, at a call to a file system (crashAtCall): what the process still does in
 * that task then reaches nothing that survives.
 */
import { createPrng, type Prng } from '../../src/base/prng.ts';
import { PlaneProcess } from './plane-process.ts';
import { type DiskSeams, SimulatedDisk } from './simulated-disk.ts';
import { KeyValueContent, SimulatedKeyValueStore } from './simulated-key-value-store.ts';
import type { SimulatedTime } from './simulated-time.ts';
import { type FaultKind, GEOMETRIES, type Swarm } from './swarm.ts';
import type { Trace } from './trace.ts';

/** What survives a process. */
export interface Durable {
  readonly disks: readonly SimulatedDisk[];
  readonly metadata: KeyValueContent;
  readonly vault: KeyValueContent;
}

export interface MachineSeams {
  readonly prng: Prng;
  readonly trace: Trace;
  readonly time: SimulatedTime;
  readonly swarm: Swarm;
  readonly count: (fault: FaultKind) => void;
}

export type CrashKind = 'kill' | 'powerCut';

interface CrashPlan {
  readonly kind: CrashKind;
  callsLeft: number;
  /** Only calls that change names count: few, and much hangs on their order. */
  readonly isOfNames: boolean;
}

const ROOT_KEY = new Uint8Array(32).map((_, index) => index * 7 + 1);

export class Machine {
  durable: Durable;
  process: PlaneProcess | null = null;
  commitErrorRate: number;
  /** What the crash that has come inside this task leaves. */
  #crashed: { readonly durable: Durable; readonly kind: CrashKind } | null = null;
  #crashPlan: CrashPlan | null = null;
  readonly #seams: MachineSeams;
  readonly #keyPrng: Prng;

  /** @param durable what there is already; null: a new machine */
  constructor(seams: MachineSeams, durable: Durable | null) {
    this.#seams = seams;
    this.commitErrorRate = seams.swarm.commitErrorRate;
    this.#keyPrng = createPrng(seams.prng.nextUint32());
    const diskSeams = this.#diskSeams();
    this.durable = {
      disks:
        durable?.disks.map((disk) => disk.adopt(diskSeams)) ??
        Array.from({ length: seams.swarm.shardCount }, () => new SimulatedDisk(diskSeams)),
      metadata: durable?.metadata.copy() ?? new KeyValueContent(),
      vault: durable?.vault.copy() ?? new KeyValueContent(),
    };
  }

  get disks(): readonly SimulatedDisk[] {
    return this.durable.disks;
  }

  get isDamaged(): boolean {
    return this.disks.some(({ scars }) => scars.isDamaged);
  }

  /** What is written, also by a store that is being opened, may do damage. */
  get mayBeDamaged(): boolean {
    return this.disks.some(({ rates }) => rates.lostWrite + rates.misdirectedWrite > 0);
  }

  /** Starts a process; what it does takes its course in simulated time. */
  open(): PlaneProcess {
    const { time, trace, swarm, prng } = this.#seams;
    const unevenness = swarm.unevenness;
    this.process = new PlaneProcess({
      time,
      trace,
      geometry: GEOMETRIES[swarm.geometryIndex]!,
      weight: () => (prng.nextFloat() < unevenness ? 0.03 : 1),
      durable: this.durable,
      rootKey: ROOT_KEY,
      fillRandom: (bytes) => this.#keyPrng.fill(bytes),
      openStore: (content) => this.#openStore(content),
    });
    return this.process;
  }

  /** The process has closed, or has failed to open: what its stores hold is what there is. */
  takeBack(): void {
    const { process } = this;
    if (process === null) return;
    const { prng } = this.#seams;
    this.durable = {
      disks: this.durable.disks,
      metadata: process.metadataStore?.afterCrash(prng) ?? this.durable.metadata,
      vault: process.vaultContent(prng) ?? this.durable.vault,
    };
    this.#endProcess();
  }

  /** A crash at one of the next calls to a file system. */
  crashAtCall(plan: CrashPlan): void {
    this.#crashPlan ??= plan;
  }

  crashNow(kind: CrashKind): void {
    this.#crashed ??= { kind, durable: this.#image(kind) };
  }

  /** Whether the process is dead. Nothing it says counts any more. */
  get hasCrashed(): boolean {
    return this.#crashed !== null;
  }

  /** To be called between tasks: what crashed is cleared away. @returns null if nothing did */
  endCrashed(): CrashKind | null {
    const crashed = this.#crashed;
    if (crashed === null) return null;
    this.#crashed = null;
    this.#crashPlan = null;
    this.#endProcess();
    this.durable = crashed.durable;
    return crashed.kind;
  }

  #endProcess(): void {
    this.process?.end();
    this.process = null;
    this.#seams.time.reset();
    for (const disk of this.durable.disks) disk.closeAll();
  }

  #beforeChange(isOfNames: boolean): void {
    const plan = this.#crashPlan;
    if (plan === null || this.#crashed !== null) return;
    if ((plan.isOfNames && !isOfNames) || --plan.callsLeft > 0) return;
    this.#crashed = { kind: plan.kind, durable: this.#image(plan.kind) };
  }

  #image(kind: CrashKind): Durable {
    const { prng, swarm, trace, count } = this.#seams;
    trace.note(kind);
    count(kind);
    const { process } = this;
    return {
      disks: this.durable.disks.map((disk) =>
        kind === 'kill' ? disk.fork() : disk.cutPower(prng, swarm.keptPart),
      ),
      metadata: process?.metadataStore?.afterCrash(prng) ?? this.durable.metadata,
      vault: process?.vaultContent(prng) ?? this.durable.vault,
    };
  }

  #openStore(content: KeyValueContent): SimulatedKeyValueStore {
    const { time, prng, trace, count, swarm } = this.#seams;
    const lane = time.lane(prng.nextFloat() < swarm.unevenness ? 0.03 : 1);
    return new SimulatedKeyValueStore(content.copy(), {
      push: (task) => lane.push(task),
      isCommitFailing: () => {
        const isFailing = this.commitErrorRate > 0 && prng.nextFloat() < this.commitErrorRate;
        if (isFailing) {
          count('commitError');
          // kv/lmdb-store.ts ends the process then, and nobody is told of the commit.
          this.crashNow('kill');
        }
        return false;
      },
      note: (what, keys) => trace.note(what, keys),
    });
  }

  #diskSeams(): DiskSeams {
    const { prng, trace, count } = this.#seams;
    return { prng, trace, count, beforeChange: (isOfNames) => this.#beforeChange(isOfNames) };
  }
}
