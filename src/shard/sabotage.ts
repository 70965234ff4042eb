/**
 * Faults a shard thread has when a test tells it to. Nothing of it can be reached unless the thread
 * was started with isSabotageAllowed (threads/sabotage.ts).
 *
 * **Thread:** shard.
 */
import { unreachable } from '../base/invariant.ts';
import type { SabotageKind } from '../record/shard-message.ts';

export function haveFault(kind: SabotageKind): void {
  switch (kind) {
    case 'throw':
      throw new Error('an error nobody catches, as a test asked for');
    case 'exit':
      process.exit(70);
      break;
    case 'hang':
      spin();
      break;
    case 'outOfMemory':
      fillHeap();
      break;
    default:
      unreachable(kind);
  }
}

function spin(): never {
  for (;;);
}

function fillHeap(): never {
  const kept: number[][] = [];
  for (;;) kept.push(Array.from({ length: 100_000 }, (_, index) => index + 0.5));
}
