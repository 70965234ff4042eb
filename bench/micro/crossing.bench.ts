/**
 * What it costs to ask another thread something: a message there and back, and an empty piscina
 * task. Calls follow each other; nothing overlaps.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { ECHO } from './crossing-worker.ts';
import { measure } from './measure.ts';
import type { BenchRow } from './row.ts';

const WORKER = new URL('./crossing-worker.js', import.meta.url);

/** @param isSmoke true: only long enough to see that everything runs */
export async function crossing(isSmoke: boolean): Promise<BenchRow[]> {
  const worker = new Worker(WORKER, { workerData: ECHO });
  const pool = new Piscina({
    filename: WORKER.href,
    minThreads: 1,
    maxThreads: 1,
    atomics: 'disabled',
  });
  try {
    const message = { position: 1 };
    const ask = async (): Promise<void> => {
      worker.postMessage(message);
      await once(worker, 'message');
    };
    const run = (): Promise<unknown> => pool.run(null);
    return await measure(
      [
        { name: 'postMessage, there and back', operations: 1, bytes: null, call: ask },
        { name: 'piscina, one empty task', operations: 1, bytes: null, call: run },
      ],
      isSmoke,
    );
  } finally {
    await worker.terminate();
    await pool.destroy();
  }
}
