/** Several lists read as one. */
import { describe, expect, it } from 'vitest';
import { joinLists, mapList } from '../../../src/control/joined-lists.ts';
import { listingOf } from '../../../src/control/list-pages.ts';

describe('joined lists', () => {
  const parts = [[], [1, 2, 3], [], [4], [5, 6, 7, 8], []];
  const whole = parts.flat();
  const list = joinLists(parts.map(listingOf));

  it('are read as the one list they make, whatever is skipped and wanted', () => {
    for (let skip = 0; skip <= whole.length + 2; skip++) {
      for (let limit = 1; limit <= whole.length + 2; limit++) {
        const records = whole.slice(skip, skip + limit);
        expect(list(skip, limit)).toEqual({ total: whole.length, records });
      }
    }
  });

  it('of none is empty', () => {
    expect(joinLists([])(0, 10)).toEqual({ total: 0, records: [] });
  });

  it('with something else in place of each record count as before', () => {
    const names = mapList(list, (number) => `n${number}`);
    expect(names(2, 2)).toEqual({ total: 8, records: ['n3', 'n4'] });
  });
});
