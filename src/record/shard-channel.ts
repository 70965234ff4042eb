/**
 * The memory main and one shard share: a ring of request descriptors and the plaintext staging
 * area.
 *
 *            main                                              shard
 *   fill slot [submitted % RING_SLOTS]
 *   SUBMITTED += n  ── doorbell if SHARD_ASLEEP ─▶   execute slots in order
 *                                                    store.commit()
 *   settle slots in order  ◀── notify if MAIN_ASLEEP ── COMPLETED += n
 *
 * 1. Main alone writes a slot between its completion and its submission, the shard alone between
 *    its submission and its completion; the counters are the only words both write at once.
 * 2. Counters count requests modulo 2^32; 0 <= submitted - completed <= RING_SLOTS.
 * 3. Requests complete in the order they were submitted. So staging memory is freed in the order it
 *    was taken, and the order of a disk's requests is the order of its callers.
 * 4. A request's staging range starts on a sector edge and covers whole sectors; the caller's first
 *    byte lies at offsetBytes % 4096 in it. The shard may write anywhere in it. A request that
 *    covers whole sectors may name a registered buffer instead: memory of the caller, at any
 *    address, of which a read fills the request's range and a write changes nothing.
 * 5. Whoever is about to sleep says so (SHARD_ASLEEP, MAIN_ASLEEP), then looks once more, then
 *    sleeps; whoever makes work looks at the flag after making it. All by sequentially consistent
 *    atomics, so one of the two sees the other.
 * 6. The shard counts in BEAT: every turn of its loop, every call of its file system. Nobody reads
 *    it but who asks whether the shard hangs; it lies on a cache line of its own.
 * 7. The doorbell word changes whenever a message was posted to one of the shard's ports, or when a
 *    sleeping shard is to look at its ring. The KMS thread is given the doorbell and nothing else.
 * 8. STORE_FAILED is set, once and for good, before any answer that follows from it.
 *
 * Slot, 64 bytes, native byte order:
 *   0 u32 operation   4 u32 volume handle   8 u32 buffer offset   12 u32 flags
 *  16 u32 status (0 done, else 1 + index in ERROR_CODE_LIST)      20 u32 buffer (0: staging)
 *  24 f64 offset bytes   32 f64 length bytes
 * with FLAG_TIMED also, by the shard; otherwise they are what an earlier request left there:
 *  40 f64 when its batch was committed, sharedMicroseconds()
 *  48 f32 microseconds in the cipher   52 f32 else while it was executed   56 f32 of the commit
 *  60 f32 unused
 * and ERROR_TEXT_BYTES of UTF-8 beside it (length u16 first) that hold a failed request's message.
 */
import { ERROR_CODES, type ErrorCode } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { RING_SLOTS, STAGING_BYTES } from '../limits.ts';

export const OPERATION = { read: 1, write: 2, flush: 3, zero: 4 } as const;
export type Operation = (typeof OPERATION)[keyof typeof OPERATION];

/** Flag: the reply means stable storage (NBD FUA). */
export const FLAG_FUA = 1;
/** Flag: its time is taken. */
export const FLAG_TIMED = 2;

/** The staging area among the buffers a slot can name; registered ones count from 1. */
export const STAGING_BUFFER = 0;

const SLOT_WORDS = 16;
const SLOT_DOUBLES = 8;
const ERROR_TEXT_BYTES = 256;

const WORD_SUBMITTED = 0;
const WORD_COMPLETED = 1;
const WORD_SHARD_ASLEEP = 2;
const WORD_MAIN_ASLEEP = 3;
const WORD_STORE_FAILED = 4;
const WORD_BEAT = 32;

/** Statuses by number: the order of the table of codes. */
const ERROR_CODE_LIST: readonly ErrorCode[] = Object.keys(ERROR_CODES) as ErrorCode[];

/** What is sent to the shard once, at its start. */
export interface ShardChannelMemory {
  readonly counters: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly errorTexts: SharedArrayBuffer;
  readonly staging: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer;
}

export function allocateShardChannel(): ShardChannelMemory {
  return {
    counters: new SharedArrayBuffer(256),
    slots: new SharedArrayBuffer(RING_SLOTS * SLOT_WORDS * 4),
    errorTexts: new SharedArrayBuffer(RING_SLOTS * ERROR_TEXT_BYTES),
    staging: new SharedArrayBuffer(STAGING_BYTES),
    doorbell: new SharedArrayBuffer(64),
  };
}

/** Views over a channel's memory; each side makes its own. */
export class ShardChannel {
  readonly counters: Int32Array;
  readonly doorbell: Int32Array;
  readonly staging: Uint8Array;
  private readonly words: Uint32Array;
  private readonly doubles: Float64Array;
  private readonly floats: Float32Array;
  private readonly errorTexts: Uint8Array;

  constructor(memory: ShardChannelMemory) {
    this.counters = new Int32Array(memory.counters);
    this.doorbell = new Int32Array(memory.doorbell);
    this.staging = new Uint8Array(memory.staging);
    this.words = new Uint32Array(memory.slots);
    this.doubles = new Float64Array(memory.slots);
    this.floats = new Float32Array(memory.slots);
    this.errorTexts = new Uint8Array(memory.errorTexts);
  }

  get submitted(): number {
    return Atomics.load(this.counters, WORD_SUBMITTED) >>> 0;
  }

  get completed(): number {
    return Atomics.load(this.counters, WORD_COMPLETED) >>> 0;
  }

  /**
   * **Thread:** main. Fills the slot of request number `position`; not yet visible to the shard.
   */
  fillSlot(
    position: number,
    operation: Operation,
    handle: number,
    buffer: number,
    bufferOffset: number,
    flags: number,
    offsetBytes: number,
    lengthBytes: number,
  ): void {
    const slot = position & (RING_SLOTS - 1);
    const word = slot * SLOT_WORDS;
    this.words[word] = operation;
    this.words[word + 1] = handle;
    this.words[word + 2] = bufferOffset;
    this.words[word + 3] = flags;
    this.words[word + 4] = 0;
    this.words[word + 5] = buffer;
    this.doubles[slot * SLOT_DOUBLES + 3] = offsetBytes;
    this.doubles[slot * SLOT_DOUBLES + 4] = lengthBytes;
  }

  /** **Thread:** main. Shows the shard every slot below `submitted`, and wakes it if it sleeps. */
  publishSubmitted(submitted: number): void {
    invariant((submitted - this.completed) >>> 0 <= RING_SLOTS, 'ring not overfull');
    Atomics.store(this.counters, WORD_SUBMITTED, submitted | 0);
    if (Atomics.load(this.counters, WORD_SHARD_ASLEEP) === 1) this.ringDoorbell();
  }

  /** **Thread:** any but the shard. Wakes the shard and makes it look at its ports. */
  ringDoorbell(): void {
    Atomics.add(this.doorbell, 0, 1);
    Atomics.notify(this.doorbell, 0);
  }

  /**
   * **Thread:** shard. Shows main every completion below `completed`, and wakes it if it sleeps.
   *
   * @returns true if main was asleep
   */
  publishCompleted(completed: number): boolean {
    Atomics.store(this.counters, WORD_COMPLETED, completed | 0);
    if (Atomics.load(this.counters, WORD_MAIN_ASLEEP) === 0) return false;
    Atomics.store(this.counters, WORD_MAIN_ASLEEP, 0);
    Atomics.notify(this.counters, WORD_COMPLETED);
    return true;
  }

  /**
   * **Thread:** shard. Sleeps until the doorbell word differs from `doorbellSeen`, at most
   * timeoutMs; returns at once if there are slots above `executed`.
   */
  sleepShard(doorbellSeen: number, executed: number, timeoutMs: number): void {
    Atomics.store(this.counters, WORD_SHARD_ASLEEP, 1);
    if (this.submitted === executed) Atomics.wait(this.doorbell, 0, doorbellSeen, timeoutMs);
    Atomics.store(this.counters, WORD_SHARD_ASLEEP, 0);
  }

  /** **Thread:** shard. It lives. One thread writes the word: no atomic change is needed. */
  beat(): void {
    this.counters[WORD_BEAT] = ((this.counters[WORD_BEAT] as number) + 1) | 0;
  }

  /** **Thread:** main. Has another value whenever the shard has done something meanwhile. */
  get beats(): number {
    return Atomics.load(this.counters, WORD_BEAT);
  }

  /** **Thread:** shard. Its store takes no writes any more. */
  markStoreFailed(): void {
    Atomics.store(this.counters, WORD_STORE_FAILED, 1);
  }

  /** **Thread:** main. Also when the shard is gone. */
  get isStoreFailed(): boolean {
    return Atomics.load(this.counters, WORD_STORE_FAILED) === 1;
  }

  /** **Thread:** main. The shard is gone: whoever waits in sleepMain() waits no more. */
  wakeMain(): void {
    Atomics.notify(this.counters, WORD_COMPLETED);
  }

  /**
   * **Thread:** main. Resolves when there are completions above `settled`; null if there are some
   * already. The event loop must be kept alive by somebody else meanwhile.
   */
  sleepMain(settled: number): Promise<unknown> | null {
    Atomics.store(this.counters, WORD_MAIN_ASLEEP, 1);
    const waiting = Atomics.waitAsync(this.counters, WORD_COMPLETED, settled | 0);
    if (waiting.async) return waiting.value;
    Atomics.store(this.counters, WORD_MAIN_ASLEEP, 0);
    return null;
  }

  /**
   * **Thread:** main. Waits, and lets nothing else run on the thread, until there are completions
   * above `settled`, at most timeoutMs. Somebody may wait in sleepMain() meanwhile: the flag stays
   * up for it.
   */
  blockMain(settled: number, timeoutMs: number): void {
    const wasAsleep = Atomics.exchange(this.counters, WORD_MAIN_ASLEEP, 1) === 1;
    const outcome = Atomics.wait(this.counters, WORD_COMPLETED, settled | 0, timeoutMs);
    if (!wasAsleep && outcome !== 'ok') Atomics.store(this.counters, WORD_MAIN_ASLEEP, 0);
  }

  operation(position: number): number {
    return this.words[(position & (RING_SLOTS - 1)) * SLOT_WORDS] as number;
  }

  handle(position: number): number {
    return this.words[(position & (RING_SLOTS - 1)) * SLOT_WORDS + 1] as number;
  }

  bufferOffset(position: number): number {
    return this.words[(position & (RING_SLOTS - 1)) * SLOT_WORDS + 2] as number;
  }

  flags(position: number): number {
    return this.words[(position & (RING_SLOTS - 1)) * SLOT_WORDS + 3] as number;
  }

  status(position: number): number {
    return this.words[(position & (RING_SLOTS - 1)) * SLOT_WORDS + 4] as number;
  }

  buffer(position: number): number {
    return this.words[(position & (RING_SLOTS - 1)) * SLOT_WORDS + 5] as number;
  }

  offsetBytes(position: number): number {
    return this.doubles[(position & (RING_SLOTS - 1)) * SLOT_DOUBLES + 3] as number;
  }

  lengthBytes(position: number): number {
    return this.doubles[(position & (RING_SLOTS - 1)) * SLOT_DOUBLES + 4] as number;
  }

  /** **Thread:** shard. Of a timed request: what its execution took, of both kinds. */
  noteExecuted(position: number, cryptoMicroseconds: number, storeMicroseconds: number): void {
    const word = (position & (RING_SLOTS - 1)) * SLOT_WORDS;
    this.floats[word + 12] = cryptoMicroseconds;
    this.floats[word + 13] = storeMicroseconds;
  }

  /** **Thread:** shard. Of a timed request: what the commit took that covers it, and its end. */
  noteDone(position: number, commitMicroseconds: number, doneAt: number): void {
    const slot = position & (RING_SLOTS - 1);
    this.floats[slot * SLOT_WORDS + 14] = commitMicroseconds;
    this.doubles[slot * SLOT_DOUBLES + 5] = doneAt;
  }

  cryptoMicroseconds(position: number): number {
    return this.floats[(position & (RING_SLOTS - 1)) * SLOT_WORDS + 12] as number;
  }

  storeMicroseconds(position: number): number {
    return this.floats[(position & (RING_SLOTS - 1)) * SLOT_WORDS + 13] as number;
  }

  commitMicroseconds(position: number): number {
    return this.floats[(position & (RING_SLOTS - 1)) * SLOT_WORDS + 14] as number;
  }

  doneAt(position: number): number {
    return this.doubles[(position & (RING_SLOTS - 1)) * SLOT_DOUBLES + 5] as number;
  }

  /** **Thread:** shard. Marks a slot failed; the text is cut to what fits. */
  fail(position: number, code: ErrorCode, text: string): void {
    const slot = position & (RING_SLOTS - 1);
    const at = slot * ERROR_TEXT_BYTES;
    const bytes = new TextEncoder().encode(text).subarray(0, ERROR_TEXT_BYTES - 2);
    this.errorTexts[at] = bytes.byteLength & 0xff;
    this.errorTexts[at + 1] = bytes.byteLength >>> 8;
    this.errorTexts.set(bytes, at + 2);
    this.words[slot * SLOT_WORDS + 4] = ERROR_CODE_LIST.indexOf(code) + 1;
  }

  /** **Thread:** main. The code of a failed slot. */
  failureCode(position: number): ErrorCode {
    const code = ERROR_CODE_LIST[this.status(position) - 1];
    invariant(code !== undefined, 'a status is 0 or a row of the table');
    return code;
  }

  /** **Thread:** main. The text of a failed slot. */
  failureText(position: number): string {
    const at = (position & (RING_SLOTS - 1)) * ERROR_TEXT_BYTES;
    const length = (this.errorTexts[at] as number) | ((this.errorTexts[at + 1] as number) << 8);
    // TextDecoder refuses shared memory: decode a copy.
    return new TextDecoder().decode(this.errorTexts.slice(at + 2, at + 2 + length));
  }
}
