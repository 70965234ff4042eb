/**
 * The source tree as the rules of the house see it: paths, texts, syntax trees and imports.
 *
 * A rule is a function from a tree to problems. It runs over the real tree, and over small trees
 * made up in its test, in which a violation is planted that it must find.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** One thing that is not as the house wants it. */
export interface Problem {
  /** Relative to the root, with forward slashes. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** One reference of a file to another module. */
export interface Import {
  readonly line: number;
  readonly specifier: string;
  /** Path in the tree, null for a package or a builtin module, or a file that is not there. */
  readonly target: string | null;
  readonly isTypeOnly: boolean;
  /** Names taken from the module; '*' means all of them. */
  readonly names: readonly string[];
}

export interface SourceTree {
  /** Sorted. */
  readonly paths: readonly string[];
  has(path: string): boolean;
  text(path: string): string;
  syntax(path: string): ts.SourceFile;
  /** Imports, re-exports, dynamic imports, require calls and import types, in order. */
  imports(path: string): readonly Import[];
}

/** A tree of made-up files: path to text. */
export function virtualTree(files: Readonly<Record<string, string>>): SourceTree {
  const texts = new Map(Object.entries(files));
  const syntaxes = new Map<string, ts.SourceFile>();
  const imports = new Map<string, readonly Import[]>();
  const tree: SourceTree = {
    paths: [...texts.keys()].sort(),
    has: (path) => texts.has(path),
    text(path) {
      const text = texts.get(path);
      if (text === undefined) throw new Error(`no file ${path} in this tree`);
      return text;
    },
    syntax(path) {
      let syntax = syntaxes.get(path);
      if (syntax === undefined) {
        syntax = ts.createSourceFile(path, tree.text(path), ts.ScriptTarget.ES2022, true);
        syntaxes.set(path, syntax);
      }
      return syntax;
    },
    imports(path) {
      let found = imports.get(path);
      if (found === undefined) {
        found = findImports(tree, path);
        imports.set(path, found);
      }
      return found;
    },
  };
  return tree;
}

const loaded = new Map<string, SourceTree>();

/** Every TypeScript file of the repository that people write. Read and parsed once per process. */
export function loadTree(root: string = ROOT): SourceTree {
  const tree = loaded.get(root) ?? readTree(root);
  loaded.set(root, tree);
  return tree;
}

function readTree(root: string): SourceTree {
  const files: Record<string, string> = {};
  const add = (path: string): void => {
    files[path] = readFileSync(posix.join(root, path), 'utf8');
  };
  const folders = ['src', 'workers', 'bench', 'test'];
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith('.ts')) add(entry.name);
    if (!entry.isDirectory() || !folders.includes(entry.name)) continue;
    for (const below of readdirSync(posix.join(root, entry.name), { recursive: true })) {
      const path = posix.join(entry.name, String(below));
      if (path.endsWith('.ts')) add(path);
    }
  }
  return virtualTree(files);
}

/** One line per problem, as compilers print them. */
export function render(problems: readonly Problem[]): string[] {
  return problems.map((problem) => `${problem.file}:${problem.line}: ${problem.message}`);
}

/** Line of a node, from 1. */
export function lineOf(node: ts.Node): number {
  const source = node.getSourceFile();
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

/** Calls visit for every node of a file, parents first. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** True if the file lies in one of the places: a file, or a folder written with `/` at its end. */
export function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
}

/** The package a bare specifier belongs to, `node:x` for a builtin module, null for a path. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('/')) return null;
  const parts = specifier.split('/');
  if (specifier.startsWith('node:')) return parts[0]!;
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
}

/** True once the composition root stands: then nothing may be missing from the tree any more. */
export function isComplete(tree: SourceTree): boolean {
  return tree.has('src/plane.ts') && tree.has('src/cli/main.ts');
}

function findImports(tree: SourceTree, path: string): Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node, isTypeOnly: boolean, names: readonly string[], at: ts.Node): void => {
    if (!ts.isStringLiteralLike(node)) return;
    const specifier = node.text;
    found.push({
      line: lineOf(at),
      specifier,
      target: resolve(tree, path, specifier),
      isTypeOnly,
      names,
    });
  };
  walk(tree.syntax(path), (node) => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause;
      add(node.moduleSpecifier, isTypeOnlyClause(clause), importedNames(clause), node);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      const isNamed = node.exportClause !== undefined && ts.isNamedExports(node.exportClause);
      const elements = isNamed ? (node.exportClause as ts.NamedExports).elements : [];
      const names = isNamed ? elements.map((e) => (e.propertyName ?? e.name).text) : ['*'];
      const isTypeOnly =
        node.isTypeOnly || (elements.length > 0 && elements.every((e) => e.isTypeOnly));
      add(node.moduleSpecifier, isTypeOnly, names, node);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true, ['*'], node);
    } else if (ts.isCallExpression(node) && node.arguments[0] !== undefined && isLoading(node)) {
      add(node.arguments[0], false, ['*'], node);
    }
  });
  return found;
}

function isLoading(call: ts.CallExpression): boolean {
  const callee = call.expression;
  return (
    callee.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(callee) && callee.text === 'require')
  );
}

function isTypeOnlyClause(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const bindings = clause.namedBindings;
  if (clause.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) {
    return false;
  }
  return bindings.elements.length > 0 && bindings.elements.every((e) => e.isTypeOnly);
}

function importedNames(clause: ts.ImportClause | undefined): string[] {
  const names: string[] = [];
  if (clause?.name !== undefined) names.push('default');
  const bindings = clause?.namedBindings;
  if (bindings === undefined) return names;
  if (ts.isNamespaceImport(bindings)) return [...names, '*'];
  return [...names, ...bindings.elements.map((e) => (e.propertyName ?? e.name).text)];
}

function resolve(tree: SourceTree, from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  const path = posix.join(posix.dirname(from), specifier);
  const candidates = [path, path.replace(/^dist\//, '').replace(/\.js$/, '.ts')];
  return candidates.find((candidate) => tree.has(candidate)) ?? null;
}
