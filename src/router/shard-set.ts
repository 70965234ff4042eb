/**
 * All shards of a plane and the disks attached to them.
 *
 * 1. A disk is attached at most once; its handle is unique among attached disks and not used again
 *    until its volume is closed in the shard.
 * 2. A snapshot is opened any number of times, each with a volume and a handle of its own.
 * 3. A control message about an attached disk is sent after its requests in flight are settled.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { ATTACHED_DISKS_MAX } from '../limits.ts';
import type { ReencryptProgress, ShardRequest, VolumeLayer } from '../record/shard-message.ts';
import type { ShardThread } from '../threads/shard-thread.ts';
import { CompletionPoller } from './completion-poller.ts';
import { DiskIo } from './disk-io.ts';
import { ShardDispatch } from './dispatch.ts';
import { RegisteredBuffers } from './registered-buffers.ts';
import { SnapshotIo } from './snapshot-io.ts';

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

/** A volume that is open, by whatever face. */
interface OpenVolume {
  readonly io: DiskIo;
  readonly shardIndex: number;
}

interface Lane {
  readonly thread: ShardThread;
  readonly dispatch: ShardDispatch;
}

export class ShardSet {
  private readonly lanes: Lane[] = [];
  private readonly attached = new Map<string, OpenVolume>();
  /** Snapshots that are open for reading. */
  private readonly readers = new Set<OpenVolume>();
  readonly buffers: RegisteredBuffers;
  private readonly handles = new Set<number>();
  private nextHandle = 1;

  /** @param threads started, in order of their index; moved: closed by close() */
  constructor(threads: readonly ShardThread[], cores: number) {
    this.buffers = new RegisteredBuffers((request) => this.callLiving(request));
    const poller = new CompletionPoller(cores);
    for (const thread of threads) {
      const dispatch = new ShardDispatch(thread.channel, this.buffers, () => poller.start());
      poller.add(dispatch, thread.channel);
      thread.onLost = (error) => dispatch.fail(error);
      this.lanes.push({ thread, dispatch });
    }
  }

  get count(): number {
    return this.lanes.length;
  }

  /** @throws PlaneError what the shard answered, ShardLost */
  call(shardIndex: number, request: ShardRequest): Promise<unknown> {
    return this.lane(shardIndex).thread.call(request);
  }

  /** Resolves when the requests made so far to a disk, if it is attached, are settled. */
  async drain(diskId: string): Promise<void> {
    await this.attached.get(diskId)?.io.drain();
  }

  /** Makes an attached disk larger in its shard, then for its callers. */
  async resize(diskId: string, sizeBytes: number): Promise<void> {
    const open = this.attached.get(diskId);
    if (open === undefined) return;
    await this.call(open.shardIndex, { op: 'resizeVolume', handle: open.io.handle, sizeBytes });
    open.io.grow(sizeBytes);
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
    const open = await this.openIo(volume, false, () => {
      this.attached.delete(diskId);
      return onDetached();
    });
    this.attached.set(diskId, open);
    return open.io;
  }

  /**
   * Opens a volume of its own on a snapshot's trees and gives a face that only reads.
   *
   * @throws PlaneError Busy (too many open), what KMS or the shard answered
   */
  async openSnapshot(volume: VolumeToOpen): Promise<SnapshotIo> {
    const open = await this.openIo(volume, true, async () => {
      this.readers.delete(open);
    });
    this.readers.add(open);
    return new SnapshotIo(open.io);
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
    if (open === undefined) return;
    const { handle } = open.io;
    await this.call(open.shardIndex, { op: 'pushLayer', handle, layer });
  }

  /** Gives up the lower layers, which are empty, of a disk or snapshot wherever it is open. */
  async dropLowerLayers(id: string): Promise<void> {
    const everyOpen = [...this.attached.values(), ...this.readers];
    const ofIt = everyOpen.filter((open) => open.io.diskId === id);
    const drops = ofIt.map(({ io, shardIndex }) =>
      this.call(shardIndex, { op: 'dropLowerLayers', handle: io.handle }),
    );
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
    const handle = await this.openVolume(volume);
    const { dispatch } = this.lane(shardIndex);
    return {
      step: (sectorsMax, sliceSectors) =>
        this.call(shardIndex, {
          op: 'reencryptStep',
          handle,
          sectorsMax,
          sliceSectors,
        }) as Promise<ReencryptProgress>,
      isShardBusy: () => dispatch.inFlight > 0,
      close: () => this.closeVolume(shardIndex, handle),
    };
  }

  /** Detaches every disk, stops every shard. */
  async close(): Promise<void> {
    const everyOpen = [...this.attached.values(), ...this.readers];
    const disks = everyOpen.map((open) => open.io.close());
    const outcomes = await Promise.allSettled(disks);
    const stops = await Promise.allSettled(this.lanes.map((lane) => lane.thread.close()));
    for (const stop of stops) if (stop.status === 'rejected') throw stop.reason;
    for (const outcome of outcomes) {
      const isLoss = outcome.status === 'rejected' && outcome.reason instanceof PlaneError;
      if (outcome.status === 'rejected' && !isLoss) throw outcome.reason;
    }
  }

  /** Every shard's turn to do something; one that was lost has nothing left to do. */
  private async callLiving(request: ShardRequest): Promise<void> {
    const calls = this.lanes.map((lane) => lane.thread.call(request));
    for (const outcome of await Promise.allSettled(calls)) {
      if (outcome.status === 'fulfilled') continue;
      const { reason } = outcome;
      if (!(reason instanceof PlaneError && reason.code === 'ShardLost')) throw reason;
    }
  }

  private lane(shardIndex: number): Lane {
    const lane = this.lanes[shardIndex];
    invariant(lane !== undefined, `shard ${shardIndex} exists`);
    return lane;
  }

  /** @param onClosed called once, after the volume is closed and its keys erased */
  private async openIo(
    volume: VolumeToOpen,
    isReadOnly: boolean,
    onClosed: () => Promise<void>,
  ): Promise<OpenVolume> {
    const { diskId, sizeBytes, shardIndex, layers } = volume;
    const handle = await this.openVolume(volume, isReadOnly);
    const io = new DiskIo({
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
          await this.closeVolume(shardIndex, handle);
        } finally {
          await onClosed();
        }
      },
    });
    return { io, shardIndex };
  }

  /** @returns the handle of the volume, to be given back by closeVolume() */
  private async openVolume(volume: VolumeToOpen, isReadOnly = false): Promise<number> {
    const { diskId, sizeBytes, shardIndex, layers } = volume;
    const handle = this.takeHandle();
    const request = { op: 'openVolume', handle, diskId, sizeBytes, layers } as const;
    try {
      await this.call(shardIndex, isReadOnly ? { ...request, isReadOnly } : request);
    } catch (error) {
      this.handles.delete(handle);
      throw error;
    }
    return handle;
  }

  private async closeVolume(shardIndex: number, handle: number): Promise<void> {
    try {
      await this.call(shardIndex, { op: 'closeVolume', handle });
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

function wrapHandle(handle: number): number {
  return handle >= 2 * ATTACHED_DISKS_MAX ? 1 : handle + 1;
}
