/**
 * A data directory under torture, and what the checker knows of it: the disks, and the versions
 * every unit of them is known to hold since it was last read.
 */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describeUnit, FOREIGN, SECTOR_UNITS, versionsOf, ZEROS } from './content.ts';
import { type DiskHistory, modelHistory } from './disk-model.ts';
import { readHistory } from './history.ts';
import { type Round, violate } from './pass.ts';
import type { HistoryLine, LoadOptions } from './protocol.ts';
import type { VictimProcess } from './victim-process.ts';

export interface GroundDisk {
  /** What its content is labelled with. */
  readonly number: number;
  readonly diskId: string;
  versions: readonly number[];
}

export interface GroundOptions {
  readonly shards: number;
  /** By disk: its CreateDisk parameters. */
  readonly disks: Readonly<Record<string, unknown>>[];
  /** Units of each disk that are used. */
  readonly units: number;
}

const LOOK_MS = 4;
const LOOKS_MAX = 250;

/** No fault was injected: nothing may fail. */
const NO_FAILURES: ReadonlySet<string> = new Set();

export class Ground {
  readonly round: Round;
  readonly dataDir: string;
  readonly historyFile: string;
  readonly options: GroundOptions;
  readonly disks: GroundDisk[] = [];
  nextVersion = 1;
  /** What the last opening took. */
  openingMs = 0;

  constructor(round: Round, options: GroundOptions, dataDir = join(round.directory, 'plane')) {
    this.round = round;
    this.options = options;
    this.dataDir = dataDir;
    this.historyFile = join(round.directory, 'history');
  }

  /** @param isSabotaged its threads are to be lost */
  async open(victim: VictimProcess, isSabotaged = false): Promise<void> {
    const { shards } = this.options;
    await victim.ready;
    const began = performance.now();
    await victim.ask('open', { dataDir: this.dataDir, shards, isSabotaged });
    this.openingMs = performance.now() - began;
  }

  /** Makes the disks and attaches them. */
  async makeDisks(victim: VictimProcess): Promise<void> {
    for (const parameters of this.options.disks) {
      const { DiskId } = await victim.call('CreateDisk', { Size: 1, ...parameters });
      const disk: GroundDisk = {
        number: this.disks.length + 1,
        diskId: String(DiskId),
        versions: new Array<number>(this.options.units).fill(ZEROS),
      };
      this.disks.push(disk);
      await this.attach(victim, disk);
    }
  }

  async attach(victim: VictimProcess, { diskId, number }: GroundDisk): Promise<void> {
    await victim.ask('attach', { diskId, disk: number });
  }

  async attachAll(victim: VictimProcess): Promise<void> {
    for (const disk of this.disks) await this.attach(victim, disk);
  }

  /** Ends when the load does: when it is stopped, or its victim ends (then it throws). */
  load(victim: VictimProcess, options: Partial<LoadOptions>): Promise<{ operations: number }> {
    const { prng } = this.round;
    const loaded = victim.ask('load', {
      file: this.historyFile,
      seed: prng.nextUint32(),
      contentSeed: this.round.seed,
      disks: this.disks.map(({ number }) => number),
      units: this.options.units,
      callers: 2,
      burst: 4,
      mix: { w: 12, W: 2, t: 2, z: 1, f: 2, r: 1 },
      unitsMax: 32,
      isAligned: false,
      firstVersion: this.nextVersion,
      endsOnError: false,
      ...options,
    });
    // Whoever waits for it may do something else first.
    loaded.catch(() => undefined);
    return loaded;
  }

  /**
   * What the last load did, and what may be there after it. The file is emptied.
   *
   * @param allowed codes of errors it may have been refused with
   */
  takeHistory(allowed: ReadonlySet<string> = NO_FAILURES): DiskHistory {
    const lines = this.takeLines();
    const before = new Map(this.disks.map(({ number, versions }) => [number, versions]));
    const history = modelHistory(lines, before);
    const { figures } = this.round;
    figures.operations += history.acknowledged;
    this.nextVersion = Math.max(this.nextVersion, history.nextVersion);
    violate(
      [...history.failed]
        .filter(([code]) => !allowed.has(code))
        .map(([code, count]) => `${count} requests failed with ${code}`),
    );
    return history;
  }

  /** Resolves when the history is so long, or after a while: however slow the machine is. */
  async untilWritten(bytes: number): Promise<void> {
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      if ((statSync(this.historyFile, { throwIfNoEntry: false })?.size ?? 0) >= bytes) return;
      await pause(LOOK_MS);
    }
  }

  peekLines(): HistoryLine[] {
    return readHistory(this.historyFile);
  }

  takeLines(): HistoryLine[] {
    const lines = this.peekLines();
    rmSync(this.historyFile, { force: true });
    return lines;
  }

  /** Reads a disk that is attached. @throws ViolationError a unit is not whole, or another's */
  async read(victim: VictimProcess, number: number, owner: GroundDisk): Promise<number[]> {
    const file = join(this.round.directory, `image-${number}`);
    const { units } = this.options;
    await victim.ask('dump', { disk: number, units, file });
    const read = readFileSync(file);
    const bytes = new Uint8Array(read.buffer, read.byteOffset, read.byteLength);
    const versions = versionsOf(bytes, { seed: this.round.seed, disk: owner.number }, 0);
    this.round.figures.sectors += units / SECTOR_UNITS;
    const foreign = versions.flatMap((version, unit) => (version === FOREIGN ? [unit] : []));
    violate(
      foreign.map(
        (unit) =>
          `disk ${owner.number} (${owner.diskId}), unit ${unit} holds other bytes: ` +
          describeUnit(bytes, unit),
      ),
    );
    return versions;
  }

  /** Reads all disks, attached, and compares. What is found is what is known from here on. */
  async verify(victim: VictimProcess, history: DiskHistory): Promise<void> {
    for (const disk of this.disks) {
      const versions = await this.read(victim, disk.number, disk);
      const problems = history.disks.get(disk.number)!.problemsOf(versions);
      violate(problems.map((text) => `disk ${disk.number} (${disk.diskId}): ${text}`));
      disk.versions = versions;
    }
  }

  /** The plane's own check of metadata and every stored sector. */
  async check(victim: VictimProcess): Promise<void> {
    violate((await victim.ask('check', {})).problems);
  }
}

/** A pause of the checker. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
