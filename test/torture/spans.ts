/** Sets of whole numbers as ascending spans [from, to), for moments in a disk's history. */

export type Spans = readonly (readonly [from: number, to: number])[];

export const ALWAYS: Spans = [[-Infinity, Infinity]];

/** What is in both. */
export function intersect(left: Spans, right: Spans): Spans {
  const both: (readonly [number, number])[] = [];
  let at = 0;
  for (const [from, to] of left) {
    while (at < right.length && right[at]![1] <= from) at++;
    for (let next = at; next < right.length && right[next]![0] < to; next++) {
      both.push([Math.max(from, right[next]![0]), Math.min(to, right[next]![1])]);
    }
  }
  return both;
}

/** Ascending and without overlaps, whatever order they come in. */
export function union(spans: Spans): Spans {
  const sorted = [...spans].sort((left, right) => left[0] - right[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}
