/**
 * Memory for payloads, used again and again, and shown to the shards: a payload is encrypted where
 * the socket put it, and decrypted where the socket takes it from.
 *
 *   take() ──▶ used (by a request, then by the socket until it has sent it) ──release()──▶ free
 *
 * 1. Buffers come in a few sizes, cut from slabs of shared memory that are registered in the
 *    background. Until one is there, beyond the limit, and for longer ones, memory of their own is
 *    given: slower, and as right.
 * 2. What a buffer held stays in it: whoever sends from it has overwritten what it sends.
 * 3. A buffer is released once, when nobody uses it any more.
 *
 * **Thread:** main.
 */
import { invariant } from '../../base/invariant.ts';
import { KIB, MIB } from '../../base/units.ts';
import { NBD_POOL_BYTES_MAX } from '../../limits.ts';
import type { RegisteredBuffer } from '../../types.ts';

/** A buffer that is the caller's until it is released. */
export interface PooledBuffer {
  readonly bytes: Buffer;
  /** bytes.subarray(from, to), which is the same object when it is asked for again. */
  view(from: number, to: number): Buffer;
  release(): void;
}

/** What Plane.registerBuffer is. */
export type RegisterBuffer = (buffer: SharedArrayBuffer) => Promise<RegisteredBuffer>;

/** Room beside the payload, for a reply's header. */
const EXTRA_BYTES = 64;
const SIZES: readonly number[] = [4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
const SLAB_BYTES_MIN = MIB;
/** A read's payload, the reply with its header, a write's payload. */
const VIEWS_KEPT = 3;

interface SizeClass {
  readonly bufferBytes: number;
  readonly free: Slot[];
  isGrowing: boolean;
}

export class BufferPool {
  private readonly register: RegisterBuffer;
  private readonly classes: readonly SizeClass[];
  private readonly slabs: Promise<RegisteredBuffer | null>[] = [];
  private slabBytes = 0;
  private isClosed = false;

  constructor(register: RegisterBuffer) {
    this.register = register;
    this.classes = SIZES.map((size) => ({
      bufferBytes: size + EXTRA_BYTES,
      free: [],
      isGrowing: false,
    }));
  }

  /** A buffer of at least so many bytes; its bytes are unspecified. */
  take(byteCount: number): PooledBuffer {
    const shared = this.takeShared(byteCount);
    if (shared !== null) return shared;
    const bytes = Buffer.allocUnsafeSlow(byteCount);
    return { bytes, view: (from, to) => bytes.subarray(from, to), release: () => {} };
  }

  /** As take(), of memory the shards see; null: there is none now. */
  takeShared(byteCount: number): PooledBuffer | null {
    const sizeClass = this.classes.find((candidate) => candidate.bufferBytes >= byteCount);
    const slot = sizeClass?.free.pop();
    if (slot !== undefined) {
      slot.isFree = false;
      return slot;
    }
    if (sizeClass !== undefined && !sizeClass.isGrowing) this.grow(sizeClass);
    return null;
  }

  /** Gives the slabs back when the shards are done with them. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const slab of await Promise.all(this.slabs)) await slab?.close();
  }

  private grow(sizeClass: SizeClass): void {
    const { bufferBytes } = sizeClass;
    const count = Math.max(1, Math.floor(SLAB_BYTES_MIN / bufferBytes));
    const slabBytes = count * bufferBytes;
    if (this.isClosed || this.slabBytes + slabBytes > NBD_POOL_BYTES_MAX) return;
    this.slabBytes += slabBytes;
    sizeClass.isGrowing = true;
    const memory = new SharedArrayBuffer(slabBytes);
    const registering = this.register(memory).then(
      (registered) => {
        sizeClass.isGrowing = false;
        for (let at = 0; at < slabBytes; at += bufferBytes) {
          sizeClass.free.push(new Slot(sizeClass.free, Buffer.from(memory, at, bufferBytes)));
        }
        return registered;
      },
      // Without registered memory (the plane closes) bytes are copied once more, that is all.
      () => null,
    );
    this.slabs.push(registering);
  }
}

interface View {
  readonly from: number;
  readonly to: number;
  readonly bytes: Buffer;
}

class Slot implements PooledBuffer {
  readonly bytes: Buffer;
  isFree = true;
  private readonly home: Slot[];
  /** Making a view costs more than finding one: requests of a workload are of few lengths. */
  private readonly views: (View | undefined)[] = new Array(VIEWS_KEPT).fill(undefined);
  private nextView = 0;

  constructor(home: Slot[], bytes: Buffer) {
    this.home = home;
    this.bytes = bytes;
  }

  view(from: number, to: number): Buffer {
    for (const kept of this.views) {
      if (kept !== undefined && kept.from === from && kept.to === to) return kept.bytes;
    }
    const view = { from, to, bytes: this.bytes.subarray(from, to) };
    this.views[this.nextView] = view;
    this.nextView = (this.nextView + 1) % VIEWS_KEPT;
    return view.bytes;
  }

  release(): void {
    invariant(!this.isFree, 'a buffer is released once');
    this.isFree = true;
    this.home.push(this);
  }
}
