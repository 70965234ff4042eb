/**
 * How long things may be.
 *
 * A function's length is from its first line to its last. In tests, where whole suites stand inside
 * `describe` and `test` callbacks, what is inside those callbacks is counted for itself.
 */
import ts from 'typescript';
import { lineOf, type Problem, type SourceTree, walk } from './tree.ts';

export const FILE_LINES_MAX = 400;
export const FUNCTION_LINES_MAX = 60;
export const COLUMNS_MAX = 100;

const BLOCKS = ['describe', 'test', 'it', 'beforeAll', 'afterAll', 'beforeEach', 'afterEach'];

export function sizeProblems(tree: SourceTree): Problem[] {
  return tree.paths.flatMap((file) => [
    ...fileProblems(tree, file),
    ...columnProblems(tree, file),
    ...functionProblems(tree, file),
  ]);
}

function fileProblems(tree: SourceTree, file: string): Problem[] {
  const lines = tree.text(file).replace(/\n$/, '').split('\n').length;
  if (lines <= FILE_LINES_MAX) return [];
  return [{ file, line: 1, message: `${lines} lines, at most ${FILE_LINES_MAX}` }];
}

/** A line that is one word too long to break (an address, a vector) is let be. */
function columnProblems(tree: SourceTree, file: string): Problem[] {
  const problems: Problem[] = [];
  for (const [index, line] of tree.text(file).split('\n').entries()) {
    const words = line.replace(/^[\s/*]+/, '').split(/\s+/);
    if (line.length <= COLUMNS_MAX || words.length === 1) continue;
    const message = `${line.length} columns, at most ${COLUMNS_MAX}`;
    problems.push({ file, line: index + 1, message });
  }
  return problems;
}

function functionProblems(tree: SourceTree, file: string): Problem[] {
  const problems: Problem[] = [];
  walk(tree.syntax(file), (node) => {
    if (!isFunction(node) || isBlock(node)) return;
    const lines = linesOf(node) - linesInBlocks(node);
    if (lines <= FUNCTION_LINES_MAX) return;
    const name = node.name === undefined ? 'a function' : node.name.getText();
    const message = `${name} has ${lines} lines, at most ${FUNCTION_LINES_MAX}`;
    problems.push({ file, line: lineOf(node), message });
  });
  return problems;
}

type FunctionNode = ts.FunctionLikeDeclaration & { readonly body: ts.ConciseBody };

function isFunction(node: ts.Node): node is FunctionNode {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
}

/** A callback of describe(), test() and the like, also of test.each()(). */
function isBlock(node: ts.Node): boolean {
  if (!ts.isCallExpression(node.parent)) return false;
  let callee: ts.Expression = node.parent.expression;
  while (!ts.isIdentifier(callee)) {
    if (!ts.isCallExpression(callee) && !ts.isPropertyAccessExpression(callee)) return false;
    callee = callee.expression;
  }
  return BLOCKS.includes(callee.text);
}

function linesOf(node: ts.Node): number {
  const source = node.getSourceFile();
  const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
  return source.getLineAndCharacterOfPosition(node.end).line - first + 1;
}

/** Lines inside a function that belong to the blocks of tests within it. */
function linesInBlocks(node: ts.Node): number {
  let lines = 0;
  ts.forEachChild(node, function count(child) {
    if (isFunction(child) && isBlock(child)) lines += linesOf(child);
    else ts.forEachChild(child, count);
  });
  return lines;
}
