/**
 * Imports run downward only, and never from one thread to another.
 *
 * The rule is tried on made-up trees first: every pair of places in the table, allowed or not.
 */
import { describe, expect, test } from 'vitest';
import { layerProblems, tableProblems, typesOnlyProblems } from './layer-rules.ts';
import { asPath, FREE, LAYERS, type LayerRow, placeOf, rowOf } from './layers.ts';
import { loadTree, render, type SourceTree, virtualTree } from './tree.ts';

const PLACES = LAYERS.flatMap((row) => row.places);
const real = loadTree();

function fileIn(place: string): string {
  const path = asPath(place);
  return path.endsWith('.ts') ? path : `${path}x.ts`;
}

/** A tree of two files, the first importing the second. */
function importing(from: string, to: string, clause = 'import { x }'): SourceTree {
  const up = '../'.repeat(from.split('/').length - 1);
  return virtualTree({ [from]: `\n${clause} from '${up}${to}';\n`, [to]: 'export const x = 1;\n' });
}

function isAllowed(from: string, to: string): boolean {
  const row = rowOf(from);
  if (row.places.includes(to) || row.mayImport.includes(to)) return true;
  return FREE.includes(to) && (!FREE.includes(from) || from === 'limits.ts');
}

/** The table without one permission. */
function without(place: string, permission: string): LayerRow[] {
  return LAYERS.map((row) => {
    if (!row.places.includes(place)) return row;
    return { ...row, mayImport: row.mayImport.filter((may) => may !== permission) };
  });
}

describe('the layer table', () => {
  test('goes downward only and stays on one thread', () => {
    expect(tableProblems(LAYERS)).toEqual([]);
  });

  test('names each place once', () => {
    expect(new Set(PLACES).size).toBe(PLACES.length);
  });

  test.each([
    ['kms', 'control', 'another thread'],
    ['segment', 'meta', 'another thread'],
    ['control', 'shard', 'another thread'],
    ['router', 'control', 'above it'],
    ['front', 'load', 'beside it'],
  ])('a row that lets %s import %s is refused', (place, permission, why) => {
    const rows = LAYERS.map((row) => {
      if (!row.places.includes(place)) return row;
      return { ...row, mayImport: [...row.mayImport, permission] };
    });
    const problems = tableProblems(rows);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).toContain(why);
  });
});

describe('the layer rule', () => {
  const pairs = PLACES.flatMap((from) =>
    PLACES.filter((to) => to !== from).map((to) => ({ from, to, allowed: isAllowed(from, to) })),
  );
  const forbidden = pairs.filter((pair) => !pair.allowed);

  test('knows both kinds of pair', () => {
    expect(forbidden.length).toBeGreaterThan(150);
    expect(pairs.length - forbidden.length).toBeGreaterThan(50);
  });

  test.each(PLACES)('finds everything %s may not import', (from) => {
    for (const { to } of forbidden.filter((pair) => pair.from === from)) {
      for (const clause of ['import { x }', 'import type { x }', 'export { x }', 'export *']) {
        const problems = layerProblems(importing(fileIn(from), fileIn(to), clause));
        expect(problems, `${clause} from ${to}`).toHaveLength(1);
        expect(problems[0]).toMatchObject({ file: fileIn(from), line: 2 });
        expect(problems[0]?.message).toContain(rowOf(from).places.join(', '));
      }
    }
  });

  test('lets every allowed pair be', () => {
    const refused = pairs
      .filter((pair) => pair.allowed)
      .flatMap(({ from, to }) => layerProblems(importing(fileIn(from), fileIn(to))));
    expect(render(refused)).toEqual([]);
  });

  test.each([
    ["const y = await import('../kms/wrap.ts');"],
    ["type Y = import('../kms/wrap.ts').Y;"],
    ["const y = require('../kms/wrap.ts');"],
    ["import '../kms/wrap.ts';"],
  ])('finds %s', (statement) => {
    const tree = virtualTree({ 'src/router/x.ts': statement, 'src/kms/wrap.ts': '' });
    expect(layerProblems(tree)).toHaveLength(1);
  });

  test.each([
    ['control', 'kms', 'ask threads/, with a message of record/'],
    ['shard', 'kms', 'send a message of record/'],
    ['cli', 'control', 'ask index.ts'],
    ['router', 'meta', 'control may import both'],
  ])('tells %s, which wants %s, where to ask', (from, to, answer) => {
    const [problem] = layerProblems(importing(fileIn(from), fileIn(to)));
    expect(problem?.message).toContain(answer);
  });

  test('finds a file that stands in no row, and an import of nothing', () => {
    const tree = virtualTree({ 'src/utils/x.ts': '', 'src/base/y.ts': "import './gone.ts';" });
    expect(render(layerProblems(tree))).toEqual([
      'src/base/y.ts:1: imports ./gone.ts, which is not there',
      'src/utils/x.ts:1: stands in no row of the layer table',
    ]);
  });
});

describe('the source', () => {
  test('obeys the layer table', () => {
    expect(render(layerProblems(real))).toEqual([]);
  });

  test('needs every permission it uses: without it the rule fails', () => {
    const used = new Set<string>();
    for (const path of real.paths) {
      for (const { target } of real.imports(path)) {
        const from = placeOf(path);
        const to = target === null ? null : placeOf(target);
        if (from !== null && to !== null) used.add(`${from} ${to}`);
      }
    }
    const edges = [...used].map((edge) => edge.split(' ') as [string, string]);
    const permissions = edges.filter(([from, to]) => rowOf(from).mayImport.includes(to));
    expect(permissions.length).toBeGreaterThan(0);
    const unnoticed = permissions.filter(
      ([from, to]) => layerProblems(real, without(from, to)).length === 0,
    );
    expect(unnoticed).toEqual([]);
  });

  test('keeps its public types free of code', () => {
    expect(render(typesOnlyProblems(real))).toEqual([]);
    const planted = virtualTree({
      'src/types.ts': "import { verbs } from './control/verbs.ts';\nimport type { X } from 'x';\n",
      'src/control/verbs.ts': '',
    });
    expect(typesOnlyProblems(planted).map((problem) => problem.line)).toEqual([1, 2]);
  });
});
