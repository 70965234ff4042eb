/**
 * One verb at a time per disk, snapshot or task, and one task's step per shard, in the order they
 * came.
 *
 * A verb checks, tells a shard, then commits; another verb on the same resource in between would
 * see it half done. Ids are taken in sorted order, so two verbs never wait for each other.
 *
 * **Thread:** main.
 */
export class ResourceLocks {
  private readonly tails = new Map<string, Promise<void>>();

  /** Runs `step` while no other step holds any of the ids. */
  async hold<T>(ids: readonly string[], step: () => Promise<T>): Promise<T> {
    const releases: (() => void)[] = [];
    try {
      for (const id of [...new Set(ids)].sort()) releases.push(await this.take(id));
      return await step();
    } finally {
      for (const release of releases) release();
    }
  }

  private async take(id: string): Promise<() => void> {
    const before = this.tails.get(id);
    let release: () => void = () => {};
    const mine = new Promise<void>((resolve) => {
      release = () => {
        if (this.tails.get(id) === mine) this.tails.delete(id);
        resolve();
      };
    });
    this.tails.set(id, mine);
    await before;
    return release;
  }
}
