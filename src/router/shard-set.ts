/**
 * All shards of a plane and the disks attached to them.
 *
 * 1. A disk is attached at most once; its handle is unique among attached disks and not used again
 *    until its volume is closed in the shard.
 * 2. A snapshot is opened any number of times, each with a volume and a handle of its own.
 * 3. A control message about an attached disk is sent after its requests in flight are settled.
 * 4. When a shard is replaced (shard-lane.ts) it first removes trees that nobody names, left by
 *    calls that were lost with its thread, and is shown the registered buffers. Then the volume of
 *    every attached disk and every open snapshot is opened again, as its record is now and under
 *    its former handle, with keys asked for anew. The face goes on working; its requests wait
 *    meanwhile, or are told why it cannot be opened (volume-gate.ts). A re-encryption job opens its
 *    volume again itself.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { PerformanceProfile } from '../performance/profile.ts';
import type { ReencryptProgress, ShardRequest, VolumeLayer } from '../record/shard-message.ts';
import { CompletionPoller } from './completion-poller.ts';
import type { DiskIo, DiskIoOptions } from './disk-io.ts';
import { ShardDispatch } from './dispatch.ts';
import type { OpenVolume } from './open-volume.ts';
import { Pacing } from './pacing.ts';
import { RegisteredBuffers } from './registered-buffers.ts';
import { ShardLane } from './shard-lane.ts';
import type { ShardSetOptions } from './shard-set-options.ts';
import { SnapshotIo } from './snapshot-io.ts';
import { VolumeGate } from './volume-gate.ts';
import { VolumeHandles } from './volume-handles.ts';
import type { OpenReencryption, VolumeToOpen } from './volume-to-open.ts';

export class ShardSet {
  private readonly options: ShardSetOptions;
  private readonly lanes: ShardLane[] = [];
  private readonly attached = new Map<string, OpenVolume>();
  /** Snapshots that are open for reading. */
  private readonly readers = new Set<OpenVolume>();
  readonly buffers: RegisteredBuffers;
  private readonly handles = new VolumeHandles();
  private readonly pacing = new Pacing();

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

  /** Resolves when the requests made so far to a disk, if it is attached, are settled. */
  async drain(diskId: string): Promise<void> {
    await this.attached.get(diskId)?.io.drain();
  }

  /** Makes an attached disk larger in its shard, then for its callers. */
  async resize(diskId: string, sizeBytes: number): Promise<void> {
    const open = this.attached.get(diskId);
    if (open === undefined) return;
    if (await this.isOpen(open)) {
      await this.call(open.shardIndex, { op: 'resizeVolume', handle: open.io.handle, sizeBytes });
    }
    open.io.grow(sizeBytes);
  }

  /** An attached disk that is modelled is as fast as this from now on. */
  changeProfile(diskId: string, profile: PerformanceProfile): void {
    this.attached.get(diskId)?.io.changeProfile(profile);
  }

  /**
   * Opens a volume in its shard and gives the disk's face.
   *
   * @param onDetached called once, after the volume is closed and its key erased
   * @throws PlaneError Busy (too many attached), what KMS or the shard answered
   */
  async attach(volume: VolumeToOpen, onDetached: () => Promise<void>): Promise<DiskIo> {
    const { diskId } = volume;
    invariant(!this.attached.has(diskId), `${diskId} is attached once`);
    const keep = (open: OpenVolume): unknown => this.attached.set(diskId, open);
    return this.openIo(volume, false, keep, () => {
      this.attached.delete(diskId);
      return onDetached();
    });
  }

  /**
   * Opens a volume of its own on a snapshot's trees and gives a face that only reads.
   *
   * @throws PlaneError Busy (too many open), what KMS or the shard answered
   */
  async openSnapshot(volume: VolumeToOpen): Promise<SnapshotIo> {
    const keep = (open: OpenVolume): unknown => this.readers.add(open);
    const io = await this.openIo(volume, true, keep, async (open) => {
      this.readers.delete(open);
    });
    return new SnapshotIo(io);
  }

  /** How many times a snapshot is open. */
  readerCount(snapshotId: string): number {
    return [...this.readers].filter(({ io }) => io.diskId === snapshotId).length;
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
    const { handle } = open.io;
    await this.call(open.shardIndex, { op: 'pushLayer', handle, layer });
    open.trees = [layer.tree, ...open.trees];
  }

  /** Gives up the lower layers, which are empty, of a disk or snapshot wherever it is open. */
  async dropLowerLayers(id: string): Promise<void> {
    const ofIt = this.everyOpen().filter((open) => open.io.diskId === id);
    const drops = ofIt.map((open) => this.dropLower(open));
    for (const outcome of await Promise.allSettled(drops)) {
      if (outcome.status === 'rejected') throw outcome.reason;
    }
  }

  /**
   * Opens a volume of its own for a re-encryption job, beside one that is attached.
   *
   * @throws PlaneError Busy (too many open), what KMS or the shard answered
   */
  async openReencryption(volume: VolumeToOpen): Promise<OpenReencryption> {
    const { shardIndex } = volume;
    const lane = this.lane(shardIndex);
    const { dispatch, losses } = lane;
    const handle = await this.openVolume(volume);
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
    const disks = this.everyOpen().map((open) => open.io.close());
    const outcomes = await Promise.allSettled(disks);
    await this.pacing.close();
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
    for (const open of this.volumesOf(shardIndex)) this.shutVolume(open);
  }

  private shutVolume(open: OpenVolume): void {
    if (open.gate === null) {
      open.gate = new VolumeGate(open.io.diskId, () => this.reopen(open));
      open.io.shut(open.gate);
    } else {
      open.gate.shut();
    }
  }

  private refuseVolumes(shardIndex: number, error: PlaneError): void {
    for (const { gate } of this.volumesOf(shardIndex)) gate?.refuse(error, true);
  }

  /**
   * Rule 4. Messages to a shard are handled in their order: these come before all that waits, trees
   * are removed before one is made again, buffers are there before volumes.
   */
  private restore(shardIndex: number): void {
    const lane = this.lane(shardIndex);
    const retain = { op: 'retainTrees', names: this.options.treesToKeep(shardIndex) } as const;
    for (const request of [retain, ...this.buffers.registerRequests()]) {
      // Lost again: the next one is told.
      lane.call(request).catch(() => undefined);
    }
    for (const open of this.volumesOf(shardIndex)) this.reopen(open);
  }

  private reopen(open: OpenVolume): void {
    const opening = this.openAgain(open).finally(() => {
      // It may have outlived its thread: then another is waited for.
      if (open.opening === opening) open.opening = null;
    });
    open.opening = opening;
  }

  private async openAgain(open: OpenVolume): Promise<void> {
    const { io, shardIndex, isReadOnly } = open;
    const lane = this.lane(shardIndex);
    const { losses } = lane;
    let refusal: PlaneError | null = null;
    try {
      await this.options.reopen(io.diskId, async ({ sizeBytes, layers }) => {
        const { handle, diskId } = io;
        open.trees = layers.map(({ tree }) => tree);
        const request = {
          op: 'openVolume',
          handle,
          diskId,
          sizeBytes,
          layers,
          isReadOnly,
        } as const;
        await lane.call(request);
      });
    } catch (error) {
      if (!(error instanceof PlaneError)) throw error;
      refusal = error;
    }
    // Lost again: its volumes are opened again when it is replaced again.
    if (lane.losses !== losses) return;
    if (refusal !== null) {
      open.gate?.refuse(refusal);
      return;
    }
    open.gate = null;
    io.unshut();
  }

  /** Waits until it is known. @returns false: it is opened later, as its record is then */
  private async isOpen(open: OpenVolume): Promise<boolean> {
    await this.lane(open.shardIndex).settled();
    await open.opening;
    return open.gate === null;
  }

  private async dropLower(open: OpenVolume): Promise<void> {
    if (!(await this.isOpen(open)) || open.trees.length === 1) return;
    await this.call(open.shardIndex, { op: 'dropLowerLayers', handle: open.io.handle });
    open.trees = open.trees.slice(0, 1);
  }

  /**
   * A tree is about to be removed that no record names. A volume that was opened again just before
   * its record was changed may have it as a lower layer, empty: it must not be closed with it.
   */
  private async letGoOf(tree: string): Promise<void> {
    for (const open of this.everyOpen()) {
      if (open.trees.indexOf(tree) <= 0) continue;
      await this.dropLower(open).catch((error: unknown) => {
        // Closed meanwhile: it has let go.
        if (!(error instanceof PlaneError && error.code === 'DiskClosed')) throw error;
      });
    }
  }

  private volumesOf(shardIndex: number): OpenVolume[] {
    return this.everyOpen().filter((open) => open.shardIndex === shardIndex);
  }

  private everyOpen(): OpenVolume[] {
    return [...this.attached.values(), ...this.readers];
  }

  lane(shardIndex: number): ShardLane {
    const lane = this.lanes[shardIndex];
    invariant(lane !== undefined, `shard ${shardIndex} exists`);
    return lane;
  }

  /**
   * @param keep has it found from then on
   * @param onClosed called once, after the volume is closed and its keys erased
   */
  private async openIo(
    volume: VolumeToOpen,
    isReadOnly: boolean,
    keep: (open: OpenVolume) => unknown,
    onClosed: (open: OpenVolume) => Promise<void>,
  ): Promise<DiskIo> {
    const { diskId, sizeBytes, shardIndex, layers } = volume;
    const lane = this.lane(shardIndex);
    const { losses } = lane;
    const handle = await this.openVolume(volume, isReadOnly);
    const options: DiskIoOptions = {
      diskId,
      sizeBytes,
      encrypted: layers[0]?.wrappedKey != null,
      handle,
      dispatch: lane.dispatch,
      findRuns: async (sector, sectorCount) => {
        const request = { op: 'findRuns', handle, sector, sectorCount } as const;
        return (await this.call(shardIndex, request)) as readonly number[];
      },
      detach: async () => {
        try {
          await open.opening;
          await this.closeVolume(shardIndex, handle);
        } finally {
          await onClosed(open);
        }
      },
    };
    const io = this.pacing.faceOf(options, volume);
    const trees = layers.map(({ tree }) => tree);
    const open: OpenVolume = { io, isReadOnly, shardIndex, trees, gate: null, opening: null };
    keep(open);
    if (lane.losses !== losses) {
      // The thread that opened it was lost as soon as it had answered. By two openings it would be
      // shut again behind main's back: one that is being replaced opens what it finds kept.
      this.shutVolume(open);
      if (!lane.isReplacing) this.reopen(open);
    }
    return io;
  }

  /** @returns the handle of the volume, to be given back by closeVolume() */
  private async openVolume(volume: VolumeToOpen, isReadOnly = false): Promise<number> {
    const { diskId, sizeBytes, shardIndex, layers } = volume;
    const handle = this.handles.take();
    try {
      const request = { op: 'openVolume', handle, diskId, sizeBytes, layers, isReadOnly } as const;
      await this.call(shardIndex, request);
    } catch (error) {
      this.handles.giveBack(handle);
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
      this.handles.giveBack(handle);
    }
  }
}

function isShardLost(error: unknown): boolean {
  return error instanceof PlaneError && error.code === 'ShardLost';
}
