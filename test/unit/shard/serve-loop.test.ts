/** The loop of a shard thread, with a shard that does what the test says. */
import { describe, expect, it } from 'vitest';
import { BUSY_BATCHES_PER_IDLE, POLLED_BATCH_REQUESTS_MAX } from '../../../src/limits.ts';
import { allocateShardChannel, ShardChannel } from '../../../src/record/shard-channel.ts';
import type { ProcessorHold } from '../../../src/shard/processor-hold.ts';
import type { Shard } from '../../../src/shard/serve.ts';
import { serveUntilStopped } from '../../../src/shard/serve-loop.ts';

interface Script {
  /** Batches there are to serve. */
  batches: number;
  /** Background steps there are to do. */
  steps: number;
  /** Called whenever the loop asks how far the shard is. */
  onLook?: () => void;
}

/** A shard that stops once it has nothing to do and is asked so for the last time. */
function runLoop(script: Script, pollMicroseconds: number, drains = 1) {
  const channel = new ShardChannel(allocateShardChannel());
  const log: string[] = [];
  const shard = {
    isStopped: false,
    lastBatchRequests: 1,
    get executedCount() {
      script.onLook?.();
      return 0;
    },
    serveBatch() {
      if (script.batches === 0) return false;
      script.batches--;
      log.push('batch');
      return true;
    },
    idle() {
      log.push('idle');
      if (script.steps === 0) return false;
      script.steps--;
      return true;
    },
  };
  let drained = 0;
  const drainPorts = (): void => {
    log.push('drain');
    if (++drained === drains) shard.isStopped = true;
  };
  const run = (hold: ProcessorHold | null = null): void =>
    serveUntilStopped(shard as unknown as Shard, channel, drainPorts, pollMicroseconds, hold);
  return { channel, shard, log, run };
}

describe('the loop of a shard', () => {
  it('looks at its ports before anything else, and ends when it is stopped', () => {
    const { log, run } = runLoop({ batches: 5, steps: 5 }, 0);
    run();
    expect(log).toEqual(['drain']);
  });

  it('serves batches first, then background steps, then sleeps until the doorbell rings', () => {
    const { channel, log, run } = runLoop({ batches: 2, steps: 1, onLook: ring }, 0, 2);
    let looks = 0;
    function ring(): void {
      // The first look is on the way to sleep: what rings then must not be slept through.
      if (++looks === 1) channel.ringDoorbell();
    }
    run();
    expect(log).toEqual(['drain', 'batch', 'batch', 'idle', 'idle', 'drain']);
  });

  it('tells whom it is held by of busy turns, too', () => {
    const told: boolean[] = [];
    const hold = { turned: (hasFound: boolean) => void told.push(hasFound) };
    const { channel, shard, run } = runLoop({ batches: 3, steps: 2, onLook: ring }, 0, 2);
    let looks = 0;
    function ring(): void {
      if (++looks === 1) channel.ringDoorbell();
    }
    run(hold as unknown as ProcessorHold);
    expect(shard.isStopped).toBe(true);
    expect(told).toEqual([false, false, false, false, false, false, false, false]);
  });

  it('does a background step now and then though there is always a batch', () => {
    const batches = 2 * BUSY_BATCHES_PER_IDLE;
    const { channel, log, run } = runLoop({ batches, steps: 9, onLook: ring }, 0, 2);
    function ring(): void {
      channel.ringDoorbell();
    }
    run();
    const untilLast = log.slice(0, log.lastIndexOf('batch') + 1);
    expect(untilLast.filter((word) => word === 'idle')).toHaveLength(1);
    expect(log.filter((word) => word === 'batch')).toHaveLength(batches);
  });

  it('sees while it polls that a request was submitted', () => {
    const script: Script = { batches: 0, steps: 0 };
    const { channel, shard, log, run } = runLoop(script, 50, 3);
    let looks = 0;
    script.onLook = () => {
      looks++;
      if (looks === 2) channel.publishSubmitted(1);
      // It is seen: the next turn serves, is stopped, and has not slept.
      if (looks > 2) shard.isStopped = true;
    };
    run();
    expect(log[0]).toBe('drain');
    expect(channel.submitted).toBe(1);
  });

  it('sees while it polls that the doorbell rang', () => {
    const script: Script = { batches: 0, steps: 0 };
    const { channel, log, run } = runLoop(script, 1_000_000, 2);
    let looks = 0;
    script.onLook = () => {
      if (++looks === 3) channel.ringDoorbell();
    };
    run();
    expect(log).toEqual(['drain', 'idle', 'drain']);
    // Three looks of the poll: it has not waited for its deadline, nor slept.
    expect(looks).toBe(3);
  });

  it('sleeps at once after a batch of many, though it would have polled for long', () => {
    const script: Script = { batches: 1, steps: 0 };
    const { channel, shard, log, run } = runLoop(script, 1_000_000, 2);
    shard.lastBatchRequests = POLLED_BATCH_REQUESTS_MAX + 1;
    let looks = 0;
    // The one look is on the way to sleep, and ends it.
    script.onLook = () => {
      if (++looks === 1) channel.ringDoorbell();
    };
    run();
    expect(log).toEqual(['drain', 'batch', 'idle', 'drain']);
    expect(looks).toBe(1);
  });

  it('does not poll after work that was long in coming, and does after work that was near', () => {
    const script: Script = { batches: 0, steps: 0 };
    const { channel, shard, run } = runLoop(script, 100_000, 3);
    const looks: number[] = [];
    const idle = shard.idle.bind(shard);
    shard.idle = () => {
      looks.push(0);
      return idle();
    };
    script.onLook = () => {
      const turn = looks.length;
      const count = ++looks[turn - 1]!;
      // Nothing comes in the first turn. In the second it comes on the way to sleep.
      if (turn === 2 || (turn === 3 && count === 3)) channel.ringDoorbell();
    };
    run();
    expect(looks[0]).toBeGreaterThan(3);
    expect(looks.slice(1)).toEqual([1, 3]);
  });

  it('sleeps when polling has found nothing, and looks again by itself', () => {
    const script: Script = { batches: 0, steps: 0 };
    const { shard, log, run } = runLoop(script, 1, 9);
    let turns = 0;
    const idle = shard.idle.bind(shard);
    shard.idle = () => {
      if (++turns === 3) shard.isStopped = true;
      return idle();
    };
    run();
    expect(log).toEqual(['drain', 'idle', 'idle', 'idle']);
  });
});
