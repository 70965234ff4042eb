/**
 * Words we do not use, and marks that must not stay.
 *
 * Names that say nothing (manager, helper, util) are refused as parts of any name we give; so is
 * service at the end of one (a service key is a word of ours). Names that say too little (data,
 * info) are refused as whole names. Names of other people's interfaces are not ours to give: only
 * declarations are looked at.
 */
import { posix } from 'node:path';
import ts from 'typescript';
import { lineOf, type Problem, type SourceTree, walk } from './tree.ts';

const REFUSED_PARTS = ['manager', 'helper', 'helpers', 'util', 'utils'];
const REFUSED_ENDS = ['service', 'services'];
const REFUSED_NAMES = ['data', 'info'];
/** Verbs have the names the cloud gave them. */
const CLOUD_NAMES = ['OpenKmsService'];

export function wordProblems(tree: SourceTree): Problem[] {
  return tree.paths.flatMap((file) => [
    ...fileNameProblems(file),
    ...nameProblems(tree, file),
    ...markProblems(tree, file),
  ]);
}

function fileNameProblems(file: string): Problem[] {
  return file
    .split('/')
    .map((part) => posix.basename(part, '.ts'))
    .filter((name) => refusedPart(name) !== null)
    .map((name) => ({ file, line: 1, message: `the name ${name} says nothing` }));
}

function nameProblems(tree: SourceTree, file: string): Problem[] {
  const problems: Problem[] = [];
  walk(tree.syntax(file), (node) => {
    const name = declaredName(node);
    if (name === null || CLOUD_NAMES.includes(name)) return;
    const part = refusedPart(name);
    const isRefused = part !== null || REFUSED_NAMES.includes(name);
    if (!isRefused) return;
    const message = `the name ${name} says nothing${part === null ? '' : ` ("${part}")`}`;
    problems.push({ file, line: lineOf(node), message });
  });
  return problems;
}

function refusedPart(name: string): string | null {
  const parts = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  const end = parts.length > 1 ? (parts.at(-1) ?? '') : '';
  if (REFUSED_ENDS.includes(end)) return end;
  return parts.find((part) => REFUSED_PARTS.includes(part)) ?? null;
}

/** The name a declaration gives, if it is one. */
function declaredName(node: ts.Node): string | null {
  const isDeclaration =
    ts.isVariableDeclaration(node) ||
    ts.isParameter(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isPropertySignature(node) ||
    ts.isBindingElement(node);
  if (!isDeclaration || node.name === undefined || !ts.isIdentifier(node.name)) return null;
  // { data } taken from somebody else's object is their word, not ours.
  if (ts.isBindingElement(node) && node.propertyName === undefined) return null;
  return node.name.text;
}

/** Unowned reminders, escapes from the type checker, and tests that silence the others. */
function markProblems(tree: SourceTree, file: string): Problem[] {
  const problems: Problem[] = [];
  const say = (line: number, message: string): unknown => problems.push({ file, line, message });
  for (const comment of commentsOf(tree.syntax(file))) {
    if (/@ts-(ignore|nocheck)\b/.test(comment.text)) say(comment.line, 'silences the type checker');
    const isUnowned = /\b(TODO|FIXME|XXX|HACK)\b(?!\([a-z-]+\): )/.test(comment.text);
    if (isUnowned) say(comment.line, 'a reminder needs an owner and a condition: TODO(name): when');
  }
  walk(tree.syntax(file), (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) say(lineOf(node), 'any is not a type');
    if (isOnly(node)) say(lineOf(node), '.only silences every other test');
  });
  return problems;
}

function isOnly(node: ts.Node): boolean {
  if (!ts.isPropertyAccessExpression(node) || node.name.text !== 'only') return false;
  return /^(describe|test|it|suite)\b/.test(node.expression.getText());
}

interface Comment {
  readonly text: string;
  readonly line: number;
}

function commentsOf(source: ts.SourceFile): Comment[] {
  const starts = new Map<number, Comment>();
  // Most files have none of the marks anywhere: finding every comment would be most of the work.
  if (!/@ts-|TODO|FIXME|XXX|HACK/.test(source.text)) return [];
  const add = (ranges: readonly ts.CommentRange[] | undefined): void => {
    for (const { pos, end } of ranges ?? []) {
      const line = source.getLineAndCharacterOfPosition(pos).line + 1;
      starts.set(pos, { text: source.text.slice(pos, end), line });
    }
  };
  walk(source, (node) => {
    add(ts.getLeadingCommentRanges(source.text, node.getFullStart()));
    add(ts.getTrailingCommentRanges(source.text, node.end));
  });
  return [...starts.values()];
}
