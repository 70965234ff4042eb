/**
 * Faults on demand, for tests: a thread of a plane is killed, or hangs, when the test says so.
 *
 * A plane takes part only if it is opened with a Sabotage under the key SABOTAGE, a symbol that
 * only this module has. The library's entry does not export it, so no option of a caller, no file
 * and no message can bring it about.
 *
 * @example
 * const sabotage = new Sabotage({ shardHangMs: 500 });
 * const plane = await openPlane({ dataDir, [SABOTAGE]: sabotage });
 * await sabotage.killShard(0);
 *
 * **Thread:** main.
 */
import type { FaultKind } from '../base/faults.ts';
import { invariant } from '../base/invariant.ts';

/** The option of openPlane() a Sabotage is given under. */
export const SABOTAGE: unique symbol = Symbol('sabotage');

export interface SabotageOptions {
  /** In place of SHARD_HANG_MS, KMS_HANG_MS: how long one that owes something is silent. */
  readonly shardHangMs?: number;
  readonly kmsHangMs?: number;
  /** In place of SHARD_HEAP_MB. */
  readonly shardHeapMb?: number;
  /** In place of THREAD_LOSSES_MAX; infinite: a lost thread is always started again, at once. */
  readonly lossesMax?: number;
}

/** terminate: the thread is ended from outside, wherever it is. */
export type Fault = FaultKind | 'terminate';

/** One life of a thread that can be given faults. */
export interface SabotageTarget {
  fault(kind: Fault): void;
  /** Resolves when main has noticed that the thread is lost. */
  readonly lost: Promise<void>;
}

export class Sabotage {
  readonly options: SabotageOptions;
  private readonly shards = new Map<number, SabotageTarget>();
  private kms: SabotageTarget | null = null;

  constructor(options: SabotageOptions = {}) {
    this.options = options;
  }

  /** Called by a thread that starts, each time one does. */
  addShard(shardIndex: number, target: SabotageTarget): void {
    this.shards.set(shardIndex, target);
  }

  addKms(target: SabotageTarget): void {
    this.kms = target;
  }

  /** Resolves when main has noticed: what was in flight is answered by then. */
  killShard(shardIndex: number, kind: Fault = 'terminate'): Promise<void> {
    const target = this.shards.get(shardIndex);
    invariant(target !== undefined, `shard ${shardIndex} was started with this sabotage`);
    target.fault(kind);
    return target.lost;
  }

  /** From now on it does nothing any more. It is noticed when something waits for it. */
  hangShard(shardIndex: number): void {
    void this.killShard(shardIndex, 'hang');
  }

  /** As killShard(). */
  killKms(kind: Exclude<Fault, 'outOfMemory'> = 'terminate'): Promise<void> {
    invariant(this.kms !== null, 'the KMS thread was started with this sabotage');
    this.kms.fault(kind);
    return this.kms.lost;
  }

  /** As hangShard(). */
  hangKms(): void {
    void this.killKms('hang');
  }
}
