/** A request as its header says it, and why one is refused. Thread: main. */
import type { Errno } from './protocol.ts';

export interface Refusal {
  readonly errno: Errno;
  readonly text: string;
}

export interface NbdRequest {
  readonly flags: number;
  readonly command: number;
  readonly cookieHigh: number;
  readonly cookieLow: number;
  readonly offset: number;
  readonly length: number;
  /** Set by the sink that admits it: why it will not be done; the payload bytes counted for it. */
  refusal: Refusal | null;
  heldBytes: number;
}
