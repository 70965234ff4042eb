/**
 * The lineage of disks, snapshots, shares, images and instances, page by page, against a plain
 * graph that keeps everything and computes every answer anew.
 */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import type { LineageEntry, Metadata, MetadataChange } from '../../../src/meta/metadata.ts';
import { openMetadata } from '../../../src/meta/metadata.ts';
import type { DocumentKind } from '../../../src/record/document-shapes.ts';
import { longFactor } from '../../support/long.ts';
import { disk, diskId, image, instance, pagesOf, share, snapshot, snapshotId } from './fixtures.ts';

const ACCOUNTS = ['1000000000000001', '1000000000000002'];
const KINDS = ['disk', 'snapshot', 'share', 'image', 'instance'];

interface Vertex {
  readonly id: string;
  readonly kind: string;
  readonly accountId: string;
  readonly sources: readonly string[];
  isThere: boolean;
}

/** Everything that ever was, and what came from what. */
class PlainGraph {
  readonly vertices = new Map<string, Vertex>();

  living(kind: string): Vertex[] {
    return [...this.vertices.values()].filter((each) => each.kind === kind && each.isThere);
  }

  /** Those there, and those something there came from. */
  known(): Set<string> {
    const found = new Set([...this.vertices.values()].filter((v) => v.isThere).map((v) => v.id));
    for (const id of found) for (const source of this.vertices.get(id)!.sources) found.add(source);
    return found;
  }

  /** Everything that may be seen and is reached by steps from an id. */
  reached(
    id: string,
    seen: ReadonlySet<string>,
    step: (id: string) => readonly string[],
  ): string[] {
    const found = new Set([id]);
    for (const at of found) for (const next of step(at)) if (seen.has(next)) found.add(next);
    found.delete(id);
    return [...found].sort();
  }

  childrenOf(id: string): string[] {
    return [...this.vertices.values()].filter((each) => each.sources.includes(id)).map((v) => v.id);
  }
}

class RandomHistory {
  readonly graph = new PlainGraph();
  readonly #prng;
  #lastNumber = 0;

  constructor(seed: number) {
    this.#prng = createPrng(seed);
  }

  below(limit: number): number {
    return this.#prng.nextBelow(limit);
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[this.below(Math.max(from.length, 1))];
  }

  next(): MetadataChange {
    const isCrowded = [...this.graph.vertices.values()].filter((each) => each.isThere).length > 40;
    const choice = this.below(isCrowded ? 12 : 8);
    const maker = [
      () => this.#makeDisk(null),
      () => this.#makeDisk(this.pick(this.graph.living('snapshot'))?.id ?? null),
      () => this.#makeDisk(this.#usableShare()),
      () => this.#makeSnapshot(),
      () => this.#makeSnapshot(),
      () => this.#makeShare(),
      () => this.#makeImage(),
      () => this.#makeInstance(),
    ][choice];
    return maker?.() ?? (isCrowded ? this.#remove() : this.#makeDisk(null));
  }

  #number(): number {
    this.#lastNumber++;
    return (this.#lastNumber * 7_919) % 1_000_003;
  }

  #account(): { accountId: string } {
    return { accountId: this.pick(ACCOUNTS)! };
  }

  #add(id: string, kind: string, accountId: string, sources: (string | null)[]): void {
    const named = [...new Set(sources.filter((each): each is string => each !== null))];
    this.graph.vertices.set(id, { id, kind, accountId, sources: named, isThere: true });
  }

  /** A share of a snapshot that is still there. */
  #usableShare(): string | null {
    const shares = this.graph.living('share');
    const isUsable = ({ sources }: Vertex) =>
      this.graph.vertices.get(sources[0]!)?.isThere === true;
    return this.pick(shares.filter(isUsable))?.id ?? null;
  }

  #makeDisk(sourceSnapshotId: string | null): MetadataChange {
    const id = diskId(this.#number());
    const { accountId } = this.#account();
    const imageId =
      this.below(2) === 0 ? (this.pick(this.graph.living('image'))?.id ?? null) : null;
    this.#add(id, 'disk', accountId, [sourceSnapshotId, imageId]);
    return { putDisks: [disk(id, { accountId, sourceSnapshotId, imageId })] };
  }

  #makeSnapshot(): MetadataChange | undefined {
    const source = this.pick(this.graph.living('disk'));
    if (source === undefined) return undefined;
    const copied = this.below(3) === 0 ? this.pick(this.graph.living('snapshot')) : undefined;
    const id = snapshotId(this.#number());
    const { accountId } = this.#account();
    const sourceSnapshotId = copied?.id ?? null;
    this.#add(id, 'snapshot', accountId, [copied?.id ?? source.id]);
    return { putSnapshots: [snapshot(id, source.id, { accountId, sourceSnapshotId })] };
  }

  #makeShare(): MetadataChange | undefined {
    const source = this.pick(this.graph.living('snapshot'));
    if (source === undefined) return undefined;
    const id = snapshotId(this.#number());
    const { accountId } = this.#account();
    this.#add(id, 'share', accountId, [source.id]);
    return { putDocuments: [{ kind: 'share', record: share(id, source.id, accountId) }] };
  }

  #makeImage(): MetadataChange {
    const sources = this.graph.living('snapshot').filter(() => this.below(4) === 0);
    const id = `m-${diskId(this.#number()).slice(2)}`;
    const { accountId } = this.#account();
    const snapshots = sources.slice(0, 3).map((each) => each.id);
    const sourceInstanceId = this.pick(this.graph.living('instance'))?.id ?? null;
    const sourceImageId = this.pick(this.graph.living('image'))?.id ?? null;
    this.#add(id, 'image', accountId, [...snapshots, sourceInstanceId, sourceImageId]);
    const record = image(id, snapshots, { accountId, sourceInstanceId, sourceImageId });
    return { putDocuments: [{ kind: 'image', record }] };
  }

  #makeInstance(): MetadataChange | undefined {
    const source = this.pick(this.graph.living('image'));
    if (source === undefined) return undefined;
    const id = `i-${diskId(this.#number()).slice(2)}`;
    const { accountId } = this.#account();
    this.#add(id, 'instance', accountId, [source.id]);
    return { putDocuments: [{ kind: 'instance', record: instance(id, source.id, { accountId }) }] };
  }

  #remove(): MetadataChange {
    const removed = [1, 2, 3].flatMap(() => {
      const vertex = this.pick(KINDS.flatMap((kind) => this.graph.living(kind)));
      if (vertex === undefined) return [];
      vertex.isThere = false;
      return [vertex];
    });
    const idsOf = (kind: string) => removed.filter((each) => each.kind === kind).map((v) => v.id);
    return {
      removeDisks: idsOf('disk'),
      removeSnapshots: idsOf('snapshot'),
      removeDocuments: removed
        .filter(({ kind }) => kind !== 'disk' && kind !== 'snapshot')
        .map(({ id, kind }) => ({ kind: kind as DocumentKind, key: id })),
    };
  }
}

function expectEqual(metadata: Metadata, history: RandomHistory): void {
  const { graph } = history;
  const known = graph.known();
  const sourcesOf = (id: string): readonly string[] => graph.vertices.get(id)!.sources;
  for (let sample = 0; sample < 4; sample++) {
    const { id, kind, isThere } = history.pick([...graph.vertices.values()])!;
    const accountId = history.pick([null, ...ACCOUNTS])!;
    const isOwn = (each: string): boolean =>
      accountId === null || graph.vertices.get(each)!.accountId === accountId;
    const seen = new Set([...known].filter(isOwn));
    const limit = 1 + history.below(5);
    const entries = pagesOf(metadata, { kind: 'resource', id }, limit, accountId);
    const ids = (relation: LineageEntry['relation']): string[] =>
      entries.filter((each) => each.relation === relation).map((each) => each.id);
    if (!seen.has(id)) {
      expect(entries).toEqual([]);
      continue;
    }
    expect(entries[0]).toMatchObject({ id, kind, relation: 'self', depth: 0 });
    expect(entries[0]!.deletedAt === null).toBe(isThere);
    expect(ids('ancestor').sort()).toEqual(graph.reached(id, seen, sourcesOf));
    expect(ids('descendant').sort()).toEqual(
      graph.reached(id, seen, (each) => graph.childrenOf(each)),
    );
    for (const { id: shown, from } of entries) {
      expect(from).toEqual([...sourcesOf(shown)].filter((each) => seen.has(each)).sort());
    }
  }
}

describe('lineage of every kind', () => {
  const histories = 4 * longFactor;
  test.each(Array.from({ length: histories }, (_, seed) => [seed]))(
    'is what a plain graph says, whatever was removed: history %i',
    async (seed) => {
      const metadata = await openMetadata(null, { now: () => 42 });
      const history = new RandomHistory(20_261_122 + seed);
      for (let step = 0; step < 150; step++) {
        await metadata.commit(history.next());
        if (step % 5 === 0) expectEqual(metadata, history);
      }
      expect(metadata.check()).toEqual([]);
      await metadata.close();
    },
  );
});
