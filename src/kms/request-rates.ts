/**
 * How many requests of the API an account may make in a region in a second, by class of request.
 *
 * A bucket of tokens for each account, region and class: it holds a second's worth, and fills with
 * the clock. Off unless a plane is opened with it: a simulator is not to slow its users' tests.
 * What the cloud itself asks for disks is not counted.
 *
 * **Thread:** KMS. **Source:** KMS, quotas: Rejected.Throttling.
 */
import type { Clock } from '../base/clock.ts';
import { PlaneError } from '../base/errors.ts';
import {
  KMS_CREATE_RATE_MAX,
  KMS_CRYPTO_RATE_MAX,
  KMS_READ_RATE_MAX,
  KMS_WRITE_RATE_MAX,
} from '../limits.ts';
import type { KeyScope } from '../record/kms-key.ts';

export type RateClass = 'crypto' | 'create' | 'read' | 'write';

const RATES: { readonly [C in RateClass]: number } = {
  crypto: KMS_CRYPTO_RATE_MAX,
  create: KMS_CREATE_RATE_MAX,
  read: KMS_READ_RATE_MAX,
  write: KMS_WRITE_RATE_MAX,
};

interface Bucket {
  tokens: number;
  filledAt: number;
}

export class RequestRates {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one request. @throws PlaneError Rejected.Throttling: one too many */
  take({ accountId, regionId }: KeyScope, rateClass: RateClass): void {
    const rate = RATES[rateClass];
    const now = this.#clock.monotonic();
    const name = `${accountId}/${regionId}/${rateClass}`;
    const bucket = this.#buckets.get(name) ?? { tokens: rate, filledAt: now };
    this.#buckets.set(name, bucket);
    const filled = bucket.tokens + ((now - bucket.filledAt) / 1_000) * rate;
    bucket.tokens = Math.min(rate, filled);
    bucket.filledAt = now;
    if (bucket.tokens < 1) {
      const detail = `QPS Limit Exceeded: more than ${rate} ${rateClass} requests in a second`;
      throw new PlaneError('Rejected.Throttling', detail);
    }
    bucket.tokens -= 1;
  }
}
