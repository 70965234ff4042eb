/**
 * A thread that reads and checks shard directories which no plane has open.
 *
 * It holds no key and changes nothing, so it may be ended at any time; it is if it hangs.
 *
 * **Thread:** main.
 */
import { Worker } from 'node:worker_threads';
import { PlaneError } from '../base/errors.ts';
import { SHARD_HANG_MS } from '../limits.ts';
import type { CheckedStore, CheckStart } from '../record/check-message.ts';
import { watchForHang } from './hang-watch.ts';

/** @throws PlaneError ReadFailed: the thread ended before it had read everything */
export async function checkShardDirectories(
  directories: readonly string[],
): Promise<readonly CheckedStore[]> {
  const beat = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('../../workers/check.js', import.meta.url), {
    name: 'check',
    execArgv: [],
    workerData: { directories, beat } satisfies CheckStart,
  });
  const found: CheckedStore[] = [];
  let how = 'ended';
  const watched = {
    isAwaited: true,
    get progress(): number {
      return Atomics.load(beat, 0);
    },
  };
  const endWatch = watchForHang(watched, SHARD_HANG_MS, (silentMs) => {
    how = `hung: it read nothing for ${silentMs} ms`;
    void worker.terminate();
  });
  await new Promise<void>((resolve) => {
    worker.on('message', (checked: CheckedStore) => found.push(checked));
    worker.on('error', (error) => {
      how = error instanceof Error ? error.message : String(error);
    });
    worker.once('exit', () => resolve());
  });
  endWatch();
  if (found.length === directories.length) return found;
  const what = `the check of ${directories[found.length]} did not come to its end: ${how}`;
  throw new PlaneError('ReadFailed', what);
}
