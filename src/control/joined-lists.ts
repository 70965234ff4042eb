/** Several lists read as one: own resources first, then those that are shared, and so on. */
import type { Listing } from '../meta/metadata.ts';

/** What list-pages.ts pages over. */
export type List<T> = (skip: number, limit: number) => Listing<T>;

/** The lists one after the other. */
export function joinLists<T>(lists: readonly List<T>[]): List<T> {
  return (skip, limit) => {
    const records: T[] = [];
    let total = 0;
    for (const list of lists) {
      const from = Math.max(skip - total, 0);
      const wanted = limit - records.length;
      // A list is asked even if nothing of it is wanted: the total is of all of them.
      const found = list(from, Math.max(wanted, 1));
      if (wanted > 0) records.push(...found.records);
      total += found.total;
    }
    return { total, records };
  };
}

/** A list with something else in place of each record. */
export function mapList<R, T>(list: List<R>, toItem: (record: R) => T): List<T> {
  return (skip, limit) => {
    const { total, records } = list(skip, limit);
    return { total, records: records.map(toItem) };
  };
}
