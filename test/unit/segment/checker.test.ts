/** The checker of a store, shown one fault at a time: each is told, and nothing else is. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { checkStore } from '../../../src/segment/checker.ts';
import { ChunkMap } from '../../../src/segment/chunk-map.ts';
import { recoverStore } from '../../../src/segment/recover.ts';
import { SegmentFiles } from '../../../src/segment/segment-files.ts';
import type { SegmentBackend } from '../../../src/segment/segment-space.ts';
import { SlotTable } from '../../../src/segment/slot-table.ts';
import { TreeTable } from '../../../src/segment/tree-table.ts';
import { closedStore, DIRECTORY, GEOMETRY, SECTORS } from './closed-store.ts';

/** The parts of a store at rest, open to be tampered with. */
function parts() {
  const fileSystem = closedStore();
  const table = new SlotTable(GEOMETRY.segmentSectors);
  const trees = new TreeTable(new ChunkMap(table));
  recoverStore({ fileSystem, directory: DIRECTORY, geometry: GEOMETRY, table, trees });
  const segments = new SegmentFiles(fileSystem, DIRECTORY, GEOMETRY);
  const [segment] = [...table.all()];
  if (segment === undefined) throw new Error('expected a segment');
  const problems = (backend: SegmentBackend = segments): readonly string[] =>
    checkStore(trees, [], table, backend).problems;
  return { table, trees, segments, segment, problems };
}

/** The backend, one call of it replaced. */
function failing(segments: SegmentFiles, load: SegmentBackend['load']): SegmentBackend {
  return Object.assign(Object.create(segments) as SegmentBackend, { load });
}

describe('the checker', () => {
  it('finds nothing where nothing is wrong, and looks at every sector of every tree', () => {
    const { trees, table, segments } = parts();
    const check = checkStore(trees, [], table, segments);
    expect(check).toEqual({ treesChecked: 2, sectorsChecked: 2 * SECTORS, problems: [] });
  });

  it('tells of a slot that is referred to and not counted', () => {
    const { segment, problems } = parts();
    segment.references[0] = 0;
    const told = problems();
    expect(told[0]).toBe('segment 0, slot 0: expected a count above 0, got 0');
    expect(told.slice(1).every((problem) => /live slots/.test(problem))).toBe(true);
  });

  it('counts what only a frozen map refers to, and looks at it', () => {
    const { trees, table, segments } = parts();
    const frozen = [...trees.all()].flatMap((tree) => tree.roots).filter((root) => root > 0);
    for (const root of frozen) trees.map.share(root);
    for (const tree of [...trees.all()]) trees.discard(tree, 0, SECTORS);
    expect(checkStore(trees, frozen, table, segments)).toEqual({
      treesChecked: 2,
      sectorsChecked: 2 * SECTORS,
      problems: [],
    });
    const [first] = [...table.all()];
    first!.references[0] = 0;
    const told = checkStore(trees, frozen, table, segments).problems;
    expect(told[0]).toBe('segment 0, slot 0: expected a count above 0, got 0');
  });

  it('tells of a map that is not sound, and of which tree it is', () => {
    const { trees, problems } = parts();
    const [root] = trees.find('d')!.roots;
    const { nodes } = trees.map;
    // Its last key is not above the one before it.
    nodes.setKey(root!, nodes.countOf(root!) - 1, 0);
    const told = problems();
    expect(told.length).toBeGreaterThan(0);
    expect(told.some((problem) => /^tree "d": node \d+/.test(problem))).toBe(true);
    expect(told.some((problem) => problem.startsWith('tree "s": '))).toBe(false);
  });

  it('tells of a slot that is counted and not referred to', () => {
    const { table, trees, segments } = parts();
    const last = [...table.all()].at(-1)!;
    const slot = last.references.indexOf(0);
    last.references[slot] = 3;
    const told = checkStore(trees, [], table, segments).problems;
    const where = `segment ${last.number}, slot ${slot}`;
    expect(told[0]).toBe(`${where}: expected a count of 0, got 3`);
  });

  it('tells of a sector whose slot lies beyond what its segment has', () => {
    const { segment, problems } = parts();
    (segment as { usedSlots: number }).usedSlots = 4;
    const told = problems();
    expect(told[0]).toMatch(/^tree "[ds]", sector \d+: location 4 is in no used slot$/);
  });

  it('tells of every sector of a segment that cannot be read', () => {
    const { segments, problems } = parts();
    const told = problems(
      failing(segments, (number, slot, count) => {
        if (number === 0) throw new PlaneError('ReadFailed', 'segment 0: EIO');
        return segments.load(number, slot, count);
      }),
    );
    expect(told).toHaveLength(2 * GEOMETRY.segmentSectors);
    expect(told.every((problem) => /segment 0, slot \d+ cannot be read$/.test(problem))).toBe(true);
  });

  it('does not take a bug for a file that cannot be read', () => {
    const { segments, problems } = parts();
    const bug = failing(segments, () => {
      throw new TypeError('a bug');
    });
    expect(() => problems(bug)).toThrow(TypeError);
  });

  it('tells of so many problems and no more', () => {
    const { table, trees, segments } = parts();
    for (let copy = 0; copy < 40; copy++) {
      trees.share(trees.find('d')!, trees.create(`copy ${copy}`));
    }
    const unreadable = failing(segments, () => 0);
    const { problems, sectorsChecked } = checkStore(trees, [], table, unreadable);
    expect(sectorsChecked).toBe(42 * SECTORS);
    expect(problems).toHaveLength(1000);
  });
});
