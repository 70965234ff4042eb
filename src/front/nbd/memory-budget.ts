/**
 * How much all connections together may hold in payloads: who gets none waits, and is told when
 * some was given back.
 *
 * **Thread:** main.
 */
import { invariant } from '../../base/invariant.ts';

export class MemoryBudget {
  private readonly limitBytes: number;
  private usedBytes = 0;
  private readonly waiting = new Set<() => void>();

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** @param onRoom called once when there may be room, if there is none now */
  take(byteCount: number, onRoom: () => void): boolean {
    if (this.usedBytes + byteCount > this.limitBytes) {
      this.waiting.add(onRoom);
      return false;
    }
    this.usedBytes += byteCount;
    return true;
  }

  give(byteCount: number): void {
    this.usedBytes -= byteCount;
    invariant(this.usedBytes >= 0, 'what is given back was taken');
    if (this.waiting.size === 0 || byteCount === 0) return;
    const told = [...this.waiting];
    this.waiting.clear();
    for (const onRoom of told) setImmediate(onRoom);
  }
}
