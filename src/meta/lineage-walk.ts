/**
 * Walks over the lineage that answer callers: a page at a time, so that no call's time grows with
 * what a page does not show. Thread: main.
 *
 * Of a resource: itself, its ancestors nearest first, its descendants depth first, children in the
 * order of their ids. Of a master key, a data key, an account: what belongs to it, in the order of
 * kinds and ids.
 *
 * 1. Each id is shown once. What came from several descendants of the root is shown below the first
 *    of them in the order of ids, so that where it is shown follows from the graph alone.
 * 2. A cursor says what was shown last. It stays right while resources come and go, unless the
 *    parent of what was shown last is gone from the lineage altogether: then it is stale.
 * 3. What a caller may not see is not walked through.
 * 4. A page visits at most STEPS_PER_ENTRY times as many entries as it may show; it may then show
 *    fewer, and still have a cursor. The ancestors of the root, and of what came from several, are
 *    walked whole: their number is that of generations, not of resources.
 */
import { PlaneError } from '../base/errors.ts';
import type { KeyValueReader } from '../kv/key-value-store.ts';
import { documentGroupPrefix, keyOfEntry, scopeGroup } from './documents.ts';
import { ancestorsOf, type LineageNode, nextChildOf, parentsOf, readNode } from './lineage.ts';
import { DISKS, groupPrefix, SNAPSHOTS } from './tables.ts';

/** What is asked for. */
export type LineageSubject =
  | { readonly kind: 'resource'; readonly id: string }
  /** Everything with a layer under the master key. */
  | { readonly kind: 'key'; readonly keyId: string }
  /** Everything with a layer under the data key made for a resource. */
  | { readonly kind: 'dataKey'; readonly lineageId: string }
  | { readonly kind: 'scope'; readonly accountId: string; readonly regionId: string };

/** Where a page ended. */
export type LineageCursor =
  /** shown: the resource itself, and ancestors. */
  | { readonly phase: 'up'; readonly shown: number }
  | { readonly phase: 'down'; readonly parentId: string; readonly childId: string }
  | { readonly phase: 'list'; readonly section: number; readonly last: string };

export interface LineageEntry extends LineageNode {
  readonly relation: 'self' | 'ancestor' | 'descendant' | 'member';
  /** Edges between it and the subject. */
  readonly depth: number;
  /** All it was made from that the caller may see. */
  readonly from: readonly string[];
}

export interface LineagePage {
  readonly entries: readonly LineageEntry[];
  /** null: this page is the last. */
  readonly cursor: LineageCursor | null;
}

export interface LineageQuery {
  readonly subject: LineageSubject;
  /** Whose resources are seen; null: everybody's. */
  readonly accountId: string | null;
  /** null: the first page. */
  readonly cursor: LineageCursor | null;
  /** Entries on a page, at least 1. */
  readonly limit: number;
}

const STEPS_PER_ENTRY = 4;

/** @returns no entries if there is no such subject, or nothing of it may be seen */
export function readLineagePage(reader: KeyValueReader, query: LineageQuery): LineagePage {
  const { subject } = query;
  if (subject.kind === 'resource') return new ResourceWalk(reader, query, subject.id).page();
  return listPage(reader, query, sectionsOf(subject));
}

/** Shared by all walks: what may be seen, and how it is shown. */
class Sight {
  readonly #reader: KeyValueReader;
  readonly #accountId: string | null;
  /** Read for this page already; null: not the caller's to see. */
  readonly #nodes = new Map<string, LineageNode | null>();

  constructor(reader: KeyValueReader, accountId: string | null) {
    this.#reader = reader;
    this.#accountId = accountId;
  }

  /** @returns undefined: it is not there, or not the caller's to see */
  root(id: string): LineageNode | undefined {
    const node = readNode(this.#reader, id);
    const isSeen = this.#accountId === null || node?.accountId === this.#accountId;
    return isSeen ? node : undefined;
  }

  /** @throws PlaneError DataDirectoryCorrupt: an edge or an index names it, and it is not there */
  node(id: string): LineageNode | undefined {
    const known = this.#nodes.get(id);
    if (known !== undefined) return known ?? undefined;
    const node = readNode(this.#reader, id);
    if (node === undefined) {
      throw new PlaneError('DataDirectoryCorrupt', `lineage: nothing is known of ${id}`);
    }
    const isSeen = this.#accountId === null || node.accountId === this.#accountId;
    this.#nodes.set(id, isSeen ? node : null);
    return isSeen ? node : undefined;
  }

  entry(node: LineageNode, relation: LineageEntry['relation'], depth: number): LineageEntry {
    const from = parentsOf(this.#reader, node.id).filter((id) => this.node(id) !== undefined);
    return { ...node, relation, depth, from };
  }
}

class ResourceWalk {
  readonly #reader: KeyValueReader;
  readonly #query: LineageQuery;
  readonly #rootId: string;
  readonly #sight: Sight;
  readonly #entries: LineageEntry[] = [];

  constructor(reader: KeyValueReader, query: LineageQuery, rootId: string) {
    this.#reader = reader;
    this.#query = query;
    this.#rootId = rootId;
    this.#sight = new Sight(reader, query.accountId);
  }

  page(): LineagePage {
    const { cursor, limit } = this.#query;
    const root = this.#sight.root(this.#rootId);
    if (root === undefined) return { entries: [], cursor: null };
    if (cursor === null || cursor.phase === 'up') {
      const above = [[this.#rootId, 0] as const, ...this.#ancestors(this.#rootId)];
      let shown = cursor?.shown ?? 0;
      for (; shown < above.length; shown++) {
        if (this.#entries.length === limit) return this.#end({ phase: 'up', shown });
        const [id, depth] = above[shown]!;
        const relation = depth === 0 ? 'self' : 'ancestor';
        const node = this.#sight.node(id);
        if (node !== undefined) this.#entries.push(this.#sight.entry(node, relation, depth));
      }
      if (this.#entries.length === limit) return this.#end({ phase: 'up', shown });
      return this.#descend([{ id: this.#rootId, last: null }]);
    }
    if (cursor.phase === 'list') throw staleCursor();
    const path = this.#pathTo(cursor.parentId);
    const frames: { id: string; last: string | null }[] = path.map((id, index) => ({
      id,
      last: path[index + 1] ?? cursor.childId,
    }));
    return this.#descend([...frames, { id: cursor.childId, last: null }]);
  }

  /** @param frames from the root down: whose children are walked, and the last one that was */
  #descend(frames: { id: string; last: string | null }[]): LineagePage {
    let stepsLeft = STEPS_PER_ENTRY * this.#query.limit;
    let cursor: LineageCursor | null = null;
    for (let top = frames.at(-1); top !== undefined; top = frames.at(-1)) {
      if (cursor !== null && (this.#entries.length >= this.#query.limit || stepsLeft <= 0)) {
        return this.#hasMore(frames) ? this.#end(cursor) : this.#end(null);
      }
      const childId = nextChildOf(this.#reader, top.id, top.last);
      if (childId === undefined) {
        frames.pop();
        continue;
      }
      stepsLeft--;
      top.last = childId;
      cursor = { phase: 'down', parentId: top.id, childId };
      const node = this.#sight.node(childId);
      const isHere = node !== undefined && this.#isShownBelow(childId, top.id);
      if (!isHere) continue;
      this.#entries.push(this.#sight.entry(node, 'descendant', frames.length));
      frames.push({ id: childId, last: null });
    }
    return this.#end(null);
  }

  /** Whether any child is left to visit; it may turn out not to be shown. */
  #hasMore(frames: readonly { id: string; last: string | null }[]): boolean {
    return frames.some(({ id, last }) => nextChildOf(this.#reader, id, last) !== undefined);
  }

  /** Rule 1: of several parents below the root, the first. */
  #isShownBelow(childId: string, parentId: string): boolean {
    const parents = parentsOf(this.#reader, childId);
    if (parents.length === 1) return parents[0] === parentId;
    return this.#shownParent(parents) === parentId;
  }

  #shownParent(parents: readonly string[]): string | undefined {
    return parents.find((id) => id === this.#rootId || this.#comesFromRoot(id));
  }

  #comesFromRoot(id: string): boolean {
    if (this.#sight.node(id) === undefined) return false;
    return this.#ancestors(id).has(this.#rootId);
  }

  #ancestors(id: string): Map<string, number> {
    return ancestorsOf(this.#reader, id, (other) => this.#sight.node(other) !== undefined);
  }

  /** From the root to a descendant, the way rule 1 shows it. */
  #pathTo(id: string): string[] {
    const path = [id];
    for (let at = id; at !== this.#rootId; ) {
      const parent = this.#shownParent(parentsOf(this.#reader, at));
      if (parent === undefined) throw staleCursor();
      path.push(parent);
      at = parent;
    }
    return path.reverse();
  }

  #end(cursor: LineageCursor | null): LineagePage {
    return { entries: this.#entries, cursor };
  }
}

interface Section {
  readonly prefix: string;
  /** The resource an entry of the section names. */
  readonly idOf: (key: string) => string;
}

const indexSection = (prefix: string): Section => ({
  prefix,
  idOf: (key) => key.slice(key.lastIndexOf('/') + 1),
});

function sectionsOf(subject: Exclude<LineageSubject, { kind: 'resource' }>): Section[] {
  switch (subject.kind) {
    case 'key':
      return [DISKS.byKey, DISKS.byLowerKey, SNAPSHOTS.byKey, SNAPSHOTS.byLowerKey].map((index) =>
        indexSection(groupPrefix(index, subject.keyId)),
      );
    case 'dataKey':
      return [DISKS.byDataKey, SNAPSHOTS.byDataKey].map((index) =>
        indexSection(groupPrefix(index, subject.lineageId)),
      );
    case 'scope': {
      const scope = scopeGroup(subject.accountId, subject.regionId);
      return [
        indexSection(groupPrefix(DISKS.byScope, scope)),
        indexSection(groupPrefix(SNAPSHOTS.byScope, scope)),
        ...(['image', 'instance', 'share'] as const).map((kind) => ({
          prefix: documentGroupPrefix(kind, `scope/${scope}`),
          idOf: keyOfEntry,
        })),
      ];
    }
  }
}

function listPage(
  reader: KeyValueReader,
  { cursor, limit, accountId }: LineageQuery,
  sections: readonly Section[],
): LineagePage {
  if (cursor !== null && cursor.phase !== 'list') throw staleCursor();
  const sight = new Sight(reader, accountId);
  const entries: LineageEntry[] = [];
  let at = cursor;
  let stepsLeft = STEPS_PER_ENTRY * limit;
  for (let section = cursor?.section ?? 0; section < sections.length; section++) {
    const { prefix, idOf } = sections[section]!;
    const after = at?.section === section ? { after: prefix + at.last } : {};
    // One more than is visited: it says whether the page is the last.
    for (const { key } of reader.range({ prefix, ...after, limit: stepsLeft + 1 })) {
      if (entries.length === limit || stepsLeft === 0) return { entries, cursor: at };
      stepsLeft--;
      at = { phase: 'list', section, last: key.slice(prefix.length) };
      const node = sight.node(idOf(key));
      if (node !== undefined) entries.push(sight.entry(node, 'member', 1));
    }
  }
  return { entries, cursor: null };
}

function staleCursor(): PlaneError {
  return new PlaneError('InvalidParameter', 'NextToken is of a lineage that has changed since');
}
