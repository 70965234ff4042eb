/** Steps of re-encryption in slices: how many, when, and that each is answered once. */
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { PlaneError } from '../../../src/base/errors.ts';
import { REENCRYPT_SLICE_GAP_MS } from '../../../src/limits.ts';
import type { ReencryptProgress } from '../../../src/record/shard-message.ts';
import { ReencryptionTurns } from '../../../src/shard/reencryption-turns.ts';

interface Asked {
  readonly turns: ReencryptionTurns;
  readonly slices: [handle: number, sectors: number][];
  readonly answers: [id: number, outcome: unknown][];
  now: number;
}

/** @param left sectors of every volume that are to be moved */
function turnsOf(left: number, failAt = -1): Asked {
  const slices: [number, number][] = [];
  const answers: [number, unknown][] = [];
  const asked = { slices, answers, now: 0 };
  const clock: Clock = { ...systemClock, monotonic: () => asked.now };
  let remaining = left;
  const perform = (handle: number, sectors: number): ReencryptProgress => {
    if (slices.length === failAt) throw new PlaneError('NoSpace', 'the memory limit is reached');
    slices.push([handle, sectors]);
    const movedSectors = Math.min(sectors, remaining);
    remaining -= movedSectors;
    return { movedSectors, remainingSectors: remaining, isDone: remaining === 0 };
  };
  const answer = (id: number, act: () => ReencryptProgress): void => {
    try {
      answers.push([id, act()]);
    } catch (error) {
      answers.push([id, (error as PlaneError).code]);
    }
  };
  return Object.assign(asked, { turns: new ReencryptionTurns({ clock, perform, answer }) });
}

const step = { id: 7, handle: 1, sectorsMax: 10, sliceSectors: 4 };

describe('a step of re-encryption', () => {
  it('is done in slices, the last one shorter, and answered once with all they did', () => {
    const { turns, slices, answers } = turnsOf(100);
    turns.add(step);
    expect(turns.run(false)).toBe(true);
    expect(answers).toEqual([]);
    while (turns.run(false));
    expect(slices.map(([, sectors]) => sectors)).toEqual([4, 4, 2]);
    expect(answers).toEqual([[7, { movedSectors: 10, remainingSectors: 90, isDone: false }]]);
  });

  it('ends early where there is no more to move', () => {
    const { turns, answers } = turnsOf(5);
    turns.add(step);
    while (turns.run(false));
    expect(answers).toEqual([[7, { movedSectors: 5, remainingSectors: 0, isDone: true }]]);
  });

  it('waits between two slices while callers are served, and not while they are not', () => {
    const asked = turnsOf(100);
    asked.turns.add(step);
    expect(asked.turns.run(true)).toBe(true);
    expect(asked.turns.run(true)).toBe(false);
    asked.now += REENCRYPT_SLICE_GAP_MS * 0.9;
    expect(asked.turns.run(true)).toBe(false);
    expect(asked.turns.run(false)).toBe(true);
    asked.now += REENCRYPT_SLICE_GAP_MS;
    expect(asked.turns.run(true)).toBe(true);
    expect(asked.slices).toHaveLength(3);
  });

  it('is answered with the error of a slice, and the next one is begun', () => {
    const { turns, answers, slices } = turnsOf(100, 1);
    turns.add(step);
    turns.add({ ...step, id: 8, handle: 2 });
    while (turns.run(false) && answers.length === 0);
    expect(answers).toEqual([[7, 'NoSpace']]);
    expect(slices).toEqual([[1, 4]]);
  });

  it('that was not done when the shard stops is answered with an error', () => {
    const { turns, answers } = turnsOf(100);
    turns.add(step);
    turns.run(false);
    turns.close((handle) => new PlaneError('DiskClosed', `no volume has handle ${handle}`));
    expect(answers).toEqual([[7, 'DiskClosed']]);
    expect(turns.run(false)).toBe(false);
  });
});
