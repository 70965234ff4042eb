/**
 * One of the requests a loop keeps in flight: its buffers, its callbacks, and what it is doing.
 *
 * Made once per slot and used for every request of the slot. What is read and what is written have
 * a buffer each: a write must not send what a read of the same slot returned. Where the target can
 * use memory in place, buffers are registered with it; until that is done they are copied.
 */
import { PlaneError } from '../base/errors.ts';
import type { LoadDisk } from './load-disk.ts';
import { type Operation, READ } from './operation-source.ts';
import { UNIT_BYTES } from './version-map.ts';

/** Words stamped anew at each write lie this far apart: no two sectors written are alike. */
const SCRAMBLE_WORDS = 1024;

export class RequestSlot {
  operation: Operation = READ;
  disk: LoadDisk | null = null;
  offsetBytes = 0;
  lengthBytes = 0;
  dueAtMs = 0;
  startedAtMs = 0;
  /** For promise.then(), and for targets that do without. */
  readonly completed: () => void;
  readonly failed: (error: unknown) => void;
  readonly #template: Uint8Array;
  #read: Uint8Array | null = null;
  #write: Uint8Array | null = null;
  #readView: Uint8Array | null = null;
  #writeView: Uint8Array | null = null;
  #readWords: Int32Array | null = null;
  #writeWords: Int32Array | null = null;
  #expected: Uint32Array | null = null;
  readonly #registrations: Promise<(() => Promise<void>) | null>[] = [];

  /**
   * @param template what a write buffer holds at first; borrowed for good, copied
   */
  constructor(
    template: Uint8Array,
    completed: (slot: RequestSlot) => void,
    failed: (slot: RequestSlot, error: unknown) => void,
  ) {
    this.#template = template;
    this.completed = () => completed(this);
    this.failed = (error) => failed(this, error);
  }

  /** Says what the slot does next. */
  aim(
    operation: Operation,
    disk: LoadDisk,
    offsetBytes: number,
    lengthBytes: number,
    dueAtMs: number,
  ): void {
    this.operation = operation;
    this.disk = disk;
    this.offsetBytes = offsetBytes;
    this.lengthBytes = lengthBytes;
    this.dueAtMs = dueAtMs;
  }

  /** Takes back what was registered. The slot is at rest, and is not used again. */
  async release(): Promise<void> {
    for (const registration of this.#registrations) await (await registration)?.();
  }

  /** lengthBytes of the read buffer. */
  readBytes(): Uint8Array {
    if (this.#readView?.byteLength !== this.lengthBytes) {
      this.#read = this.#grown(this.#read, null);
      this.#readView = this.#read.subarray(0, this.lengthBytes);
      this.#readWords = wordsOf(this.#read);
    }
    return this.#readView!;
  }

  /** lengthBytes of the write buffer. */
  writeBytes(): Uint8Array {
    if (this.#writeView?.byteLength !== this.lengthBytes) {
      this.#write = this.#grown(this.#write, this.#template);
      this.#writeView = this.#write.subarray(0, this.lengthBytes);
      this.#writeWords = wordsOf(this.#write);
    }
    return this.#writeView!;
  }

  /** The read buffer as words, at least lengthBytes of them. */
  readWords(): Int32Array {
    this.readBytes();
    return this.#readWords!;
  }

  /** The write buffer as words, at least lengthBytes of them. */
  writeWords(): Int32Array {
    this.writeBytes();
    return this.#writeWords!;
  }

  /** Room for a version for each unit of the request. */
  expectedUnits(): Uint32Array {
    const unitCount = Math.ceil(this.lengthBytes / UNIT_BYTES);
    if (this.#expected === null || this.#expected.length < unitCount) {
      this.#expected = new Uint32Array(unitCount);
    }
    return this.#expected;
  }

  /** Makes each sector of the write buffer unlike any written before. */
  scramble(sequence: number): void {
    const words = this.writeWords();
    const end = this.lengthBytes >>> 2;
    for (let index = 0; index + 1 < end; index += SCRAMBLE_WORDS) {
      words[index] = sequence;
      words[index + 1] = (this.offsetBytes / 512 + index) >>> 0;
    }
  }

  /** A buffer of at least lengthBytes: the one there is, or a new one of a power of two. */
  #grown(buffer: Uint8Array | null, template: Uint8Array | null): Uint8Array {
    if (buffer !== null && buffer.byteLength >= this.lengthBytes) return buffer;
    const size = Math.max(512, 2 ** Math.ceil(Math.log2(this.lengthBytes)));
    const larger = this.#allocate(size);
    if (template === null || template.byteLength === 0) return larger;
    for (let at = 0; at < size; at += template.byteLength) {
      larger.set(template.subarray(0, Math.min(template.byteLength, size - at)), at);
    }
    return larger;
  }

  #allocate(size: number): Uint8Array {
    const register = this.disk!.disk.registerBuffer;
    if (register === undefined) return new Uint8Array(new ArrayBuffer(size));
    const memory = new SharedArrayBuffer(size);
    const refused = (error: unknown): null => {
      // Too many are registered, or the target has ended: requests are copied, or say so.
      if (error instanceof PlaneError) return null;
      throw error;
    };
    this.#registrations.push(register(memory).catch(refused));
    return new Uint8Array(memory);
  }
}

function wordsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, 0, bytes.byteLength >>> 2);
}
