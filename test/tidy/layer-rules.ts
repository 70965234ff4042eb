/**
 * What the layer table forbids: imports upward, sideways, to another thread, or near a key.
 */
import {
  FREE,
  KEY_HOLDERS,
  LAYERS,
  type LayerRow,
  placeOf,
  rowOf,
  type Thread,
  TYPES_ONLY,
} from './layers.ts';
import { isIn, type Problem, packageOf, type SourceTree } from './tree.ts';

/** What is wrong with the table itself: permissions that go up, sideways, or to another thread. */
export function tableProblems(rows: readonly LayerRow[]): string[] {
  const problems: string[] = [];
  for (const row of rows) {
    for (const place of row.mayImport) {
      const target = rowOf(place, rows);
      const say = (what: string): unknown => problems.push(`${row.places}: ${place} ${what}`);
      if (target.layer > row.layer) say(`is above it (${target.layer} > ${row.layer})`);
      if (target.layer === row.layer) say(`is beside it (layer ${row.layer})`);
      if (!isSameThread(row.thread, target.thread)) {
        say(`runs on another thread (${target.thread}, not ${row.thread})`);
      }
    }
  }
  return problems;
}

/** Imports the table does not allow, type imports included. */
export function layerProblems(tree: SourceTree, rows: readonly LayerRow[] = LAYERS): Problem[] {
  const problems: Problem[] = [];
  for (const file of tree.paths) {
    const place = placeOf(file, rows);
    if (place === null) {
      const isLost = file.startsWith('src/') || file.startsWith('workers/');
      if (isLost) problems.push({ file, line: 1, message: 'stands in no row of the layer table' });
      continue;
    }
    for (const { line, specifier, target } of tree.imports(file)) {
      const message =
        target === null ? missing(specifier) : refusal(place, placeOf(target, rows), target, rows);
      if (message !== null) problems.push({ file, line, message });
    }
  }
  return problems;
}

/** Imports of types-only files that bring code, or come from elsewhere. */
export function typesOnlyProblems(tree: SourceTree): Problem[] {
  const problems: Problem[] = [];
  for (const [file, allowed] of Object.entries(TYPES_ONLY)) {
    if (!tree.has(file)) continue;
    for (const { line, specifier, target, isTypeOnly } of tree.imports(file)) {
      if (isTypeOnly && target !== null && isIn(target, allowed)) continue;
      const message = `imports ${specifier}: it may import types only, from ${allowed.join(', ')}`;
      problems.push({ file, line, message });
    }
  }
  return problems;
}

/** Paths from a file that runs on main, or makes load, to code that can hold a plaintext key. */
export function custodyProblems(tree: SourceTree, rows: readonly LayerRow[] = LAYERS): Problem[] {
  const problems: Problem[] = [];
  for (const file of tree.paths) {
    const place = placeOf(file, rows);
    if (place === null || !['main', 'load'].includes(rowOf(place, rows).thread)) continue;
    for (const chain of chainsToKeys(tree, file)) {
      const message = `main reaches a plaintext key: ${chain.join(' -> ')}`;
      problems.push({ file, line: 1, message });
    }
  }
  return problems;
}

/** The shortest import chain from a file to each key holder it can reach. */
function chainsToKeys(tree: SourceTree, start: string): string[][] {
  const chains: string[][] = [];
  const seen = new Set([start]);
  const queue: string[][] = [[start]];
  for (let chain = queue.shift(); chain !== undefined; chain = queue.shift()) {
    const last = chain.at(-1)!;
    if (isIn(last, KEY_HOLDERS)) {
      chains.push(chain);
      continue;
    }
    for (const { target } of tree.imports(last)) {
      if (target === null || seen.has(target)) continue;
      seen.add(target);
      queue.push([...chain, target]);
    }
  }
  return chains;
}

function missing(specifier: string): string | null {
  return packageOf(specifier) === null ? `imports ${specifier}, which is not there` : null;
}

function refusal(
  place: string,
  target: string | null,
  targetPath: string,
  rows: readonly LayerRow[],
): string | null {
  const row = rowOf(place, rows);
  const broken = `row "${row.layer} ${row.places.join(', ')} (${row.thread})"`;
  if (target === null) {
    return `imports ${targetPath}: ${broken} cannot import what is outside the table`;
  }
  if (row.places.includes(target) || row.mayImport.includes(target)) return null;
  if (FREE.includes(target) && !FREE.includes(place)) return null;
  // limits.ts is written in units and states its relations as invariants.
  if (place === 'limits.ts' && target === 'base') return null;
  const may = [...FREE, ...row.mayImport].join(', ');
  return `imports ${targetPath}: ${broken} may import ${may}; ${advice(row, target, rows)}`;
}

/** Which folder it should have asked. */
function advice(row: LayerRow, target: string, rows: readonly LayerRow[]): string {
  const targetRow = rowOf(target, rows);
  if (!isSameThread(row.thread, targetRow.thread)) {
    const via = row.thread === 'main' ? 'ask threads/, with' : 'send';
    return `${target} runs on the ${targetRow.thread} thread: ${via} a message of record/`;
  }
  const between = row.mayImport.find((place) => rowOf(place, rows).mayImport.includes(target));
  if (between !== undefined) return `ask ${between}`;
  const above = rows
    .filter((r) => [row.places[0]!, target].every((p) => [...r.mayImport, ...r.places].includes(p)))
    .sort((a, b) => a.layer - b.layer)[0];
  const joiner = above === undefined ? 'no row' : above.places.join(', ');
  return `${joiner} may import both: take it from there as a parameter`;
}

/** A load thread may be what main is: somebody who asks, and holds no key. */
function isSameThread(user: Thread, used: Thread): boolean {
  return used === 'any' || used === user || (user === 'load' && used === 'main');
}
