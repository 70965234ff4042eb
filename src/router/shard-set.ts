/**
 * All shards of a plane and the disks attached to them.
 *
 * 1. A disk is attached at most once; its handle is unique among attached disks and not used again
 *    until its volume is closed in the shard.
 * 2. A control message about an attached disk is sent after its requests in flight are settled.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { ATTACHED_DISKS_MAX } from '../limits.ts';
import type { WrapContext } from '../record/kms-message.ts';
import type { ShardRequest } from '../record/shard-message.ts';
import type { ShardThread } from '../threads/shard-thread.ts';
import { CompletionPoller } from './completion-poller.ts';
import { DiskIo } from './disk-io.ts';
import { ShardDispatch } from './dispatch.ts';
import { RegisteredBuffers } from './registered-buffers.ts';

/** What has to be known to open a disk's volume. No plaintext key. */
export interface VolumeToOpen {
  readonly diskId: string;
  readonly sizeBytes: number;
  readonly shardIndex: number;
  readonly wrappedKey: Uint8Array | null;
  readonly context: WrapContext | null;
}

interface Lane {
  readonly thread: ShardThread;
  readonly dispatch: ShardDispatch;
}

export class ShardSet {
  private readonly lanes: Lane[] = [];
  private readonly attached = new Map<string, { disk: DiskIo; shardIndex: number }>();
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
    await this.attached.get(diskId)?.disk.drain();
  }

  /** Makes an attached disk larger in its shard, then for its callers. */
  async resize(diskId: string, sizeBytes: number): Promise<void> {
    const open = this.attached.get(diskId);
    if (open === undefined) return;
    await this.call(open.shardIndex, { op: 'resizeVolume', handle: open.disk.handle, sizeBytes });
    open.disk.grow(sizeBytes);
  }

  /**
   * Opens a volume in its shard and gives the disk's face.
   *
   * @param onDetached called once, after the volume is closed and its key erased
   * @throws PlaneError Busy (too many attached), what KMS or the shard answered
   */
  async attach(volume: VolumeToOpen, onDetached: () => Promise<void>): Promise<DiskIo> {
    const { diskId, sizeBytes, shardIndex, wrappedKey, context } = volume;
    invariant(!this.attached.has(diskId), `${diskId} is attached once`);
    const handle = this.takeHandle();
    try {
      const request = { op: 'openVolume', handle, diskId, sizeBytes, wrappedKey, context } as const;
      await this.call(shardIndex, request);
    } catch (error) {
      this.handles.delete(handle);
      throw error;
    }
    const disk = new DiskIo({
      diskId,
      sizeBytes,
      encrypted: wrappedKey !== null,
      handle,
      dispatch: this.lane(shardIndex).dispatch,
      findRuns: async (sector, sectorCount) => {
        const request = { op: 'findRuns', handle, sector, sectorCount } as const;
        return (await this.call(shardIndex, request)) as readonly number[];
      },
      detach: async () => {
        try {
          await this.call(shardIndex, { op: 'closeVolume', handle });
        } finally {
          this.attached.delete(diskId);
          this.handles.delete(handle);
          await onDetached();
        }
      },
    });
    this.attached.set(diskId, { disk, shardIndex });
    return disk;
  }

  /** Detaches every disk, stops every shard. */
  async close(): Promise<void> {
    const disks = [...this.attached.values()].map((open) => open.disk.close());
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
