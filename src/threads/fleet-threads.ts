/**
 * Threads that simulate a fleet: each is given a part, and the next when it answers.
 *
 * A thread has no key and no bytes of anybody. All are ended when the last part has come, when one
 * fails, or when the caller asks for it.
 *
 * **Thread:** main.
 */
import { Worker } from 'node:worker_threads';
import type { FleetOptions } from '../fleet/fleet-options.ts';
import type { PartResult } from '../fleet/part-run.ts';

export interface FleetThreadsOptions {
  readonly options: FleetOptions;
  readonly threads: number;
  readonly parts: number;
  readonly onResult: (result: PartResult) => void;
  readonly signal?: AbortSignal | undefined;
}

/** @throws what a thread threw; the signal's reason if it is aborted */
export async function runFleetThreads(request: FleetThreadsOptions): Promise<void> {
  const { options, parts, onResult, signal } = request;
  signal?.throwIfAborted();
  const workers: Worker[] = [];
  let next = 0;
  let done = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      const give = (worker: Worker): void => {
        if (next < parts) worker.postMessage(next++);
      };
      for (let thread = 0; thread < Math.min(request.threads, parts); thread++) {
        const worker = new Worker(new URL('../../workers/fleet.js', import.meta.url), {
          name: `fleet-${thread}`,
          execArgv: [],
          workerData: options,
        });
        workers.push(worker);
        worker.on('error', reject);
        worker.on('exit', (code) => reject(new Error(`a thread of the fleet ended with ${code}`)));
        worker.on('message', (result: PartResult) => {
          onResult(result);
          done += 1;
          if (done === parts) resolve();
          else give(worker);
        });
        give(worker);
      }
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
