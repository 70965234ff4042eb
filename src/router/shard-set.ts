/**
 * All shards of a plane and the disks attached to them.
 *
 * 1. A disk is attached at most once; its handle is unique among attached disks and not used again
 *    until its volume is closed in the shard.
 * 2. A control message about an attached disk is sent after its requests in flight are settled.
 * 3. When a shard is replaced (shard-lane.ts) it is shown the registered buffers, then the volume
 *    of every attached disk is opened again, as its record is now and under its former handle, with
 *    keys asked for anew. The disk's face goes on working; its requests wait meanwhile, or are told
 *    why it cannot be opened (volume-gate.ts). A re-encryption job opens its volume again itself.
 *
 * **Thread:** main.
 */
import { type ErrorCode, PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { ATTACHED_DISKS_MAX } from '../limits.ts';
import type { ReencryptProgress, ShardRequest, VolumeLayer } from '../record/shard-message.ts';
import type { ShardThread } from '../threads/shard-thread.ts';
import { CompletionPoller } from './completion-poller.ts';
import { DiskIo } from './disk-io.ts';
import { ShardDispatch } from './dispatch.ts';
import { RegisteredBuffers } from './registered-buffers.ts';
import { ShardLane } from './shard-lane.ts';
import { VolumeGate } from './volume-gate.ts';

/** What has to be known to open a disk's volume. No plaintext key. */
export interface VolumeToOpen {
  readonly diskId: string;
  readonly sizeBytes: number;
  readonly shardIndex: number;
  /** Top first, at least one. */
  readonly layers: readonly VolumeLayer[];
}

/** A volume that a re-encryption job has open. */
export interface OpenReencryption {
  /** Moves at most so many sectors. @throws PlaneError what the shard answered, ShardLost */
  /** @param sliceSectors moved at once between the requests of callers */
  step(sectorsMax: number, sliceSectors: number): Promise<ReencryptProgress>;
  /** Requests of callers are in flight to the same shard. */
  isShardBusy(): boolean;
  /** Erases its keys. */
  close(): Promise<void>;
}

/** What a ShardSet is made of. */
export interface ShardSetOptions {
  /** Started, in order of their index; moved: closed by close(). */
  readonly threads: readonly ShardThread[];
  /** Starts a thread in place of one that is gone. */
  readonly restart: (shardIndex: number) => Promise<ShardThread>;
  /** Stores are in memory. */
  readonly isVolatile: boolean;
  readonly lossesMax?: number | undefined;
  readonly cores: number;
  /**
   * Has the volume of an attached disk opened as its record is now.
   *
   * @throws PlaneError why it cannot be, in the words its callers are answered
   */
  readonly reopen: (diskId: string, open: (volume: VolumeToOpen) => Promise<void>) => Promise<void>;
}

interface Attached {
  readonly disk: DiskIo;
  readonly shardIndex: number;
  /** Of its layers, top first, as they were last opened or changed. */
  trees: readonly string[];
  /** There is one while the volume is not open. */
  gate: VolumeGate | null;
  opening: Promise<void> | null;
}

/** Refusals to open a volume again that no later attempt can change. */
const FINAL_CODES: ReadonlySet<ErrorCode> = new Set(['DataLost', 'DataKeyErased']);

export class ShardSet {
  private readonly options: ShardSetOptions;
  private readonly lanes: ShardLane[] = [];
  private readonly attached = new Map<string, Attached>();
  readonly buffers: RegisteredBuffers;
  private readonly handles = new Set<number>();
  private nextHandle = 1;

  constructor(options: ShardSetOptions) {
    const { threads, restart, isVolatile, lossesMax, cores } = options;
    this.options = options;
    this.buffers = new RegisteredBuffers((request) => this.callLiving(request));
    const poller = new CompletionPoller(cores);
    for (const [shardIndex, thread] of threads.entries()) {
      const dispatch = new ShardDispatch(thread.channel, this.buffers, () => poller.start());
      poller.add(dispatch, thread.channel);
      const lane = new ShardLane({
        shardIndex,
        thread,
        dispatch,
        isVolatile,
        lossesMax,
        restart: async () => {
          const next = await restart(shardIndex);
          poller.renew(dispatch, next.channel);
          return next;
        },
        onLost: () => this.shutVolumes(shardIndex),
        onReplaced: () => this.restore(shardIndex),
        onDown: (error) => this.refuseVolumes(shardIndex, error),
      });
      this.lanes.push(lane);
    }
  }

  get count(): number {
    return this.lanes.length;
  }

  /** @throws PlaneError what the shard answered, ShardLost */
  async call(shardIndex: number, request: ShardRequest): Promise<unknown> {
    if (request.op === 'removeTree') await this.letGoOf(request.name);
    return this.lane(shardIndex).call(request);
  }

  /** The KMS thread is another: every shard gets a private channel to it. */
  async connectKms(): Promise<void> {
    for (const outcome of await Promise.allSettled(this.lanes.map((lane) => lane.connectKms()))) {
      // A shard that is lost meanwhile is introduced when it is started again.
      if (outcome.status === 'rejected' && !(outcome.reason instanceof PlaneError)) {
        throw outcome.reason;
      }
    }
  }

  /** How many threads of a shard were lost and, but for the last maybe, replaced. */
  lossesOf(shardIndex: number): number {
    return this.lane(shardIndex).losses;
  }

  /** Resolves when the requests made so far to a disk, if it is attached, are settled. */
  async drain(diskId: string): Promise<void> {
    await this.attached.get(diskId)?.disk.drain();
  }

  /** Makes an attached disk larger in its shard, then for its callers. */
  async resize(diskId: string, sizeBytes: number): Promise<void> {
    const open = this.attached.get(diskId);
    if (open === undefined) return;
    if (await this.isOpen(open)) {
      await this.call(open.shardIndex, { op: 'resizeVolume', handle: open.disk.handle, sizeBytes });
    }
    open.disk.grow(sizeBytes);
  }

  /**
   * Opens a volume in its shard and gives the disk's face.
   *
   * @param onDetached called once, after the volume is closed and its key erased
   * @throws PlaneError Busy (too many attached), what KMS or the shard answered
   */
  async attach(volume: VolumeToOpen, onDetached: () => Promise<void>): Promise<DiskIo> {
    const { diskId, sizeBytes, shardIndex, layers } = volume;
    invariant(!this.attached.has(diskId), `${diskId} is attached once`);
    const handle = await this.openVolume(volume);
    const disk = new DiskIo({
      diskId,
      sizeBytes,
      encrypted: layers[0]?.wrappedKey != null,
      handle,
      dispatch: this.lane(shardIndex).dispatch,
      findRuns: async (sector, sectorCount) => {
        const request = { op: 'findRuns', handle, sector, sectorCount } as const;
        return (await this.call(shardIndex, request)) as readonly number[];
      },
      detach: async () => {
        try {
          await this.attached.get(diskId)?.opening;
          await this.closeVolume(shardIndex, handle);
        } finally {
          this.attached.delete(diskId);
          await onDetached();
        }
      },
    });
    const trees = layers.map(({ tree }) => tree);
    this.attached.set(diskId, { disk, shardIndex, trees, gate: null, opening: null });
    return disk;
  }

  /**
   * Puts a new layer on top of a disk, if it is attached. Requests settled before are below it.
   *
   * @throws PlaneError what KMS or the shard answered: nothing is changed; Busy, ShardLost: unknown
   */
  async pushLayer(diskId: string, layer: VolumeLayer): Promise<void> {
    const open = this.attached.get(diskId);
    if (open === undefined || !(await this.isOpen(open))) return;
    // Opened again meanwhile, as its record is: with it.
    if (open.trees.includes(layer.tree)) return;
    const { handle } = open.disk;
    await this.call(open.shardIndex, { op: 'pushLayer', handle, layer });
    open.trees = [layer.tree, ...open.trees];
  }

  /** Gives up the lower layers of a disk, which are empty, if it is attached. */
  async dropLowerLayers(diskId: string): Promise<void> {
    const open = this.attached.get(diskId);
    if (open !== undefined) await this.dropLower(open);
  }

  /**
   * Opens a volume of its own for a re-encryption job, beside one that is attached.
   *
   * @throws PlaneError Busy (too many open), what KMS or the shard answered
   */
  async openReencryption(volume: VolumeToOpen): Promise<OpenReencryption> {
    const { shardIndex } = volume;
    const lane = this.lane(shardIndex);
    const handle = await this.openVolume(volume);
    const { dispatch, losses } = lane;
    return {
      step: (sectorsMax, sliceSectors) => {
        const request = { op: 'reencryptStep', handle, sectorsMax, sliceSectors } as const;
        if (lane.losses === losses) return lane.call(request) as Promise<ReencryptProgress>;
        const what = `shard ${shardIndex} was lost with a volume that was being re-encrypted`;
        return Promise.reject(new PlaneError('ShardLost', what));
      },
      isShardBusy: () => dispatch.inFlight > 0,
      close: () => this.closeVolume(shardIndex, handle),
    };
  }

  /** Detaches every disk, stops every shard. */
  async close(): Promise<void> {
    const disks = [...this.attached.values()].map((open) => open.disk.close());
    const outcomes = await Promise.allSettled(disks);
    const stops = await Promise.allSettled(this.lanes.map((lane) => lane.close()));
    for (const stop of stops) if (stop.status === 'rejected') throw stop.reason;
    for (const outcome of outcomes) {
      const isLoss = outcome.status === 'rejected' && outcome.reason instanceof PlaneError;
      if (outcome.status === 'rejected' && !isLoss) throw outcome.reason;
    }
  }

  /** Every shard's turn to do something; one that was lost has nothing left to do. */
  private async callLiving(request: ShardRequest): Promise<void> {
    const calls = this.lanes.map((lane) => lane.call(request));
    for (const outcome of await Promise.allSettled(calls)) {
      if (outcome.status === 'fulfilled') continue;
      if (!isShardLost(outcome.reason)) throw outcome.reason;
    }
  }

  private shutVolumes(shardIndex: number): void {
    for (const open of this.volumesOf(shardIndex)) {
      if (open.gate === null) {
        open.gate = new VolumeGate(open.disk.diskId, () => this.reopen(open));
        open.disk.shut(open.gate);
      } else {
        open.gate.shut();
      }
    }
  }

  private refuseVolumes(shardIndex: number, error: PlaneError): void {
    for (const { gate } of this.volumesOf(shardIndex)) gate?.refuse(error, true);
  }

  /** Rule 3. Messages to a shard are handled in their order: buffers are there before volumes. */
  private restore(shardIndex: number): void {
    const lane = this.lane(shardIndex);
    for (const request of this.buffers.registerRequests()) {
      // Lost again: the next one is told.
      lane.call(request).catch(() => undefined);
    }
    for (const open of this.volumesOf(shardIndex)) this.reopen(open);
  }

  private reopen(open: Attached): void {
    open.opening = this.openAgain(open).finally(() => {
      open.opening = null;
    });
  }

  private async openAgain(open: Attached): Promise<void> {
    const { disk, shardIndex } = open;
    const lane = this.lane(shardIndex);
    const { losses } = lane;
    let refusal: PlaneError | null = null;
    try {
      await this.options.reopen(disk.diskId, async ({ sizeBytes, layers }) => {
        const { handle, diskId } = disk;
        open.trees = layers.map(({ tree }) => tree);
        await lane.call({ op: 'openVolume', handle, diskId, sizeBytes, layers });
      });
    } catch (error) {
      if (!(error instanceof PlaneError)) throw error;
      refusal = error;
    }
    // Lost again: its volumes are opened again when it is replaced again.
    if (lane.losses !== losses) return;
    if (refusal !== null) {
      open.gate?.refuse(refusal, FINAL_CODES.has(refusal.code));
      return;
    }
    open.gate = null;
    disk.unshut();
  }

  /** Waits until it is known. @returns false: it is opened later, as its record is then */
  private async isOpen(open: Attached): Promise<boolean> {
    await this.lane(open.shardIndex).settled();
    await open.opening;
    return open.gate === null;
  }

  private async dropLower(open: Attached): Promise<void> {
    if (!(await this.isOpen(open)) || open.trees.length === 1) return;
    await this.call(open.shardIndex, { op: 'dropLowerLayers', handle: open.disk.handle });
    open.trees = open.trees.slice(0, 1);
  }

  /**
   * A tree is about to be removed that no record names. A volume that was opened again just before
   * its record was changed may have it as a lower layer, empty: it must not be closed with it.
   */
  private async letGoOf(tree: string): Promise<void> {
    for (const open of this.attached.values()) {
      if (open.trees.indexOf(tree) > 0) await this.dropLower(open);
    }
  }

  private volumesOf(shardIndex: number): Attached[] {
    return [...this.attached.values()].filter((open) => open.shardIndex === shardIndex);
  }

  private lane(shardIndex: number): ShardLane {
    const lane = this.lanes[shardIndex];
    invariant(lane !== undefined, `shard ${shardIndex} exists`);
    return lane;
  }

  /** @returns the handle of the volume, to be given back by closeVolume() */
  private async openVolume(volume: VolumeToOpen): Promise<number> {
    const { diskId, sizeBytes, shardIndex, layers } = volume;
    const handle = this.takeHandle();
    try {
      await this.call(shardIndex, { op: 'openVolume', handle, diskId, sizeBytes, layers });
    } catch (error) {
      this.handles.delete(handle);
      throw error;
    }
    return handle;
  }

  private async closeVolume(shardIndex: number, handle: number): Promise<void> {
    try {
      await this.call(shardIndex, { op: 'closeVolume', handle });
    } catch (error) {
      // Its keys went with the thread.
      if (!isShardLost(error)) throw error;
    } finally {
      this.handles.delete(handle);
    }
  }

  private takeHandle(): number {
    if (this.handles.size === ATTACHED_DISKS_MAX) {
      throw new PlaneError('Busy', `${ATTACHED_DISKS_MAX} disks are attached`);
    }
    while (this.handles.has(this.nextHandle)) this.nextHandle = wrapHandle(this.nextHandle);
    const handle = this.nextHandle;
    this.handles.add(handle);
    this.nextHandle = wrapHandle(handle);
    return handle;
  }
}

function isShardLost(error: unknown): boolean {
  return error instanceof PlaneError && error.code === 'ShardLost';
}

function wrapHandle(handle: number): number {
  return handle >= 2 * ATTACHED_DISKS_MAX ? 1 : handle + 1;
}
