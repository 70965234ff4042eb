/** What the model of a disk accepts, and what it refuses. */
import { describe, expect, test } from 'vitest';
import { bytesOf, FOREIGN, versionsOf } from './content.ts';
import { modelHistory } from './disk-model.ts';
import type { HistoryLine } from './protocol.ts';

const ONE = 1;
const before = new Map([[ONE, new Array<number>(16).fill(0)]]);

/** Versions of both sectors, each given as one version, or as eight. */
function held(...sectors: readonly (number | readonly number[])[]): number[] {
  return sectors.flatMap((sector) =>
    typeof sector === 'number' ? new Array<number>(8).fill(sector) : [...sector],
  );
}

function modelOf(lines: readonly HistoryLine[]) {
  return modelHistory(lines, before).disks.get(ONE)!;
}

describe('content', () => {
  const owner = { seed: 7, disk: 2 };
  const bytes = bytesOf(owner, 8, 3, 55);

  test('is read back as what was written, and zeros as zeros', () => {
    expect(versionsOf(bytes, owner, 8)).toEqual([55, 55, 55]);
    expect(versionsOf(new Uint8Array(1_024), owner, 0)).toEqual([0, 0]);
  });

  test.each([
    ['another disk', { seed: 7, disk: 3 }, 8],
    ['another directory', { seed: 8, disk: 2 }, 8],
    ['another unit', owner, 9],
  ])('of %s is foreign', (_, other, unit) => {
    expect(versionsOf(bytes, other, unit)).toEqual([FOREIGN, FOREIGN, FOREIGN]);
  });

  test.each([0, 4, 12, 100, 511])('with byte %i changed is foreign', (at) => {
    const changed = bytes.slice(0, 512);
    changed[at]! ^= 1;
    expect(versionsOf(changed, owner, 8)).toEqual([FOREIGN]);
  });
});

describe('after a kill', () => {
  const acknowledged: HistoryLine[] = [
    ['i', 1, 'w', ONE, 0, 16],
    ['a', 1],
    ['i', 2, 'w', ONE, 0, 8],
    ['a', 2],
    ['i', 3, 'w', ONE, 0, 4],
    ['i', 4, 't', ONE, 8, 8],
  ];
  const model = modelOf(acknowledged);

  test.each([
    ['what was acknowledged', held(2, 1)],
    ['a later write to a part of it', held([3, 3, 3, 3, 2, 2, 2, 2], 1)],
    ['a later trim', held(2, 0)],
  ])('%s may be there', (_, versions) => {
    expect(model.problemsOf(versions)).toEqual([]);
  });

  test.each([
    ['an older version', held(1, 1), /lost request 1/],
    ['zeros of before', held(0, 1), /lost request 1/],
    ['a part of a write', held([3, 3, 2, 2, 2, 2, 2, 2], 1), /torn/],
    ['a mixture', held([2, 2, 2, 2, 1, 1, 1, 1], 1), /torn/],
    ['a version never written there', held(2, 3), /never written there/],
    ['foreign bytes', held(2, FOREIGN), /bytes of no write/],
  ])('%s may not', (_, versions, problem) => {
    expect(model.problemsOf(versions)).toEqual([expect.stringMatching(problem)]);
  });

  test('a request that failed may have had effect or not, until a later one had', () => {
    const lines: HistoryLine[] = [
      ['i', 1, 'w', ONE, 0, 8],
      ['a', 1],
      ['i', 2, 'w', ONE, 0, 8],
      ['e', 2, 'NoSpace'],
    ];
    expect(modelOf(lines).problemsOf(held(1, 0))).toEqual([]);
    expect(modelOf(lines).problemsOf(held(2, 0))).toEqual([]);
    const later = modelOf([...lines, ['i', 3, 'w', ONE, 0, 8], ['a', 3]]);
    expect(later.problemsOf(held(2, 0))).toEqual([expect.stringMatching(/lost request 2/)]);
  });
});

describe('a snapshot', () => {
  const lines: HistoryLine[] = [
    ['i', 1, 'w', ONE, 0, 8],
    ['a', 1],
    ['i', 2, 'w', ONE, 8, 8],
    ['<', 'snapshot'],
    ['i', 3, 'w', ONE, 0, 8],
    ['a', 2],
    ['i', 4, 'w', ONE, 8, 8],
    ['>', 'snapshot'],
    ['i', 5, 'w', ONE, 0, 8],
  ];
  const history = modelHistory(lines, before);
  const interval = history.marks.get('snapshot')!.get(ONE)!;
  const problemOf = (versions: number[]): string | null =>
    history.disks.get(ONE)!.snapshotProblem(versions, interval);

  test.each([
    ['all that was acknowledged before', held(1, 0)],
    ['what was made before', held(1, 2)],
    ['what was made meanwhile', held(3, 2)],
    ['all of what was made meanwhile', held(3, 4)],
  ])('of %s is one', (_, versions) => {
    expect(problemOf(versions)).toBeNull();
  });

  test.each([
    ['without what was acknowledged before', held(0, 0)],
    ['of no one moment', held(1, 4)],
    ['of no one moment either', held(3, 0)],
    ['of what was made after its answer', held(5, 4)],
  ])('%s is none', (_, versions) => {
    expect(problemOf(versions)).toMatch(/no moment/);
  });
});
