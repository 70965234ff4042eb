/**
 * One history: a seed, a machine, callers, faults, and a model that says what may be.
 *
 * Real: router, control plane, metadata, KMS, shards, cipher, store, recovery, reclaim (all of src/
 * but threads, LMDB and the loops that wait). Simulated: files, key-value stores, threads and the
 * messages between them, clocks, chance. One thread; everything that happens is drawn from the
 * seed.
 *
 *   open ─▶ [callers and faults, step by step; a crash: the next process opens what is left] ─▶
 *   faults stop ─▶ everything heals, every request is answered, work in the background ends ─▶
 *   all content and metadata compared with the model ─▶ close ─▶ open ─▶ compared again
 *
 * What must hold:
 * 1. A read returns what the model allows (model.ts); an error has a cause (causes.ts).
 * 2. Every request is answered once, in bounded time once faults have stopped.
 * 3. A verb is all or nothing (world.ts).
 * 4. A plane opens after any crash; what is damaged is an error, never wrong bytes.
 * 5. At rest metadata and stores are sound (final-check.ts).
 * 6. The same seed has the same trace (trace.ts).
 */
import { createPrng, type Prng } from '../../src/base/prng.ts';
import { REOPEN_RETRY_MS } from '../../src/limits.ts';
import { causelessError, codeOf, type Mishaps, noMishaps } from './causes.ts';
import { checkContents, checkStores, isReencrypted } from './final-check.ts';
import { type CallerSeams, IoCaller } from './io-caller.ts';
import { Machine } from './machine.ts';
import type { Ending } from './model.ts';
import { NO_DISK_FAULTS } from './simulated-disk.ts';
import { SimulatedTime, settleMicrotasks, withSimulatedTimers } from './simulated-time.ts';
import { Striker } from './striker.ts';
import { drawSwarm, FAULT_KINDS, type FaultKind, type Swarm } from './swarm.ts';
import { type Template, templateFor } from './template.ts';
import { Trace } from './trace.ts';
import { track } from './tracked.ts';
import { VerbCaller } from './verb-caller.ts';
import { World } from './world.ts';

export interface HistoryResult {
  readonly seed: number;
  readonly traceHash: string;
  readonly events: number;
  readonly operations: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** Sentences; empty if everything held. */
  readonly violations: readonly string[];
  readonly traceLines: readonly string[];
}

/** Far more than any history takes: who is not answered by then never is. */
const STEPS_MAX = 60_000;
const OPENINGS_MAX = 40;

/** @param wish what is not left to chance */
export async function runHistory(
  seed: number,
  isVerbose = false,
  wish: Partial<Swarm> = {},
): Promise<HistoryResult> {
  const prng = createPrng(seed);
  const swarm = { ...drawSwarm(prng), ...wish };
  const template = await templateFor(swarm);
  const history = new History(prng, swarm, template, new Trace(isVerbose));
  return history.run(seed);
}

class History {
  readonly #prng: Prng;
  readonly #swarm: Swarm;
  readonly #trace: Trace;
  readonly #time: SimulatedTime;
  readonly #machine: Machine;
  readonly #world: World;
  readonly #io: IoCaller;
  readonly #verbs: VerbCaller;
  readonly #keys: readonly string[];
  readonly #faults = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<
    FaultKind,
    number
  >;
  readonly #violations: string[] = [];
  #mishaps: Mishaps = noMishaps();
  readonly #striker: Striker;
  #steps = 0;
  #isOpen = false;
  #areFaultsOn = true;

  constructor(prng: Prng, swarm: Swarm, template: Template, trace: Trace) {
    this.#prng = prng;
    this.#swarm = swarm;
    this.#trace = trace;
    this.#time = new SimulatedTime(prng);
    this.#world = new World();
    this.#keys = template.keys;
    const count = (kind: FaultKind): void => {
      this.#faults[kind]++;
    };
    const seams = { prng, trace, time: this.#time, swarm, count };
    this.#machine = new Machine(seams, template.durable);
    this.#striker = new Striker({
      ...seams,
      machine: this.#machine,
      keys: template.keys,
      shardCrashes: (shardIndex) => this.#shardCrashes(shardIndex),
    });
    for (const disk of this.#machine.disks) disk.rates = swarm.diskRates;
    for (const { id, isEncrypted } of template.disks) {
      this.#world.add(id, { isEncrypted, sourceDiskId: null }, template.contents());
    }
    const callers = this.#callerSeams();
    this.#io = new IoCaller(callers);
    this.#verbs = new VerbCaller(callers, this.#world, template.keys);
  }

  async run(seed: number): Promise<HistoryResult> {
    try {
      await withSimulatedTimers(this.#time, () => this.#live());
    } catch (error) {
      this.#violation(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
    this.#machine.process?.end();
    return {
      seed,
      traceHash: this.#trace.hash,
      events: this.#trace.length,
      operations: this.#io.made + this.#verbs.made,
      faults: this.#faults,
      violations: this.#violations,
      traceLines: this.#trace.lines,
    };
  }

  async #live(): Promise<void> {
    const { operations } = this.#swarm;
    while (this.#io.made + this.#verbs.made < operations && this.#goesOn()) {
      if (!this.#isOpen) await this.#reopen();
      else await this.#stepWithCallers();
    }
    this.#stopFaults();
    await this.#rest();
    await this.#check();
    if (this.#violations.length > 0 || this.#prng.nextBelow(2) === 0) return;
    await this.#close();
    await this.#rest();
    await this.#check();
  }

  #goesOn(): boolean {
    if (this.#steps > STEPS_MAX) this.#violation(`it goes on after ${STEPS_MAX} steps`);
    return this.#violations.length === 0;
  }

  async #stepWithCallers(): Promise<void> {
    const { process } = this.#machine;
    if (process === null) return;
    this.#striker.strike(this.#mishaps);
    if ((this.#isDegraded() || this.#world.isStuck) && this.#prng.nextBelow(60) === 0) {
      await this.#close();
      return;
    }
    const isCaller = this.#prng.nextFloat() < this.#swarm.callerWeight;
    const isVerb = isCaller && this.#prng.nextFloat() < this.#swarm.verbPart;
    const hasActed = isCaller && (isVerb ? this.#verbs.act(process) : this.#actIo());
    await this.#step(!hasActed);
  }

  /** One request of what is open; a disk is attached, or made, if nothing is. */
  #actIo(): boolean {
    if (this.#io.act([...this.#world.resources.values()])) return true;
    const { process } = this.#machine;
    return process !== null && this.#verbs.attachIfNone(process);
  }

  /** One step of what is under way, and what follows from it. */
  async #step(isRunning = true): Promise<boolean> {
    this.#steps++;
    const hasRun = isRunning && this.#time.step();
    await settleMicrotasks();
    this.#endCrashed();
    this.#striker.heal(this.#steps);
    return hasRun;
  }

  /** Steps until something is done. @returns false: it cannot be, or the process has crashed */
  async #until(isDone: () => boolean, what: string): Promise<boolean> {
    let idleSteps = 0;
    while (!isDone()) {
      if (!this.#goesOn() || this.#machine.process === null) return false;
      idleSteps = (await this.#step()) ? 0 : idleSteps + 1;
      if (idleSteps < 100) continue;
      this.#violation(`nothing is left to do, but ${what} has not ended`);
      return false;
    }
    return true;
  }

  async #reopen(): Promise<void> {
    for (let tries = 0; tries < OPENINGS_MAX; tries++) {
      const { isKeyDisabled } = this.#mishaps;
      const isFull = this.#machine.disks.some((disk) => Number.isFinite(disk.capacityBytes));
      this.#mishaps = { ...noMishaps(), isKeyDisabled, isFull };
      for (const disk of this.#machine.disks) disk.forgetErrors();
      const process = this.#machine.open();
      const opening = track(process.open());
      await this.#until(() => opening.isSettled, 'opening');
      if (this.#machine.process !== process) continue;
      if (opening.isSettled && opening.error === null) {
        this.#isOpen = true;
        this.#trace.note('open');
        for (const problem of this.#world.adopt(process.metadata)) this.#violation(problem);
        // What recovery found is durable by now, unless it could not write.
        if (!this.#hasLoss()) this.#world.settle();
        else if (this.#machine.isDamaged) this.#world.loosen();
        return;
      }
      if (opening.isSettled) {
        this.#trace.note('not opened', codeOf(opening.error));
        this.#refused('opening', opening.error);
      }
      // What it lost while it tried is lost.
      const hasLoss = this.#hasLoss();
      this.#machine.takeBack();
      this.#ended(hasLoss ? 'loss' : 'kill');
      if (this.#violations.length > 0) return;
    }
    // Errors on each try: nobody could open it.
    this.#stopFaults();
    if (this.#areFaultsOn) this.#violation('it does not open');
  }

  /** Closes the process as its owner would. */
  async #close(): Promise<void> {
    const { process } = this.#machine;
    if (process === null) return;
    const isAnswered = (): boolean => this.#verbs.unanswered + this.#io.unanswered === 0;
    if (!(await this.#until(isAnswered, 'a request'))) return;
    this.#trace.note('close');
    this.#mishaps.isClosing = true;
    const closing = track(process.close());
    if (!(await this.#until(() => closing.isSettled, 'closing'))) return;
    if (closing.error !== null) this.#refused('close', closing.error);
    const isClean = closing.error === null && !this.#isDegraded() && !this.#hasLoss();
    const hasLoss = this.#hasLoss();
    this.#machine.takeBack();
    this.#ended(hasLoss ? 'loss' : 'kill');
    if (!isClean) return;
    for (const { volume } of this.#world.resources.values()) volume.flushed();
  }

  #endCrashed(): void {
    if (!this.#machine.hasCrashed) return;
    const hasLoss = this.#hasLoss();
    const kind = this.#machine.endCrashed();
    this.#ended(kind === 'powerCut' ? kind : hasLoss ? 'loss' : 'kill');
  }

  /** The process is gone: who waited waits no more. */
  #ended(how: Ending): void {
    this.#isOpen = false;
    this.#io.forget();
    this.#verbs.forget();
    this.#world.crash(how);
    this.#striker.forget();
    for (const disk of this.#machine.disks) disk.scars.hasLostPages = false;
  }

  /** What was not flushed may be gone, or be only in the memory of the process. */
  #hasLoss(): boolean {
    const hasErrors = this.#machine.disks.some(
      ({ scars, errors }) =>
        scars.isDamaged || scars.hasLostPages || errors.write + errors.sync + errors.full > 0,
    );
    return hasErrors || this.#mishaps.isFull;
  }

  /** It serves, but not all that it could. */
  #isDegraded(): boolean {
    const { process } = this.#machine;
    if (process === null) return true;
    const hasFailed = this.#machine.disks.some(({ errors }) => errors.write + errors.sync > 0);
    const isAnyLost = process.threads.some(({ isLost }) => isLost);
    return hasFailed || process.isStoreFailed || isAnyLost;
  }

  /**
   * Its store is opened again: what is lost there is lost now, also by what it writes as it opens.
   * If it fails there is no other opening while the process lives (shard-lane.ts, rule 3).
   */
  #shardCrashes(shardIndex: number): void {
    const { process } = this.#machine;
    if (process === null || !(this.#hasLoss() || this.#machine.mayBeDamaged)) return;
    for (const { id, volume } of this.#world.resources.values()) {
      const record = process.metadata.getDisk(id) ?? process.metadata.getSnapshot(id);
      const isThere = record === undefined || record.shardIndex === shardIndex;
      if (isThere) volume.loosen();
    }
  }

  #stopFaults(): void {
    this.#areFaultsOn = false;
    this.#machine.commitErrorRate = 0;
    for (const disk of this.#machine.disks) {
      disk.rates = NO_DISK_FAULTS;
      disk.capacityBytes = Number.POSITIVE_INFINITY;
    }
    this.#trace.note('faults stop');
  }

  /** Everything heals: a plane that serves, all requests answered, background work done. */
  async #rest(): Promise<void> {
    for (let rounds = 0; rounds < OPENINGS_MAX && this.#goesOn(); rounds++) {
      this.#stopFaults();
      if (!this.#isOpen) {
        await this.#reopen();
        continue;
      }
      const isAnswered = (): boolean => this.#verbs.unanswered + this.#io.unanswered === 0;
      if (!(await this.#until(isAnswered, 'a request'))) continue;
      if (
        this.#isDegraded() ||
        this.#mishaps.isKmsLost ||
        this.#machine.process?.kms.isRunning === false
      ) {
        await this.#close();
        continue;
      }
      if (await this.#settleBackground()) return;
    }
    if (this.#violations.length === 0) this.#violation('it does not come to rest');
  }

  /** Keys work again, disks asked for theirs, re-encryption ends, stores have nothing to do. */
  async #settleBackground(): Promise<boolean> {
    const { process } = this.#machine;
    if (process === null) return false;
    const enable = (KeyId: string): Promise<unknown> =>
      process.call('EnableKey', { KeyId }).catch(() => {});
    const enabling = track(Promise.all(this.#keys.map(enable)));
    if (!(await this.#until(() => enabling.isSettled, 'enabling keys'))) return false;
    if (this.#mishaps.isKeyDisabled && !(await this.#pass(REOPEN_RETRY_MS))) return false;
    this.#mishaps.isKeyDisabled = false;
    // What is damaged cannot be moved.
    const isMoved = (): boolean => this.#machine.isDamaged || isReencrypted(process);
    if (!(await this.#until(isMoved, 're-encryption'))) return false;
    return this.#until(() => this.#time.isQuiet, 'background work');
  }

  async #pass(milliseconds: number): Promise<boolean> {
    let isOver = false;
    this.#time.after(milliseconds, () => {
      isOver = true;
    });
    return this.#until(() => isOver, 'a pause');
  }

  async #check(): Promise<void> {
    const { process } = this.#machine;
    if (process === null || this.#violations.length > 0) return;
    const seams = {
      spanSectors: this.#swarm.spanSectors,
      mayHaveLeftovers: this.#mishaps.isFull || this.#isDegraded() || this.#world.hasLeftovers,
      violation: (text: string) => this.#violation(text),
      refused: (what: string, error: unknown) => this.#refused(what, error),
    };
    const checked = track(checkContents(process, this.#world, seams));
    if (!(await this.#until(() => checked.isSettled, 'the check'))) return;
    if (checked.error instanceof Error) this.#violation(String(checked.error.stack));
    // A task that tried again meanwhile may be between the two halves of a removal.
    if (!(await this.#until(() => this.#time.isQuiet, 'background work'))) return;
    checkStores(process, seams);
  }

  #callerSeams(): CallerSeams {
    return {
      prng: this.#prng,
      trace: this.#trace,
      swarm: this.#swarm,
      counting: () => {
        const { process } = this.#machine;
        return () => this.#machine.process === process && !this.#machine.hasCrashed;
      },
      violation: (text) => this.#violation(text),
      refused: (what, error, also) => this.#refused(what, error, also),
    };
  }

  #refused(what: string, error: unknown, also: readonly string[] = []): void {
    const { process } = this.#machine;
    if (process === null) return;
    const wrong = causelessError(what, error, process, this.#mishaps, also);
    if (wrong !== null) this.#violation(wrong);
  }

  #violation(text: string): void {
    this.#trace.note('violation', text);
    this.#violations.push(text);
  }
}
