/**
 * The reference model: what a read of a disk or snapshot may return. It knows nothing of stores.
 *
 * For each sector it has three sets of versions:
 *   now     what a read may return
 *   kill    what may be there after the process has ended: a change that was refused may be seen by
 *           a read and not be stored
 *   power   what may be there after a power cut: what was flushed, and everything since
 * Sectors are atomic: a version is there whole or not at all. Requests of one disk take effect in
 * the order they were made. What was not acknowledged may have happened.
 *
 * Where a whole volume may be one of several things (a snapshot was taken while writes were under
 * way; a reset was cut off) it has several states, and each read rules out those that contradict
 * it.
 */
export const HOLE = 0;

/** A set is one and the same as `now` where it is the same thing that is not known of both. */
interface Possible {
  readonly now: readonly number[];
  readonly kill: readonly number[];
  readonly power: readonly number[];
}

const NOTHING: readonly number[] = [HOLE];
const EMPTY: Possible = { now: NOTHING, kill: NOTHING, power: NOTHING };

/** A write, or a zero (version HOLE). */
export interface ModelWrite {
  readonly sector: number;
  readonly sectorCount: number;
  readonly version: number;
  /** On stable storage once it is acknowledged. */
  readonly isFua: boolean;
}

function withVersion(versions: readonly number[], version: number): readonly number[] {
  return versions.includes(version) ? versions : [...versions, version];
}

/** How a process ends: with all it wrote, perhaps without what was not flushed, or surely so. */
export type Ending = 'kill' | 'loss' | 'powerCut';

export class Content {
  readonly #sectors: Map<number, Possible>;

  constructor(sectors: Map<number, Possible> = new Map()) {
    this.#sectors = sectors;
  }

  copy(): Content {
    return new Content(new Map(this.#sectors));
  }

  at(sector: number): Possible {
    return this.#sectors.get(sector) ?? EMPTY;
  }

  /** @param isDone false: it may have happened, sector by sector */
  write(write: ModelWrite, isDone: boolean): void {
    const { sector, sectorCount, version, isFua } = write;
    for (let at = sector; at < sector + sectorCount; at++) {
      const { now, kill, power } = this.at(at);
      if (isDone) {
        const only = [version];
        const cut = isFua ? only : withVersion(power, version);
        this.#sectors.set(at, { now: only, kill: only, power: cut });
      } else {
        this.#sectors.set(at, {
          // Not the same unknown thing any more, also where the versions are the same.
          now: [...withVersion(now, version)],
          kill: withVersion(kill, version),
          power: withVersion(power, version),
        });
      }
    }
  }

  /** All there is now is on stable storage. */
  flush(): void {
    for (const [sector, { now }] of this.#sectors) {
      this.#sectors.set(sector, { now, kill: now, power: now });
    }
  }

  kill(): void {
    for (const [sector, { kill, power }] of this.#sectors) {
      this.#sectors.set(sector, { now: kill, kill, power });
    }
  }

  cutPower(): void {
    for (const [sector, { power }] of this.#sectors) {
      this.#sectors.set(sector, { now: power, kill: power, power });
    }
  }

  /**
   * What was not flushed may be gone, or not. What is read then need not be on stable storage: the
   * opening that found it may have failed to force it.
   */
  loosen(): void {
    for (const [sector, { kill, power }] of this.#sectors) {
      const now = [...kill.reduce(withVersion, power)];
      this.#sectors.set(sector, { now, kill: now, power });
    }
  }

  allows(sector: number, version: number): boolean {
    return this.at(sector).now.includes(version);
  }

  /** A read has returned this. */
  settle(sector: number, version: number): void {
    const { now, kill, power } = this.at(sector);
    if (now.length === 1) return;
    const only = [version];
    const same = (set: readonly number[]): readonly number[] => (set === now ? only : set);
    this.#sectors.set(sector, { now: only, kill: same(kill), power: same(power) });
  }
}

/** What happens to a content. */
type Change = (state: Content) => void;

/** What a snapshot being taken may be: see Volume.capture(). */
export interface Capture {
  readonly base: readonly Content[];
  /** What has happened to the volume since. */
  readonly changes: Change[];
}

export class Volume {
  states: Content[];
  /** How many times its shard has lost something: what was read before says nothing of now. */
  losses = 0;
  /** Writes made and not answered, in order. */
  readonly inFlight: ModelWrite[] = [];
  /** Those of them that were made before a loss: if they were done before it, they may be lost. */
  readonly #beforeLoss = new Set<ModelWrite>();
  readonly #captures = new Set<Capture>();

  constructor(states: Content[] = [new Content()]) {
    this.states = states;
  }

  begin(write: ModelWrite): void {
    this.inFlight.push(write);
  }

  /** @param outcome done; unknown: it may have happened; not: it has not */
  end(write: ModelWrite, outcome: 'done' | 'unknown' | 'not'): void {
    this.inFlight.splice(this.inFlight.indexOf(write), 1);
    const mayBeLost = this.#beforeLoss.delete(write) && !write.isFua;
    if (outcome === 'not') return;
    this.#apply(write, outcome === 'done' && !mayBeLost);
  }

  flushed(): void {
    this.#change((state) => state.flush());
  }

  /**
   * @param lossesBefore as they were when the read was made
   * @returns null, or what is wrong with versions a read has returned
   */
  read(sector: number, versions: readonly number[], lossesBefore = this.losses): string | null {
    const isAllowed = (state: Content): boolean =>
      versions.every((version, index) => state.allows(sector + index, version));
    const possible = this.states.filter(isAllowed);
    if (possible.length === 0) return this.#contradiction(sector, versions);
    if (this.losses !== lossesBefore) return null;
    this.states = possible;
    for (const state of possible) {
      for (const [index, version] of versions.entries()) state.settle(sector + index, version);
    }
    return null;
  }

  /** A snapshot is asked for: it may be any state from now on until finish(). */
  capture(): Capture {
    const capture: Capture = { base: this.copyStates(), changes: [] };
    this.#captures.add(capture);
    return capture;
  }

  /** @returns what the snapshot may be: a state at one instant, all of it on stable storage */
  finish(capture: Capture): Content[] {
    this.#captures.delete(capture);
    const states = capture.base.map((state) => state.copy());
    let last = capture.base;
    const later = this.inFlight.map(
      (write): Change =>
        (state) =>
          state.write(write, false),
    );
    for (const change of [...capture.changes, ...later]) {
      last = last.map((state) => {
        const next = state.copy();
        change(next);
        return next;
      });
      states.push(...last.map((state) => state.copy()));
    }
    for (const state of states) state.flush();
    return states;
  }

  /** The process has ended. */
  crash(how: Ending): void {
    for (const write of this.inFlight.splice(0)) this.#apply(write, false);
    this.#captures.clear();
    this.#beforeLoss.clear();
    for (const state of this.states) {
      if (how === 'powerCut') state.cutPower();
      else if (how === 'loss') state.loosen();
      else state.kill();
    }
  }

  /**
   * Its shard is opened again, and has lost what a power cut might have taken: a snapshot that is
   * being taken may be of before that, or of afterwards.
   */
  loosen(): void {
    this.losses++;
    for (const write of this.inFlight) this.#beforeLoss.add(write);
    this.#change((state) => state.loosen());
  }

  /** A second volume with the same content. */
  copyStates(): Content[] {
    return this.states.map((state) => state.copy());
  }

  #apply(write: ModelWrite, isDone: boolean): void {
    this.#change((state) => state.write(write, isDone));
  }

  #change(change: Change): void {
    for (const state of this.states) change(state);
    for (const capture of this.#captures) capture.changes.push(change);
  }

  #contradiction(sector: number, versions: readonly number[]): string {
    const state = this.states[0]!;
    const at = versions.findIndex((version, index) => !state.allows(sector + index, version));
    const wrong = sector + Math.max(0, at);
    const possible = this.states.map((each) => each.at(wrong).now.join(' or '));
    const got = versions[Math.max(0, at)];
    return `sector ${wrong} is version ${got}, expected ${possible.slice(0, 4).join('; ')}`;
  }
}
