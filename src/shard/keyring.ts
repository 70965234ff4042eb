/**
 * Data keys in plain, on their way into the cipher: asked for from the KMS thread over the private
 * channel, turned into key schedules, erased.
 *
 *   ask() ──▶ pending ──answer()──▶ SectorKey (owned by the layer)
 *                └────expire()────▶ KmsUnavailable
 *   askAll(): the same for the layers of a volume; those that came wait here for the others
 *
 * 1. A data key is in this thread's memory as bytes only inside answer(); what remains is the
 *    engine's key schedule, which SectorKey.close() erases.
 * 2. A reply nobody waits for any more (it came late) is erased unread.
 * 3. Of several keys asked for together the receiver gets all or none: a refusal erases the others.
 *
 * **Thread:** shard. Replaces nothing on main: main has no code that could open a wrapped key.
 */
import { scrubStack, zeroize } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { TimeHistogram } from '../base/time-histogram.ts';
import type { SectorCipherEngine, SectorKey } from '../cipher/sector-cipher.ts';
import { deriveXtsKey } from '../cipher/xts-key.ts';
import { KEY_BYTES, KMS_TIMEOUT_MS } from '../limits.ts';
import type { UnwrapReply, UnwrapRequest, WrapContext } from '../record/kms-message.ts';
import type { VolumeLayer } from '../record/shard-message.ts';

/** Called exactly once, with a key that the receiver owns, or with an error. */
type KeyReceiver = (outcome: SectorKey | PlaneError) => void;

/** Called exactly once, with keys that the receiver owns, in the order asked for, or an error. */
export type KeysReceiver = (outcome: readonly (SectorKey | null)[] | PlaneError) => void;

interface Asked {
  readonly request: UnwrapRequest;
  readonly askedAt: number;
  readonly deadline: number;
  readonly receive: KeyReceiver;
}

/** Keys asked for together, and those that came. */
interface Gathering {
  readonly keys: (SectorKey | null)[];
  missing: number;
  refusal: PlaneError | null;
}

/** Upper bounds, in seconds, of what an unwrap takes. */
const UNWRAP_BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1, 1, 5];

export class Keyring {
  /** From asking the KMS thread to its answer, a refusal too. */
  readonly unwrapTimes: TimeHistogram = new TimeHistogram(UNWRAP_BOUNDS);
  private readonly engine: SectorCipherEngine;
  private readonly send: (request: UnwrapRequest) => void;
  private readonly clock: Clock;
  private readonly pending = new Map<number, Asked>();
  private readonly gatherings = new Set<Gathering>();
  private nextId = 1;

  constructor(engine: SectorCipherEngine, send: (request: UnwrapRequest) => void, clock: Clock) {
    this.engine = engine;
    this.send = send;
    this.clock = clock;
  }

  /** Asks for the data keys of layers; the answer has null for those that are plain. */
  askAll(layers: readonly VolumeLayer[], receive: KeysReceiver): void {
    const gathering: Gathering = { keys: layers.map(() => null), missing: 0, refusal: null };
    const asked = layers.map((layer, index) => ({ layer, index }));
    const wrapped = asked.filter(({ layer }) => layer.wrappedKey !== null);
    if (wrapped.length === 0) {
      receive(gathering.keys);
      return;
    }
    gathering.missing = wrapped.length;
    this.gatherings.add(gathering);
    for (const { layer, index } of wrapped) {
      const { wrappedKey, context, tree } = layer;
      invariant(wrappedKey !== null && context !== null, `the key of ${tree} has a context`);
      this.ask(wrappedKey, context, (outcome) => this.gather(gathering, index, outcome, receive));
    }
  }

  /** Erases keys that wait for others, and waits for no more. */
  close(): void {
    for (const gathering of this.gatherings) closeKeys(gathering.keys);
    this.gatherings.clear();
    this.pending.clear();
  }

  /** Asks the KMS thread to unwrap a data key. */
  private ask(wrappedKey: Uint8Array, context: WrapContext, receive: KeyReceiver): void {
    const id = this.nextId++;
    const request = { id, wrappedKey, context };
    const askedAt = this.clock.monotonic();
    this.pending.set(id, { request, askedAt, deadline: askedAt + KMS_TIMEOUT_MS, receive });
    this.send(request);
  }

  /** The KMS thread is another: an unwrap changes nothing, so what it was asked is asked again. */
  askAgain(): void {
    for (const { request } of this.pending.values()) this.send(request);
  }

  /** Takes a reply of the KMS thread; a key in it is owned by this call and erased by it. */
  answer(reply: UnwrapReply): void {
    const waiting = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if (waiting !== undefined) {
      this.unwrapTimes.add((this.clock.monotonic() - waiting.askedAt) / 1_000);
    }
    if ('error' in reply) {
      waiting?.receive(PlaneError.fromRecord(reply.error));
      return;
    }
    const dataKey = new Uint8Array(reply.key);
    try {
      if (waiting === undefined) return;
      waiting.receive(this.toSectorKey(dataKey));
    } finally {
      zeroize(dataKey);
      scrubStack();
    }
  }

  /** Gives up on replies that are overdue. */
  expire(): void {
    if (this.pending.size === 0) return;
    const now = this.clock.monotonic();
    for (const [id, waiting] of this.pending) {
      if (waiting.deadline > now) continue;
      this.pending.delete(id);
      waiting.receive(
        new PlaneError('KmsUnavailable', `no answer to an unwrap within ${KMS_TIMEOUT_MS} ms`),
      );
    }
  }

  private gather(
    gathering: Gathering,
    index: number,
    outcome: SectorKey | PlaneError,
    receive: KeysReceiver,
  ): void {
    if (outcome instanceof PlaneError) gathering.refusal ??= outcome;
    else gathering.keys[index] = outcome;
    gathering.missing--;
    if (gathering.missing > 0) return;
    this.gatherings.delete(gathering);
    if (gathering.refusal === null) {
      receive(gathering.keys);
      return;
    }
    closeKeys(gathering.keys);
    receive(gathering.refusal);
  }

  private toSectorKey(dataKey: Uint8Array): SectorKey | PlaneError {
    invariant(dataKey.byteLength === KEY_BYTES, 'the KMS thread checked the length of the key');
    const xtsKey = deriveXtsKey(dataKey);
    try {
      return this.engine.openKey(xtsKey);
    } catch (error) {
      if (error instanceof PlaneError) return error;
      throw error;
    } finally {
      zeroize(xtsKey);
    }
  }
}

/** Erases and frees keys; null stands for none. */
export function closeKeys(keys: readonly (SectorKey | null)[]): void {
  for (const key of keys) key?.close();
}
