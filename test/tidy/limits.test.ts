/**
 * Sizes, counts and timeouts stand in limits.ts, where their relations are asserted.
 *
 * Looked for elsewhere under src/ and workers/: limits and times that another folder imports, whose
 * value is a bare number; and waits for a bare number of milliseconds. What a folder keeps to
 * itself is part of a format or a structure, and stands where that is described.
 */
import { posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import {
  lineOf,
  loadTree,
  type Problem,
  render,
  type SourceTree,
  virtualTree,
  walk,
} from './tree.ts';

const LIMIT_NAME = /_(MAX|MIN|DEFAULT|MS|SECONDS)$/;
const WAITS = ['setTimeout', 'setInterval', 'AbortSignal.timeout', 'Atomics.wait'];

function limitProblems(tree: SourceTree): Problem[] {
  const problems: Problem[] = [];
  const files = tree.paths.filter((path) => /^(src|workers)\//.test(path));
  for (const file of files.filter((path) => path !== 'src/limits.ts')) {
    const abroad = namesTakenAbroad(tree, file);
    walk(tree.syntax(file), (node) => {
      const message = strayLimit(node, abroad) ?? bareWait(node);
      if (message !== null) problems.push({ file, line: lineOf(node), message });
    });
  }
  return problems;
}

/** Names that source files of other folders import from a file. */
function namesTakenAbroad(tree: SourceTree, file: string): ReadonlySet<string> {
  const abroad = tree.paths.filter(
    (path) => /^(src|workers)\//.test(path) && posix.dirname(path) !== posix.dirname(file),
  );
  const imports = abroad.flatMap((path) => tree.imports(path));
  return new Set(imports.filter(({ target }) => target === file).flatMap(({ names }) => names));
}

function strayLimit(node: ts.Node, abroad: ReadonlySet<string>): string | null {
  if (!ts.isVariableDeclaration(node) || !isNumber(node.initializer)) return null;
  const name = node.name.getText();
  return LIMIT_NAME.test(name) && abroad.has(name) ? `${name} belongs in limits.ts` : null;
}

/** Waiting 0 or 1 ms is yielding, not a limit. */
function bareWait(node: ts.Node): string | null {
  if (!ts.isCallExpression(node) || !WAITS.includes(node.expression.getText())) return null;
  const time = node.arguments.at(-1);
  if (!isNumber(time) || Number(time.getText().replaceAll('_', '')) <= 1) return null;
  return `waits ${time.getText()} ms: name the time in limits.ts`;
}

/** A number, or a calculation of numbers alone. */
function isNumber(node: ts.Expression | undefined): node is ts.Expression {
  if (node === undefined) return false;
  if (ts.isBinaryExpression(node)) return isNumber(node.left) && isNumber(node.right);
  return ts.isNumericLiteral(node);
}

describe('limits', () => {
  test('stand in limits.ts', () => {
    expect(render(limitProblems(loadTree()))).toEqual([]);
  });

  test.each([
    'export const QUEUE_MAX = 64;',
    'export const RETRY_MS = 64;',
    'setTimeout(f, 5_000);',
    'Atomics.wait(cells, 0, 0, 100);',
  ])('%s elsewhere is found', (text) => {
    const user = "import { QUEUE_MAX, RETRY_MS } from './router/x.ts';";
    const tree = virtualTree({ 'src/router/x.ts': `\n${text}`, 'src/plane.ts': user });
    expect(limitProblems(tree)).toMatchObject([{ file: 'src/router/x.ts', line: 2 }]);
  });

  test.each([
    'export const HEADER_BYTES = 64;',
    'export const LEAF_ENTRIES_MAX = 64;',
    'const REFRESH_MS = 100;',
    'export const QUEUE_MAX = RING_SLOTS * 2;',
    'setTimeout(f, KMS_TIMEOUT_MS);',
    'setTimeout(f, 0);',
  ])('%s is let be', (text) => {
    expect(limitProblems(virtualTree({ 'src/router/x.ts': text }))).toEqual([]);
  });
});
