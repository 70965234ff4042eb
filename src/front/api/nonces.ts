/**
 * Nonces that were used: a signed request is taken once.
 *
 * A nonce is kept as long as its timestamp would be accepted again. If there are too many, those of
 * the oldest timestamps are forgotten, and requests of timestamps so old are refused from then on:
 * memory is bounded, and still no request is taken twice.
 *
 * **Thread:** main.
 */
import { API_CLOCK_SKEW_MS, API_NONCES_MAX } from '../../limits.ts';

const SECOND_MS = 1_000;

export type NonceVerdict = 'fresh' | 'used' | 'forgotten';

export class Nonces {
  /** By the second of their timestamps. */
  private readonly bySecond = new Map<number, Set<string>>();
  private readonly most: number;
  private count = 0;
  /** Timestamps before this second are refused. */
  private forgottenBefore: number;

  /**
   * @param since when it began to remember, in milliseconds: what was signed before is refused, for
   *   somebody before it may have taken it
   */
  constructor(since = 0, most: number = API_NONCES_MAX) {
    this.forgottenBefore = Math.floor(since / SECOND_MS);
    this.most = most;
  }

  get size(): number {
    return this.count;
  }

  /**
   * Takes a nonce.
   *
   * @param timestamp of the request, in milliseconds, within API_CLOCK_SKEW_MS of now
   */
  take(accessKeyId: string, nonce: string, timestamp: number, now: number): NonceVerdict {
    this.forget(Math.floor((now - API_CLOCK_SKEW_MS) / SECOND_MS));
    const second = Math.floor(timestamp / SECOND_MS);
    if (second < this.forgottenBefore) return 'forgotten';
    const used = this.bySecond.get(second) ?? new Set();
    const entry = `${accessKeyId}\n${nonce}`;
    if (used.has(entry)) return 'used';
    if (this.count >= this.most) this.forgetOldest();
    if (second < this.forgottenBefore) return 'forgotten';
    used.add(entry);
    this.bySecond.set(second, used);
    this.count++;
    return 'fresh';
  }

  /** Lets go what no timestamp can bring back. */
  private forget(before: number): void {
    if (before <= this.forgottenBefore) return;
    this.forgottenBefore = before;
    for (const [second, used] of this.bySecond) {
      if (second >= before) continue;
      this.bySecond.delete(second);
      this.count -= used.size;
    }
  }

  private forgetOldest(): void {
    const oldest = Math.min(...this.bySecond.keys());
    this.forget(oldest + 1);
  }
}
