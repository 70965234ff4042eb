/**
 * R: how fast OpenSSL encrypts on one core of this machine, now.
 *
 * What is measured: bytes a second of AES-256-XTS on one data unit that fits into a core's cache,
 * for REFERENCE_MS on the calling thread, by processor work alone: no files, no threads, nothing of
 * ours. It is measured beside each turn, so that turns of different hours and machines can be given
 * as parts of R (baseline-check.ts says how far to trust that).
 */
import { createCipheriv } from 'node:crypto';

const REFERENCE_MS = 40;
const UNIT_BYTES = 64 * 1024;
/** Both halves differ, as XTS demands. Not a secret: nothing is kept. */
const KEY = Uint8Array.from({ length: 64 }, (_, at) => at);

/** @param now milliseconds of a clock that only goes forward */
export function measureReference(now: () => number): number {
  const cipher = createCipheriv('aes-256-xts', KEY, new Uint8Array(16));
  const unit = new Uint8Array(UNIT_BYTES);
  cipher.update(unit);
  const started = now();
  let units = 0;
  let elapsed = 0;
  do {
    for (let step = 0; step < 8; step++) cipher.update(unit);
    units += 8;
    elapsed = now() - started;
  } while (elapsed < REFERENCE_MS);
  return (units * UNIT_BYTES * 1e3) / elapsed;
}
