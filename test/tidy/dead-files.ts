/**
 * What nobody reaches: files no entry imports, exports no other file takes, thread entries that are
 * not where they are looked for.
 */
import { posix } from 'node:path';
import ts from 'typescript';
import { isIn, lineOf, type Problem, type SourceTree, walk } from './tree.ts';

/** Where threads and processes begin. */
const ENTRIES = ['src/index.ts', 'src/testing.ts', 'src/vitest.ts', 'src/cli/main.ts', 'workers/'];

/** Exports for people outside, and of the baseline, which the command line loads by its path. */
const PUBLIC = [
  'src/index.ts',
  'src/testing.ts',
  'src/vitest.ts',
  'src/types.ts',
  'src/control/verbs.ts',
  'vitest.config.ts',
  'bench/naive/naive-target.ts',
];

/** Files of src/ that no entry reaches. */
export function deadFiles(tree: SourceTree): Problem[] {
  const reached = reachedFrom(tree, ENTRIES);
  const message = `is reached from none of ${ENTRIES.join(', ')}`;
  return tree.paths
    .filter((path) => path.startsWith('src/') && !reached.has(path))
    .map((file) => ({ file, line: 1, message }));
}

/** Every file that files in some places import, or start as a thread, however far away. */
export function reachedFrom(tree: SourceTree, places: readonly string[]): ReadonlySet<string> {
  const reached = new Set(tree.paths.filter((path) => isIn(path, places)));
  for (const path of reached) {
    for (const { target } of tree.imports(path)) if (target !== null) reached.add(target);
    for (const { target } of entryUrls(tree, path)) if (tree.has(target)) reached.add(target);
  }
  return reached;
}

/** Thread entries named by URL that are not in the tree: they would fail when first started. */
export function lostEntries(tree: SourceTree): Problem[] {
  return tree.paths.flatMap((file) =>
    entryUrls(tree, file)
      .filter(({ target }) => !tree.has(target))
      .map(({ target, line }) => ({ file, line, message: `starts ${target}, which is not there` })),
  );
}

/** `new URL('<path>.js', import.meta.url)` in source files: the other way to refer to a file. */
function entryUrls(tree: SourceTree, path: string): { target: string; line: number }[] {
  const found: { target: string; line: number }[] = [];
  if (path.startsWith('test/')) return found;
  walk(tree.syntax(path), (node) => {
    if (!ts.isNewExpression(node) || node.expression.getText() !== 'URL') return;
    const [file, base] = node.arguments ?? [];
    if (file === undefined || !ts.isStringLiteralLike(file)) return;
    if (base?.getText() !== 'import.meta.url' || !/\.[jt]s$/.test(file.text)) return;
    const target = posix.join(posix.dirname(path), file.text).replace(/\.js$/, '.ts');
    found.push({ target, line: lineOf(node) });
  });
  return found;
}

/**
 * Exports no other file takes. An exported type that the file's own exports are written in is let
 * be: it is part of their signature.
 */
export function unusedExports(tree: SourceTree): Problem[] {
  const taken = namesTaken(tree);
  const problems: Problem[] = [];
  const started = tree.paths.flatMap((file) => entryUrls(tree, file).map(({ target }) => target));
  const entries = [...PUBLIC, ...ENTRIES, ...started];
  for (const file of tree.paths) {
    if (isIn(file, entries) || file.endsWith('.bench.ts')) continue;
    const names = taken.get(file);
    for (const { name, node, isType } of exportsOf(tree, file)) {
      if (names?.has(name) || names?.has('*')) continue;
      if (isType && countOf(tree, file, name) > 1) continue;
      problems.push({ file, line: lineOf(node), message: `nobody imports ${name}` });
    }
  }
  return problems;
}

function namesTaken(tree: SourceTree): Map<string, Set<string>> {
  const taken = new Map<string, Set<string>>();
  for (const path of tree.paths) {
    for (const { target, names } of tree.imports(path)) {
      if (target === null) continue;
      const all = taken.get(target) ?? new Set<string>();
      for (const name of names) all.add(name);
      taken.set(target, all);
    }
  }
  return taken;
}

interface Export {
  readonly name: string;
  readonly node: ts.Node;
  readonly isType: boolean;
}

function exportsOf(tree: SourceTree, file: string): Export[] {
  const found: Export[] = [];
  for (const node of tree.syntax(file).statements) {
    if (ts.isExportDeclaration(node) && node.moduleSpecifier === undefined) {
      const elements = node.exportClause as ts.NamedExports | undefined;
      for (const element of elements?.elements ?? []) {
        found.push({ name: element.name.text, node: element, isType: element.isTypeOnly });
      }
    }
    const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
    if (!modifiers.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)) continue;
    const isType = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
    if (ts.isVariableStatement(node)) {
      for (const { name } of node.declarationList.declarations) {
        found.push({ name: name.getText(), node: name, isType: false });
      }
    } else if (isType || ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) {
      if (node.name !== undefined) found.push({ name: node.name.text, node: node.name, isType });
    }
  }
  return found;
}

/** How often an identifier stands in a file, its declaration included. */
function countOf(tree: SourceTree, file: string, name: string): number {
  let count = 0;
  walk(tree.syntax(file), (node) => {
    if (ts.isIdentifier(node) && node.text === name) count += 1;
  });
  return count;
}
