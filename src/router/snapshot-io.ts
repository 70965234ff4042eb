/**
 * The open snapshot as the library gives it: what of a volume only reads.
 *
 * **Thread:** main.
 */
import type { DiskIo } from './disk-io.ts';

/** Implements SnapshotReader (types.ts). */
export class SnapshotIo {
  private readonly io: DiskIo;

  /** @param io of a volume of its own: closed by close() */
  constructor(io: DiskIo) {
    this.io = io;
  }

  get snapshotId(): string {
    return this.io.diskId;
  }

  get size(): number {
    return this.io.size;
  }

  get encrypted(): boolean {
    return this.io.encrypted;
  }

  get stages(): DiskIo['stages'] {
    return this.io.stages;
  }

  read(offset: number, lengthOrTarget: number | Uint8Array): Promise<Uint8Array> {
    return this.io.read(offset, lengthOrTarget);
  }

  allocation(offset: number, length: number): ReturnType<DiskIo['allocation']> {
    return this.io.allocation(offset, length);
  }

  close(): Promise<void> {
    return this.io.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
