/**
 * Faults a thread has when a test tells it to. Nothing of it can be reached unless the thread was
 * started as one that may be sabotaged (threads/sabotage.ts).
 *
 * **Thread:** shard, KMS.
 */
import { unreachable } from './invariant.ts';

/** An uncaught error, the end of the thread, a loop without end, more memory than there is. */
export type FaultKind = 'throw' | 'exit' | 'hang' | 'outOfMemory';

export function haveFault(kind: FaultKind): void {
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
