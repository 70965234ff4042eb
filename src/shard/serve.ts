/**
 * What one shard does: executes its ring in order, batch by batch, and answers control messages.
 *
 * A batch is what the ring holds, up to BATCH_REQUESTS_MAX requests or BATCH_BYTES_MAX bytes:
 *   execute every slot ─▶ store.commit() or, if one asked for it, store.flush() ─▶ publish
 * 1. A write's completion is published only after the commit that covers it.
 * 2. If that commit or flush fails, every write, zero and flush of the batch fails with its error.
 * 3. Control messages are handled between batches, so they see no request half done.
 *
 * **Thread:** shard; imports no worker_threads, so the simulator can run it.
 */
import { type MemoryRegion, memoryRegion, scrubStack } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { PlaneError } from '../base/errors.ts';
import { unreachable } from '../base/invariant.ts';
import type { SectorCipherEngine, SectorKey } from '../cipher/sector-cipher.ts';
import { surveyEngines } from '../cipher/select-engine.ts';
import { ALLOCATION_RUNS_MAX, BATCH_BYTES_MAX, BATCH_REQUESTS_MAX } from '../limits.ts';
import type { UnwrapReply, UnwrapRequest } from '../record/kms-message.ts';
import {
  FLAG_TIMED,
  OPERATION,
  type ShardChannel,
  STAGING_BUFFER,
} from '../record/shard-channel.ts';
import type {
  ScrubStep,
  ShardCall,
  ShardReply,
  ShardRequest,
  VolumeLayer,
} from '../record/shard-message.ts';
import type { ShardStore } from '../segment/shard-store.ts';
import { executeSlot, failSlot, settleStore } from './execute.ts';
import { findRuns } from './extents.ts';
import { closeKeys, Keyring } from './keyring.ts';
import { Layer } from './layer.ts';
import { ReencryptionTurns } from './reencryption-turns.ts';
import { Scrub } from './scrub.ts';
import { shareTrees } from './share-trees.ts';
import { stageClock } from './stage-clock.ts';
import { Volume } from './volume.ts';

type RequestOf<Op extends ShardRequest['op']> = Extract<ShardRequest, { op: Op }>;

/** What a shard is made of. The store and the engine are its own. */
export interface ShardParts {
  readonly channel: ShardChannel;
  readonly store: ShardStore;
  readonly engine: SectorCipherEngine;
  readonly clock: Clock;
  readonly reply: (reply: ShardReply) => void;
  readonly unwrap: (request: UnwrapRequest) => void;
  /** Takes the port that unwrap() sends through from now on. */
  readonly connectKms: (port: unknown) => void;
  /**
   * Lets a thread run that was just woken. Where shards have every core, main would otherwise wait
   * out a shard's time slice, in which the shard runs dry. Not for a shard that has nothing more to
   * do: on a busy machine whoever else gets the processor keeps it for milliseconds.
   */
  readonly yieldProcessor: () => void;
}

export class Shard {
  /** True after 'stop': keys are erased, the store is closed. */
  isStopped = false;
  private readonly parts: ShardParts;
  /** By the number slots name them by: the staging area, and registered buffers. */
  private readonly buffers = new Map<number, MemoryRegion>();
  private readonly keyring: Keyring;
  private readonly volumes = new Map<number, Volume>();
  private readonly turns: ReencryptionTurns;
  /** Requests executed and published, modulo 2^32. */
  private executed = 0;
  private batchRequests = 0;
  /** The last that was begun. */
  private scrub: Scrub | null = null;

  constructor(parts: ShardParts) {
    this.parts = parts;
    this.buffers.set(STAGING_BUFFER, memoryRegion(parts.channel.staging));
    this.keyring = new Keyring(parts.engine, parts.unwrap, parts.clock);
    this.turns = new ReencryptionTurns({
      clock: parts.clock,
      perform: (handle, sectorsMax) => this.volume(handle).reencryptStep(sectorsMax),
      answer: (id, act) => this.replyWith(id, act),
    });
  }

  get executedCount(): number {
    return this.executed;
  }

  /** Requests in the batch served last. */
  get lastBatchRequests(): number {
    return this.batchRequests;
  }

  /** Executes and publishes one batch. @returns false if the ring was empty */
  serveBatch(): boolean {
    const { channel, store } = this.parts;
    const submitted = channel.submitted;
    if (submitted === this.executed) return false;
    let end = this.executed;
    let bytes = 0;
    let requests = 0;
    let isFlush = false;
    while (end !== submitted && requests < BATCH_REQUESTS_MAX && bytes < BATCH_BYTES_MAX) {
      const isTimed = (channel.flags(end) & FLAG_TIMED) !== 0;
      if (isTimed) stageClock.begin();
      if (executeSlot(channel, end, this.volumes, this.buffers)) isFlush = true;
      if (isTimed) stageClock.end(channel, end);
      bytes += channel.operation(end) === OPERATION.zero ? 0 : channel.lengthBytes(end);
      requests++;
      end = (end + 1) >>> 0;
    }
    const commitBeganAt = stageClock.commitBegins();
    const failure = settleStore(store, isFlush);
    stageClock.commitEnds(channel, commitBeganAt);
    if (failure !== null) this.failBatch(this.executed, end, failure);
    this.executed = end;
    this.batchRequests = requests;
    const hasWoken = channel.publishCompleted(end);
    if (hasWoken && channel.submitted !== end) this.parts.yieldProcessor();
    this.turns.run(true);
    return true;
  }

  /** Takes a reply from the KMS thread. Key bytes in it are erased before this returns. */
  takeKey(reply: UnwrapReply): void {
    this.keyring.answer(reply);
  }

  /** Background work and deadlines. @returns true if there is more to do at once */
  idle(): boolean {
    this.keyring.expire();
    if (this.isStopped) return false;
    return this.turns.run(false) || this.parts.store.idle();
  }

  /** Handles a control message; the reply may come later (a key has to be unwrapped). */
  handle(call: ShardCall): void {
    this.replyWith(call.id, () => this.control(call.id, call.request));
  }

  /** Replies with a result, unless it comes LATER, or with an operating error. */
  private replyWith(id: number, act: () => unknown): void {
    try {
      const result = act();
      if (result !== LATER) this.parts.reply({ id, result });
    } catch (error) {
      if (!(error instanceof PlaneError)) throw error;
      this.parts.reply({ id, error: error.toRecord() });
    }
  }

  private failBatch(start: number, end: number, failure: PlaneError): void {
    const { channel } = this.parts;
    for (let at = start; at !== end; at = (at + 1) >>> 0) {
      const isRead = channel.operation(at) === OPERATION.read;
      if (!isRead && channel.status(at) === 0) failSlot(channel, at, failure);
    }
  }

  private control(id: number, request: ShardRequest): unknown {
    const { store } = this.parts;
    switch (request.op) {
      case 'openVolume':
        return this.openVolume(id, request);
      case 'pushLayer':
        return this.pushLayer(id, request.handle, request.layer);
      case 'reencryptStep':
        this.turns.add({ ...request, id });
        return LATER;
      case 'dropLowerLayers':
        this.volume(request.handle).dropLowerLayers();
        return null;
      case 'closeVolume':
        this.volumes.get(request.handle)?.close();
        this.volumes.delete(request.handle);
        return null;
      case 'registerBuffer':
        this.buffers.set(request.number, memoryRegion(new Uint8Array(request.buffer)));
        return null;
      case 'unregisterBuffer':
        this.buffers.delete(request.number);
        return null;
      case 'connectKms':
        this.parts.connectKms(request.port);
        this.keyring.askAgain();
        return null;
      case 'resizeVolume':
        this.volume(request.handle).sizeBytes = request.sizeBytes;
        return null;
      case 'findRuns':
        return this.findRuns(request);
      case 'shareTree':
        shareTrees(store, [request]);
        return null;
      case 'shareTrees':
        shareTrees(store, request.pairs);
        return null;
      case 'removeTree':
        this.removeTree(request.name);
        return null;
      case 'retainTrees':
        this.retainTrees(new Set(request.names));
        return null;
      case 'stats':
        return this.stats();
      case 'surveyEngines':
        return surveyEngines();
      case 'check':
        return store.check();
      case 'scrubStep':
        return this.scrubStep(request.pass, request.sectorsMax);
      case 'stop':
        this.stop();
        return null;
      default:
        return unreachable(request);
    }
  }

  private scrubStep(pass: number, sectorsMax: number): ScrubStep {
    if (this.scrub?.pass !== pass) this.scrub = new Scrub(pass, this.parts.store);
    return this.scrub.step(sectorsMax);
  }

  private openVolume(id: number, request: RequestOf<'openVolume'>): typeof LATER {
    const { store } = this.parts;
    const { handle, diskId, sizeBytes, isReadOnly } = request;
    return this.openLayers(id, request.layers, (layers) => {
      // Main may have given up an earlier attempt that succeeded late.
      this.volumes.get(handle)?.close();
      this.volumes.set(handle, new Volume(store, diskId, sizeBytes, layers, isReadOnly));
    });
  }

  private pushLayer(id: number, handle: number, layer: VolumeLayer): typeof LATER {
    const volume = this.volume(handle);
    return this.openLayers(id, [layer], ([top]) => {
      // Closed while the key was on its way; the handle may be another volume's by now.
      if (this.volumes.get(handle) !== volume) throw closedError(handle);
      volume.pushLayer(top!);
    });
  }

  /** Opens layers when their keys have come, and replies. @param use throws: they are closed */
  private openLayers(
    id: number,
    asked: readonly VolumeLayer[],
    use: (layers: readonly Layer[]) => void,
  ): typeof LATER {
    this.keyring.askAll(asked, (keys) => {
      this.replyWith(id, () => {
        if (keys instanceof PlaneError) throw keys;
        this.useLayers(asked, keys, use);
        return null;
      });
    });
    return LATER;
  }

  private findRuns({ handle, sector, sectorCount }: RequestOf<'findRuns'>): number[] {
    const volume = this.volume(handle);
    const count = (first: number, length: number): number => volume.countMapped(first, length);
    return findRuns(count, sector, sectorCount, ALLOCATION_RUNS_MAX);
  }

  private useLayers(
    asked: readonly VolumeLayer[],
    keys: readonly (SectorKey | null)[],
    use: (layers: readonly Layer[]) => void,
  ): void {
    const { store } = this.parts;
    try {
      use(asked.map((layer, index) => new Layer(store, layer.tree, keys[index] ?? null)));
    } catch (error) {
      closeKeys(keys);
      throw error;
    }
  }

  private volume(handle: number): Volume {
    const volume = this.volumes.get(handle);
    if (volume === undefined) throw closedError(handle);
    return volume;
  }

  /** A volume that has the tree open is closed: a background job may be at work on it. */
  private removeTree(name: string): void {
    const { store } = this.parts;
    for (const [handle, volume] of this.volumes) {
      if (!volume.hasTree(name)) continue;
      volume.close();
      this.volumes.delete(handle);
    }
    store.removeTree(name);
    store.commit();
  }

  private retainTrees(names: ReadonlySet<string>): void {
    const { store } = this.parts;
    for (const name of store.treeNames()) if (!names.has(name)) store.removeTree(name);
    store.commit();
  }

  private stats(): unknown {
    let heldKeys = 0;
    for (const volume of this.volumes.values()) heldKeys += volume.keyCount;
    return {
      ...this.parts.store.stats(),
      engine: this.parts.engine.name,
      openVolumes: this.volumes.size,
      heldKeys,
      unwraps: this.keyring.unwrapTimes.read(),
    };
  }

  private stop(): void {
    this.turns.close(closedError);
    this.eraseKeys();
    this.isStopped = true;
    this.parts.store.close();
    scrubStack();
  }

  /** Also for a shard that ends by an error nobody caught: its thread may outlive it a while. */
  eraseKeys(): void {
    for (const volume of this.volumes.values()) volume.close();
    this.volumes.clear();
    this.keyring.close();
    scrubStack();
  }
}

function closedError(handle: number): PlaneError {
  return new PlaneError('DiskClosed', `no volume has handle ${handle}`);
}

/** Stands for a reply that is sent when it is known. */
const LATER: unique symbol = Symbol('later');
