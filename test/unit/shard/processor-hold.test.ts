/** When a shard stays on its processor, by a clock and an account that the test sets. */
import { describe, expect, it } from 'vitest';
import type { ThreadProcessor } from '../../../src/base/thread-processor.ts';
import { ProcessorHold } from '../../../src/shard/processor-hold.ts';

/** What passes between two times that a shard has nothing to do. */
const TURN_MS = 0.02;

function makeHold(isRefused = false) {
  let nowMs = 1_000;
  let waitedMs = 77;
  const log: string[] = [];
  const processor: ThreadProcessor = {
    stay() {
      log.push('stay');
      return !isRefused;
    },
    leave: () => void log.push('leave'),
    waitedMs: () => waitedMs,
    close: () => void log.push('close'),
  };
  const hold = new ProcessorHold(processor, () => nowMs);
  return {
    hold,
    log,
    /**
     * @param findsPart of the turns, those that find something
     * @param waitedPart of the time, what the thread stands in line
     */
    turn(ms: number, findsPart: number, waitedPart = 0) {
      let owed = 0;
      for (let passed = 0; passed < ms; passed += TURN_MS) {
        nowMs += TURN_MS;
        waitedMs += TURN_MS * waitedPart;
        owed += findsPart;
        if (owed >= 1) owed -= 1;
        hold.turned(owed < findsPart && findsPart > 0);
      }
    },
  };
}

describe('a shard and its processor', () => {
  it('stays while polling finds work', () => {
    const { log, turn } = makeHold();
    turn(20, 1);
    expect(log).toEqual(['stay']);
    turn(5_000, 1);
    expect(log).toEqual(['stay']);
  });

  it('does not stay where it has nothing to do, or is woken now and then', () => {
    const { log, turn } = makeHold();
    turn(2_000, 0);
    turn(2_000, 0.005);
    expect(log).toEqual([]);
  });

  it('outlasts a short pause of its client, and leaves after a longer one', () => {
    const { log, turn } = makeHold();
    turn(20, 1);
    turn(80, 0);
    turn(300, 1);
    expect(log).toEqual(['stay']);
    turn(500, 0);
    expect(log).toEqual(['stay', 'leave']);
    turn(20, 1);
    expect(log).toEqual(['stay', 'leave', 'stay']);
  });

  it('stays beside a client that runs while it waits for it', () => {
    const { log, turn } = makeHold();
    turn(10_000, 1, 0.4);
    expect(log).toEqual(['stay']);
  });

  it('leaves a processor that somebody else has taken, ever longer, and forgives', () => {
    const { log, turn } = makeHold();
    turn(1_500, 1, 0.5);
    expect(log).toEqual(['stay', 'leave']);
    turn(900, 1, 0.5);
    expect(log, 'stays again after a second, not before').toHaveLength(3);
    turn(1_300, 1, 0.5);
    expect(log).toEqual(['stay', 'leave', 'stay', 'leave']);
    turn(1_200, 1);
    expect(log, 'the second pause is twice the first').toHaveLength(4);
    turn(5_000, 1);
    expect(log).toHaveLength(5);
    turn(1_500, 1, 0.5);
    expect(log).toHaveLength(6);
    turn(1_200, 1, 0.5);
    expect(log, 'after a second without a wait the pause is the first again').toHaveLength(7);
  });

  it('asks again where the system refused', () => {
    const { log, turn } = makeHold(true);
    turn(20, 1);
    expect(log.length).toBeGreaterThan(1);
    expect(new Set(log)).toEqual(new Set(['stay']));
  });

  it('leaves when it is closed, if it stays', () => {
    const staying = makeHold();
    staying.turn(20, 1);
    staying.hold.close();
    expect(staying.log).toEqual(['stay', 'leave', 'close']);
    const floating = makeHold();
    floating.hold.close();
    expect(floating.log).toEqual(['close']);
  });
});
