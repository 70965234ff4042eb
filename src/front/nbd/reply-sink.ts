/** What a transmission needs of its connection. Thread: main. */
import type { Hold } from './receive-blocks.ts';

/** Where replies go. */
export interface ReplySink {
  /** Sends bytes, borrowed until `sent` is called (once, also if the client is gone). */
  send(bytes: Uint8Array, sent: (() => void) | null): void;
  /** DISC: no more requests. */
  disconnect(): void;
  /** Keeps the chunk that is being read; null: what is needed of it has to be copied. */
  holdChunk(): Hold | null;
  /** There may be room for a request that was not admitted. */
  resume(): void;
  /** A bug: nothing that is to be answered. */
  crash(error: unknown): void;
}
