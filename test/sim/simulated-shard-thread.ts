/**
 * A shard's thread in simulated time: the real Shard over the real store, in place of a piscina
 * worker. To the router it is what src/threads/shard-thread.ts is.
 *
 *   call() ─▶ lane ─▶ Shard.handle ─▶ lane ─▶ its promise      the ring is served by an actor
 *   Shard asks for a key ─▶ lane ─▶ KMS ─▶ lane ─▶ Shard.takeKey
 *
 * crash() ends it as a thread's end does: what it has answered still arrives, all else is
 * ShardLost. Its files are as the operating system has them.
 */
import { PlaneError } from '../../src/base/errors.ts';
import { selectEngine } from '../../src/cipher/select-engine.ts';
import { KMS_TIMEOUT_MS } from '../../src/limits.ts';
import type { UnwrapReply, UnwrapRequest } from '../../src/record/kms-message.ts';
import {
  allocateShardChannel,
  ShardChannel,
  type ShardChannelMemory,
} from '../../src/record/shard-channel.ts';
import type { ShardReply, ShardRequest } from '../../src/record/shard-message.ts';
import { openFileStore } from '../../src/segment/file-store.ts';
import type { StoreGeometry } from '../../src/segment/geometry.ts';
import type { ShardStore } from '../../src/segment/shard-store.ts';
import { Shard } from '../../src/shard/serve.ts';
import { ProcessFileSystem } from './process-file-system.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { Actor, Lane, SimulatedTime } from './simulated-time.ts';
import type { Trace } from './trace.ts';

export interface ShardThreadSeams {
  readonly time: SimulatedTime;
  readonly trace: Trace;
  readonly geometry: StoreGeometry;
  readonly weight: () => number;
  /** Asks the KMS thread; it may never answer. */
  readonly unwrap: (request: UnwrapRequest, answer: (reply: UnwrapReply) => void) => void;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: PlaneError) => void;
}

const DIRECTORY = '/shard';
/** Staging that small histories use: what an earlier one has left there must not be seen. */
const POISON = new Uint8Array(128 * 1024).fill(0xee);

const engine = selectEngine('auto').engine;
/** Memory of channels nobody uses: 8 MiB each are too much for every history. */
const freeMemory: ShardChannelMemory[] = [];

function takeMemory(): ShardChannelMemory {
  const memory = freeMemory.pop() ?? allocateShardChannel();
  for (const part of ['counters', 'slots', 'doorbell'] as const) {
    new Float64Array(memory[part]).fill(0);
  }
  // On shared memory set() takes words at a time, fill() bytes.
  new Uint8Array(memory.staging).set(POISON);
  return memory;
}

/** Main never sleeps: that it looks again later is its turn, like any other. */
class WakefulChannel extends ShardChannel {
  override sleepMain(): null {
    return null;
  }

  override blockMain(): void {}
}

export class SimulatedShardThread {
  readonly channel: ShardChannel;
  /** Resolves when it has ended: two of a shard never have one store open. */
  readonly gone: Promise<void>;
  readonly disk: SimulatedDisk;
  onLost: (error: PlaneError) => void = () => {};
  isLost = false;
  readonly #memory: ShardChannelMemory;
  readonly #seams: ShardThreadSeams;
  readonly #index: number;
  readonly #fileSystem: ProcessFileSystem;
  readonly #toShard: Lane;
  readonly #toMain: Lane;
  readonly #fromKms: Lane;
  readonly #waiting = new Map<number, Waiting>();
  #shard: Shard | null = null;
  #store: ShardStore | null = null;
  #actor: Actor | null = null;
  #hasIdleWork = true;
  #nextId = 1;
  #isGone: () => void = () => {};
  #isMemoryGiven = false;

  constructor(index: number, disk: SimulatedDisk, seams: ShardThreadSeams) {
    this.#index = index;
    this.disk = disk;
    this.#seams = seams;
    this.#memory = takeMemory();
    this.channel = new WakefulChannel(this.#memory);
    this.gone = new Promise((resolve) => {
      this.#isGone = resolve;
    });
    this.#fileSystem = new ProcessFileSystem(disk);
    this.#toShard = seams.time.lane(seams.weight());
    this.#toMain = seams.time.lane(seams.weight());
    this.#fromKms = seams.time.lane(seams.weight());
  }

  /** The store, for a look without asking; null before it is open, and afterwards. */
  get store(): ShardStore | null {
    return this.#store;
  }

  /** Opens the store, in its turn. @throws PlaneError what recovery refuses with: it has ended */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#toShard.push(() => {
        try {
          // One that has ended by then has opened nothing, and nothing has failed.
          if (this.isLost) throw this.#lostError();
          this.#open();
          this.#toMain.push(() => resolve());
        } catch (error) {
          if (!(error instanceof PlaneError)) throw error;
          this.#end();
          this.#toMain.push(() => reject(error));
        }
      });
    });
  }

  call(request: ShardRequest): Promise<unknown> {
    if (this.isLost) return Promise.reject(this.#lostError());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#toShard.push(() => {
        this.#seams.trace.note('control', this.#index, request.op);
        this.#shard?.handle({ id, request });
        this.#hasIdleWork = true;
      });
    });
  }

  async close(): Promise<void> {
    if (this.isLost) return;
    try {
      await this.call({ op: 'stop' });
    } finally {
      this.#end();
    }
  }

  /** The thread ends where it is. */
  crash(): void {
    while (this.#toMain.length > 0) this.#toMain.runNext();
    this.#end();
    this.#isGone();
    const error = this.#lostError();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.onLost(error);
  }

  /** The whole process has ended: nobody is told. Gives its memory back. */
  end(): void {
    this.#end();
    if (!this.#isMemoryGiven) freeMemory.push(this.#memory);
    this.#isMemoryGiven = true;
  }

  /** As after the KMS thread was started again. */
  async connectKms(): Promise<void> {
    await this.call({ op: 'connectKms', port: null });
  }

  #open(): void {
    const { geometry, time, trace } = this.#seams;
    const opened = openFileStore(DIRECTORY, {
      fileSystem: this.#fileSystem,
      geometry,
      // What a dead thread still tries is no failure of its store.
      onFailed: () => {
        if (!this.isLost) this.channel.markStoreFailed();
      },
    });
    this.#store = opened.store;
    const { batchesReplayed, sectorsDropped } = opened.recovery;
    trace.note('recovered', this.#index, batchesReplayed, sectorsDropped);
    const shard = new Shard({
      channel: this.channel,
      store: opened.store,
      engine,
      clock: time.clock,
      reply: (reply) => this.#toMain.push(() => this.#take(reply)),
      unwrap: (request) => this.#unwrap(request),
      // Both KMS threads are behind one lane.
      connectKms: () => {},
      yieldProcessor: () => {},
    });
    this.#shard = shard;
    this.#actor = {
      weight: this.#seams.weight(),
      isReady: () => this.#hasIdleWork || this.channel.submitted !== shard.executedCount,
      act: () => this.#act(shard),
    };
    time.addActor(this.#actor);
  }

  #act(shard: Shard): void {
    if (shard.isStopped) {
      this.#hasIdleWork = false;
    } else if (shard.serveBatch()) {
      this.#seams.trace.note('batch', this.#index, shard.executedCount);
      this.#hasIdleWork = true;
    } else {
      this.#hasIdleWork = shard.idle();
    }
  }

  #unwrap(request: UnwrapRequest): void {
    const shard = this.#shard;
    this.#seams.unwrap(request, (reply) =>
      this.#fromKms.push(() => {
        if (!this.isLost) shard?.takeKey(reply);
      }),
    );
    // The serve loop looks at its deadlines every so often.
    this.#seams.time.after(KMS_TIMEOUT_MS + 1, () => {
      if (!this.isLost && this.#store !== null) shard?.idle();
    });
  }

  #take(reply: ShardReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiting?.reject(PlaneError.fromRecord(reply.error));
    else waiting?.resolve(reply.result);
  }

  #end(): void {
    this.isLost = true;
    if (this.#actor !== null) this.#seams.time.removeActor(this.#actor);
    this.#actor = null;
    const shard = this.#shard;
    this.#shard = null;
    this.#store = null;
    this.#fileSystem.isDead = true;
    // Key schedules and sector memory are not the collector's: a dead thread's are given back here.
    if (shard?.isStopped === false) shard.handle({ id: 0, request: { op: 'stop' } });
  }

  #lostError(): PlaneError {
    return new PlaneError('ShardLost', `simulated shard ${this.#index} has ended`);
  }
}
