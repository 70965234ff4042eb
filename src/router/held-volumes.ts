/**
 * Volumes that running instances keep open, and the faces through which others use them.
 *
 *   (closed) ──hold()──▶ held ──release()──▶ draining ──▶ (closed)
 *
 * 1. A volume is held at most once. Its keys are in its shard from hold() until release() is done.
 * 2. A face closes itself alone. When the volume is released every face of it fails with
 *    DiskClosed, and so does one whose own close() was called.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { DiskIo } from './disk-io.ts';
import type { ShardSet } from './shard-set.ts';
import type { VolumeToOpen } from './volume-to-open.ts';

export class HeldVolumes {
  private readonly shards: Pick<ShardSet, 'attach'>;
  private readonly held = new Map<string, DiskIo>();

  constructor(shards: Pick<ShardSet, 'attach'>) {
    this.shards = shards;
  }

  /** @throws PlaneError Busy (too many open), what KMS or the shard answered */
  async hold(volume: VolumeToOpen): Promise<void> {
    const { diskId } = volume;
    invariant(!this.held.has(diskId), `${diskId} is held once`);
    const disk = await this.shards.attach(volume, async () => {
      this.held.delete(diskId);
    });
    this.held.set(diskId, disk);
  }

  /** Idempotent. A volume whose shard is lost is closed already, its keys gone with the thread. */
  async release(diskId: string): Promise<void> {
    try {
      await this.held.get(diskId)?.close();
    } catch (error) {
      if (!(error instanceof PlaneError && error.code === 'ShardLost')) throw error;
    }
  }

  /** @throws PlaneError DiskClosed: it is not held */
  face(diskId: string): HeldDisk {
    const disk = this.held.get(diskId);
    if (disk !== undefined) return new HeldDisk(disk);
    throw new PlaneError('DiskClosed', `${diskId} is not open`);
  }
}

/** Implements Disk (types.ts) over a volume that somebody else keeps open. */
class HeldDisk {
  private readonly disk: DiskIo;
  private closing: Promise<void> | null = null;

  constructor(disk: DiskIo) {
    this.disk = disk;
  }

  get diskId(): string {
    return this.disk.diskId;
  }

  get size(): number {
    return this.disk.size;
  }

  get encrypted(): boolean {
    return this.disk.encrypted;
  }

  get stages(): DiskIo['stages'] {
    return this.disk.stages;
  }

  read(offset: number, lengthOrTarget: number | Uint8Array): Promise<Uint8Array> {
    return this.use((disk) => disk.read(offset, lengthOrTarget));
  }

  write(offset: number, bytes: Uint8Array, options?: { readonly fua?: boolean }): Promise<void> {
    return this.use((disk) => disk.write(offset, bytes, options));
  }

  flush(): Promise<void> {
    return this.use((disk) => disk.flush());
  }

  trim(offset: number, length: number): Promise<void> {
    return this.use((disk) => disk.trim(offset, length));
  }

  writeZeroes(offset: number, length: number): Promise<void> {
    return this.use((disk) => disk.writeZeroes(offset, length));
  }

  allocation(offset: number, length: number): ReturnType<DiskIo['allocation']> {
    return this.use((disk) => disk.allocation(offset, length));
  }

  /** Waits for the requests in flight; the volume stays open. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.disk.drain();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private use<T>(request: (disk: DiskIo) => Promise<T>): Promise<T> {
    if (this.closing === null) return request(this.disk);
    return Promise.reject(new PlaneError('DiskClosed', `${this.diskId} was closed`));
  }
}
