/**
 * The life of a shard thread: serve while there is work, poll a little, then sleep.
 *
 *   serve batch ─▶ (ring empty) background step ─▶ (nothing) poll ─▶ sleep on the doorbell
 *        ▲────────────────── any request or message ──────────────────────────────┘
 *
 * Polling spares a busy disk at low depth most wake-ups; it is off where there is only one core.
 *
 * 1. It is tried where it would have helped the last time: where work came within the longest poll,
 *    polled for or slept for. A disk that is asked something now and then costs nothing between.
 * 2. After a batch of more than POLLED_BATCH_REQUESTS_MAX requests there is none: one wake-up for
 *    so many costs little, and the processor is better given to whoever makes the next ones. A
 *    client on the same machine has to run before there are any.
 *
 * While polling finds work the shard stays on its processor (processor-hold.ts).
 *
 * **Thread:** shard.
 */
import { BUSY_BATCHES_PER_IDLE, POLLED_BATCH_REQUESTS_MAX, SHARD_SLEEP_MS_MAX } from '../limits.ts';
import type { ShardChannel } from '../record/shard-channel.ts';
import type { ProcessorHold } from './processor-hold.ts';
import type { Shard } from './serve.ts';

/**
 * @param drainPorts handles every message waiting on the shard's ports
 * @param hold told of each turn of the loop; null where a thread cannot be held
 */
export function serveUntilStopped(
  shard: Shard,
  channel: ShardChannel,
  drainPorts: () => void,
  pollMicroseconds: number,
  hold: ProcessorHold | null,
): void {
  let doorbellDrained = Atomics.load(channel.doorbell, 0) - 1;
  let batches = 0;
  let hasFound = false;
  let isWorkNear = true;
  const pollMs = pollMicroseconds / 1000;
  while (!shard.isStopped) {
    hold?.turned(hasFound);
    hasFound = false;
    channel.beat();
    const doorbell = Atomics.load(channel.doorbell, 0);
    if (doorbell !== doorbellDrained) {
      doorbellDrained = doorbell;
      drainPorts();
      continue;
    }
    if (shard.serveBatch()) {
      if (++batches % BUSY_BATCHES_PER_IDLE === 0) shard.idle();
      continue;
    }
    if (shard.idle()) continue;
    const idleFrom = performance.now();
    const isPolled = isWorkNear && shard.lastBatchRequests <= POLLED_BATCH_REQUESTS_MAX;
    hasFound = isPolled && poll(shard, channel, doorbell, idleFrom + pollMs);
    if (hasFound) continue;
    channel.sleepShard(doorbell, shard.executedCount, SHARD_SLEEP_MS_MAX);
    isWorkNear = performance.now() - idleFrom <= pollMs;
  }
}

/** @param deadline as performance.now() @returns true if work came while polling */
function poll(shard: Shard, channel: ShardChannel, doorbell: number, deadline: number): boolean {
  while (performance.now() < deadline) {
    for (let look = 0; look < 32; look++) {
      const hasWork = channel.submitted !== shard.executedCount;
      if (hasWork || Atomics.load(channel.doorbell, 0) !== doorbell) return true;
    }
  }
  return false;
}
