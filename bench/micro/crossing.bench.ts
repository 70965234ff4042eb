/**
 * What it costs to ask another thread something: a message there and back, an empty piscina task,
 * and a request through the ring of a shard, with both sides looking and with both asleep. Calls
 * follow each other; nothing overlaps.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { allocateShardChannel, OPERATION, ShardChannel } from '../../src/record/shard-channel.ts';
import { ECHO } from './crossing-worker.ts';
import { measure } from './measure.ts';
import type { RingStart } from './ring-worker.ts';
import type { BenchRow } from './row.ts';

const WORKER = new URL('./crossing-worker.js', import.meta.url);
const RING_WORKER = new URL('./ring-worker.js', import.meta.url);

/** @param isSmoke true: only long enough to see that everything runs */
export async function crossing(isSmoke: boolean): Promise<BenchRow[]> {
  const rows = await messageRows(isSmoke);
  rows.push(...(await ringRow(false, isSmoke)));
  // Two threads that look at each other need a core each.
  if (availableParallelism() > 1) rows.push(...(await ringRow(true, isSmoke)));
  return rows;
}

async function messageRows(isSmoke: boolean): Promise<BenchRow[]> {
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

async function ringRow(isPolled: boolean, isSmoke: boolean): Promise<BenchRow[]> {
  const memory = allocateShardChannel();
  const channel = new ShardChannel(memory);
  // Where other processes want the cores, a look may take as long as theirs let it wait.
  const operations = isPolled && !isSmoke ? 16 : 1;
  const worker = new Worker(RING_WORKER, { workerData: { memory, isPolled } satisfies RingStart });
  let submitted = 0;
  const submit = (): void => {
    channel.fillSlot(submitted, OPERATION.flush, 1, 0, 0, 0, 0, 0);
    submitted = (submitted + 1) >>> 0;
    channel.publishSubmitted(submitted);
  };
  const askAsleep = async (): Promise<void> => {
    // Asleep before there is work: often the answer is there before this thread could lie down.
    const woken = channel.sleepMain(submitted);
    submit();
    await woken;
  };
  const askLooking = (): void => {
    for (let call = 0; call < operations; call++) {
      submit();
      while (channel.completed !== submitted);
    }
  };
  try {
    // The thread has started when it has answered; before that nothing may block this one.
    await askAsleep();
    const row = isPolled
      ? { name: 'ring, both looking', operations, bytes: null, call: askLooking }
      : { name: 'ring, both asleep', operations, bytes: null, call: askAsleep };
    return await measure([row], isSmoke);
  } finally {
    await worker.terminate();
  }
}
