/**
 * A page of several lists, read as one: own resources first, then those that are shared, and so on.
 *
 * Without a test on the items the page is read where it lies; with one, the lists are gone through
 * in steps.
 *
 * **Thread:** main.
 */
import { LIST_STEP_RECORDS } from '../limits.ts';

export interface Segment<T> {
  readonly total: number;
  readonly read: (skip: number, limit: number) => readonly T[];
}

/** @param passes null: every item does */
export function pageOfSegments<T>(
  segments: readonly Segment<T>[],
  passes: ((item: T) => boolean) | null,
  skip: number,
  limit: number,
): { readonly total: number; readonly items: T[] } {
  return passes === null
    ? pageAsItLies(segments, skip, limit)
    : pageOfThosePassing(segments, passes, skip, limit);
}

/** A segment of items that are at hand. */
export function segmentOf<T>(items: readonly T[]): Segment<T> {
  return { total: items.length, read: (skip, limit) => items.slice(skip, skip + limit) };
}

/** A segment of a listing of the metadata. */
export function segmentOfListing<R, T>(
  list: (skip: number, limit: number) => { readonly total: number; readonly records: R[] },
  toItem: (record: R) => T,
): Segment<T> {
  const { total } = list(0, 1);
  return { total, read: (skip, limit) => list(skip, limit).records.map(toItem) };
}

function pageAsItLies<T>(
  segments: readonly Segment<T>[],
  skip: number,
  limit: number,
): { total: number; items: T[] } {
  const items: T[] = [];
  let total = 0;
  for (const segment of segments) {
    const from = Math.max(skip - total, 0);
    const wanted = Math.min(limit - items.length, segment.total - from);
    if (wanted > 0) items.push(...segment.read(from, wanted));
    total += segment.total;
  }
  return { total, items };
}

function pageOfThosePassing<T>(
  segments: readonly Segment<T>[],
  passes: (item: T) => boolean,
  skip: number,
  limit: number,
): { total: number; items: T[] } {
  const items: T[] = [];
  let total = 0;
  for (const segment of segments) {
    for (let at = 0; at < segment.total; at += LIST_STEP_RECORDS) {
      for (const item of segment.read(at, LIST_STEP_RECORDS)) {
        if (!passes(item)) continue;
        if (total >= skip && items.length < limit) items.push(item);
        total++;
      }
    }
  }
  return { total, items };
}
