/**
 * A short life of a plane that does the same each time, for passes that count system calls: opened,
 * written to, snapshotted, closed. It is played on copies of one data directory.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SECTOR_UNITS } from './content.ts';
import type { DiskHistory } from './disk-model.ts';
import { Ground } from './ground.ts';
import type { Round } from './pass.ts';
import { type Copy, copyOf, lookAtNew, takeCopy } from './snapshot-pass.ts';
import { type Point, pointsOf, STRACE_ENVIRONMENT, straceCommand } from './strace.ts';
import { Refused, VictimEnded, type VictimProcess } from './victim-process.ts';

const OPERATIONS = 24;

export interface Played {
  readonly ground: Ground;
  /** Copies asked for. */
  readonly copies: readonly Copy[];
  /** Codes of what was refused, of verbs and of the opening. */
  readonly refusals: readonly string[];
  /** True if it was killed, or ended by itself. */
  readonly isCutOff: boolean;
  readonly complaints: string;
}

export class Script {
  readonly #round: Round;
  readonly #template: Ground;
  readonly #loadSeed: number;
  #verifier: VictimProcess | null = null;

  constructor(round: Round) {
    this.#round = round;
    this.#loadSeed = round.prng.nextUint32();
    this.#template = new Ground(
      round,
      { shards: 1, disks: [{ Encrypted: true }, { Encrypted: false }], units: 24 * SECTOR_UNITS },
      join(round.directory, 'template'),
    );
  }

  /** Makes the data directory that is copied. */
  async prepare(): Promise<void> {
    const victim = this.#verify();
    const ground = this.#template;
    await ground.open(victim);
    await ground.makeDisks(victim);
    await ground.load(victim, { operations: 30, mix: { w: 1 } });
    await ground.verify(victim, ground.takeHistory());
    await victim.ask('close', {});
  }

  /** Every point of the script, found by playing it once. */
  async points(): Promise<Point[]> {
    const trace = join(this.#round.directory, 'trace');
    const played = await this.play(straceCommand(trace, null));
    await this.verify(played, new Set());
    const { dataDir } = played.ground;
    return pointsOf(trace, [`${dataDir}/meta/data.mdb`, `${dataDir}/kms/data.mdb`]);
  }

  /** Plays it on a new copy, under another program. */
  async play(under: readonly string[]): Promise<Played> {
    const ground = this.#copy();
    const victim = this.#round.special({ under, environment: STRACE_ENVIRONMENT });
    const copies: Copy[] = [];
    const refusals: string[] = [];
    let isCutOff = false;
    try {
      await this.#act(ground, victim, copies, refusals);
    } catch (error) {
      if (error instanceof Refused) refusals.push(error.code);
      else if (error instanceof VictimEnded) isCutOff = true;
      else throw error;
    }
    await victim.kill();
    return { ground, copies, refusals, isCutOff, complaints: victim.complaints };
  }

  /** Opens what was left, and compares. @param allowed codes requests may have failed with */
  async verify(played: Played, allowed: ReadonlySet<string>): Promise<DiskHistory> {
    const { ground, copies } = played;
    const history = ground.takeHistory(allowed);
    const victim = this.#verify();
    await ground.open(victim);
    await ground.attachAll(victim);
    for (const copy of copies) await lookAtNew(ground, victim, copy, history);
    await ground.verify(victim, history);
    await ground.check(victim);
    await victim.ask('close', {});
    return history;
  }

  async end(): Promise<void> {
    await this.#verifier?.kill();
  }

  async #act(
    ground: Ground,
    victim: VictimProcess,
    copies: Copy[],
    refusals: string[],
  ): Promise<void> {
    const tolerate = async (act: Promise<unknown>): Promise<boolean> => {
      try {
        await act;
        return true;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        refusals.push(error.code);
        return false;
      }
    };
    await ground.open(victim);
    for (const disk of ground.disks) await ground.attach(victim, disk);
    const load = { operations: OPERATIONS, callers: 1, burst: 2, mix: { w: 8, W: 1, t: 2, f: 1 } };
    await ground.load(victim, { ...load, seed: this.#loadSeed });
    for (const [index, source] of ground.disks.entries()) {
      const copy = copyOf(`copy-${index}`, source, index === 0 ? 'snapshot' : 'clone');
      copies.push(copy);
      copy.isAnswered = await tolerate(takeCopy(victim, copy));
    }
    const firstVersion = ground.nextVersion + OPERATIONS;
    await ground.load(victim, { ...load, seed: this.#loadSeed + 1, firstVersion });
    await tolerate(victim.ask('close', {}));
  }

  #verify(): VictimProcess {
    this.#verifier ??= this.#round.victim();
    return this.#verifier;
  }

  #copy(): Ground {
    const { options, disks, dataDir, nextVersion } = this.#template;
    const to = join(this.#round.directory, 'plane');
    rmSync(to, { recursive: true, force: true });
    cpSync(dataDir, to, { recursive: true });
    const ground = new Ground(this.#round, options, to);
    ground.disks.push(...disks.map((disk) => ({ ...disk })));
    ground.nextVersion = nextVersion;
    return ground;
  }
}
