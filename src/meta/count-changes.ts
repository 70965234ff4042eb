/** By how much a transaction changes how many entries there are. Pure. */

/** Entries more or fewer, by table or group prefix. */
export type CountChanges = Map<string, number>;

/** Adds to what is counted so far. */
export function count(counts: CountChanges, prefix: string, difference: number): void {
  counts.set(prefix, (counts.get(prefix) ?? 0) + difference);
}
