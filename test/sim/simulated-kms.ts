/**
 * The KMS thread in simulated time: the real vault and the real server, over a simulated store.
 *
 *   running ──crash()──▶ lost ──restart()──▶ running, over what its store kept
 */
import { PlaneError } from '../../src/base/errors.ts';
import type { KmsCalls } from '../../src/control/context.ts';
import type { FillRandom } from '../../src/kms/envelope.ts';
import { openVault } from '../../src/kms/open-vault.ts';
import { createKmsServer, type KmsServer } from '../../src/kms/serve.ts';
import type { Vault } from '../../src/kms/vault.ts';
import type {
  KmsRequest,
  KmsResults,
  UnwrapReply,
  UnwrapRequest,
} from '../../src/record/kms-message.ts';
import type { KeyValueContent, SimulatedKeyValueStore } from './simulated-key-value-store.ts';
import type { Lane, SimulatedTime } from './simulated-time.ts';

export interface KmsSeams {
  readonly time: SimulatedTime;
  readonly rootKey: Uint8Array;
  readonly fillRandom: FillRandom;
  readonly weight: () => number;
  readonly openStore: (content: KeyValueContent) => SimulatedKeyValueStore;
}

interface Running {
  readonly vault: Vault;
  readonly server: KmsServer;
}

export class SimulatedKms implements KmsCalls {
  /** What it was opened over, also when it is closed; null after a crash. */
  store: SimulatedKeyValueStore | null = null;
  readonly #seams: KmsSeams;
  readonly #toKms: Lane;
  readonly #fromKms: Lane;
  readonly #waiting = new Set<(error: PlaneError) => void>();
  #running: Running | null = null;

  constructor(seams: KmsSeams) {
    this.#seams = seams;
    this.#toKms = seams.time.lane(seams.weight());
    this.#fromKms = seams.time.lane(seams.weight());
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  async start(content: KeyValueContent): Promise<void> {
    const { rootKey, time, fillRandom } = this.#seams;
    const store = this.#seams.openStore(content);
    this.store = store;
    const key = new Uint8Array(new ArrayBuffer(rootKey.byteLength));
    key.set(rootKey);
    const vault = await openVault({ store, rootKey: key, clock: time.clock, fillRandom });
    this.#running = { vault, server: createKmsServer({ vault }) };
  }

  /** Its thread ends: who waits is told, as is everybody until start(). */
  crash(): void {
    this.#running = null;
    this.store = null;
    const error = goneError();
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    await running?.vault.close();
  }

  call<R extends KmsRequest>(request: R): Promise<KmsResults[R['op']]> {
    if (this.#running === null) return Promise.reject(goneError());
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const settle = (outcome: () => void): void => {
        this.#fromKms.push(() => {
          if (this.#waiting.delete(reject)) outcome();
        });
      };
      this.#toKms.push(() => {
        this.#running?.server.handle(request).then(
          (result) => settle(() => resolve(result as KmsResults[R['op']])),
          (error: PlaneError) => settle(() => reject(error)),
        );
      });
    });
  }

  unwrap(request: UnwrapRequest, answer: (reply: UnwrapReply) => void): void {
    this.#toKms.push(() => {
      if (this.#running !== null) answer(this.#running.server.unwrap(request));
    });
  }
}

function goneError(): PlaneError {
  return new PlaneError('KmsUnavailable', 'the simulated KMS thread has ended');
}
