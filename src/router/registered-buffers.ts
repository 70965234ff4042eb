/**
 * Memory of callers that every shard can see: a request whose bytes lie in it is encrypted from
 * there, or decrypted into it, without main copying them (io_uring calls such buffers registered).
 *
 *   registering ──every shard has it──▶ registered ──close()──▶ closing (drains) ──▶ closed
 *
 * 1. Only shared memory can be registered: it cannot be detached or resized under a shard's hands,
 *    and a shard's own reference keeps it alive.
 * 2. A request uses a buffer in place only while it is registered; otherwise, and where it does not
 *    cover whole sectors, its bytes are copied as anybody's.
 * 3. Shards forget a buffer after the last request that uses it is settled. Numbers are never used
 *    again, so a late message cannot mean another buffer.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { REGISTERED_BUFFER_BYTES_MAX, REGISTERED_BUFFERS_MAX } from '../limits.ts';
import type { ShardRequest } from '../record/shard-message.ts';

/** One registered buffer, as requests know it. */
export interface BufferUse {
  /** From 1: 0 is the staging area (shard-channel.ts). */
  readonly number: number;
  /** Requests that use it and are not settled. */
  requests: number;
}

interface Registration extends BufferUse {
  readonly buffer: SharedArrayBuffer;
  state: 'registering' | 'registered' | 'closing';
  drained: (() => void) | null;
}

export class RegisteredBuffers {
  private readonly registrations = new Map<SharedArrayBuffer, Registration>();
  private readonly tellShards: (request: ShardRequest) => Promise<unknown>;
  private nextNumber = 1;

  /** @param tellShards resolves when every shard that lives has done it */
  constructor(tellShards: (request: ShardRequest) => Promise<unknown>) {
    this.tellShards = tellShards;
  }

  /**
   * @throws PlaneError InvalidArgument: not shared memory, empty, growable, registered already;
   *   RequestTooLarge; Busy: too many
   */
  async register(buffer: SharedArrayBuffer): Promise<() => Promise<void>> {
    this.check(buffer);
    const number = this.nextNumber++;
    const registration: Registration = {
      number,
      requests: 0,
      buffer,
      state: 'registering',
      drained: null,
    };
    this.registrations.set(buffer, registration);
    try {
      await this.tellShards({ op: 'registerBuffer', number, buffer });
    } catch (error) {
      this.registrations.delete(buffer);
      throw error;
    }
    registration.state = 'registered';
    let closing: Promise<void> | null = null;
    return () => {
      closing ??= this.unregister(registration);
      return closing;
    };
  }

  /** What tells a shard that has just started of every buffer there is. */
  registerRequests(): ShardRequest[] {
    return [...this.registrations.values()].map(({ number, buffer }) => ({
      op: 'registerBuffer',
      number,
      buffer,
    }));
  }

  /** The registration that `bytes` lie in; taken for one request: give it to leave() later. */
  enter(bytes: Uint8Array): BufferUse | null {
    if (this.registrations.size === 0) return null;
    const registration = this.registrations.get(bytes.buffer as SharedArrayBuffer);
    if (registration?.state !== 'registered') return null;
    registration.requests++;
    return registration;
  }

  /** The request is settled. */
  leave(use: BufferUse): void {
    const registration = use as Registration;
    registration.requests--;
    invariant(registration.requests >= 0, 'a buffer is left as often as it was entered');
    if (registration.requests === 0) registration.drained?.();
  }

  private async unregister(registration: Registration): Promise<void> {
    registration.state = 'closing';
    if (registration.requests > 0) {
      await new Promise<void>((resolve) => {
        registration.drained = resolve;
      });
    }
    this.registrations.delete(registration.buffer);
    await this.tellShards({ op: 'unregisterBuffer', number: registration.number });
  }

  private check(buffer: SharedArrayBuffer): void {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength === 0) {
      throw new PlaneError('InvalidArgument', 'expected a SharedArrayBuffer of at least one byte');
    }
    if ((buffer as { growable?: boolean }).growable === true) {
      throw new PlaneError(
        'InvalidArgument',
        'expected a buffer of fixed size, got a growable one',
      );
    }
    if (buffer.byteLength > REGISTERED_BUFFER_BYTES_MAX) {
      const got = `expected at most ${REGISTERED_BUFFER_BYTES_MAX} bytes, got ${buffer.byteLength}`;
      throw new PlaneError('RequestTooLarge', `a registered buffer: ${got}`);
    }
    if (this.registrations.has(buffer)) {
      throw new PlaneError('InvalidArgument', 'the buffer is registered already');
    }
    if (this.registrations.size === REGISTERED_BUFFERS_MAX) {
      throw new PlaneError('Busy', `${REGISTERED_BUFFERS_MAX} buffers are registered`);
    }
  }
}
