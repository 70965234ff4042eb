/**
 * Turns at a record. A control operation looks, waits for a shard, then writes: between the first
 * and the last nobody else may change the same disk or snapshot.
 *
 * 1. Holders of one id follow one another in the order they asked; different ids do not wait for
 *    each other.
 * 2. An operation holds one id at a time, that of the disk or snapshot it starts from, so no two
 *    can wait for each other.
 */

export class RecordLocks {
  /** The end of the queue of each id that has one. Never rejects. */
  readonly #queueEnds = new Map<string, Promise<void>>();

  /** Runs when every holder that asked before has settled. */
  async hold<T>(id: string, run: () => Promise<T>): Promise<T> {
    const before = this.#queueEnds.get(id) ?? Promise.resolve();
    const turn = before.then(run);
    const end = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#queueEnds.set(id, end);
    try {
      return await turn;
    } finally {
      if (this.#queueEnds.get(id) === end) this.#queueEnds.delete(id);
    }
  }

  /** Ids someone holds or waits for. */
  get size(): number {
    return this.#queueEnds.size;
  }
}
