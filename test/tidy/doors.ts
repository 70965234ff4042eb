/**
 * The doors: which file may import which dependency, and touch which global.
 *
 * A dependency has one door, so that replacing it, or mistrusting it, is one file's work. Globals
 * that make a run unrepeatable (time, chance, environment) or that talk (console) have doors too.
 * Tests stand outside the door table: they may import what they test.
 */
import ts from 'typescript';
import {
  isComplete,
  isIn,
  lineOf,
  type Problem,
  packageOf,
  type SourceTree,
  walk,
} from './tree.ts';

export interface Door {
  /** A package, a `node:` module, or a global such as `Date.now` or `console`. */
  readonly name: string;
  /** Files, or folders with `/` at their end. */
  readonly places: readonly string[];
}

/** Packages. Every dependency of package.json has a row here, or in BUILD_ONLY. */
export const PACKAGES: readonly Door[] = [
  { name: '@alicloud/ecs20140526', places: ['test/', 'bench/api.ts', 'bench/api-client.ts'] },
  { name: '@alicloud/kms20160120', places: ['test/'] },
  { name: '@alicloud/openapi-core', places: ['test/', 'bench/api-client.ts'] },
  { name: '@alicloud/pop-core', places: ['test/'] },
  { name: '@alicloud/rpc-client', places: ['test/'] },
  { name: '@noble/ciphers', places: ['src/cipher/xts-reference.ts'] },
  { name: 'ajv', places: ['test/'] },
  { name: 'commander', places: ['src/cli/'] },
  { name: 'fast-check', places: ['test/'] },
  { name: 'hash-wasm', places: ['test/'] },
  { name: 'hdr-histogram-js', places: ['src/load/histogram.ts'] },
  { name: 'koffi', places: ['src/base/native.ts'] },
  { name: 'lmdb', places: ['src/kv/lmdb-store.ts'] },
  { name: 'msgpackr', places: ['src/record/codec.ts'] },
  {
    name: 'piscina',
    places: ['src/threads/shard-thread.ts', 'bench/'],
  },
  { name: 'tinybench', places: ['bench/micro/'] },
  { name: 'uplot', places: ['src/cli/page-assets.ts'] },
  { name: 'typescript', places: ['test/tidy/'] },
  {
    name: 'valibot',
    places: [
      'src/control/',
      'src/record/shapes.ts',
      'src/record/document-shapes.ts',
      'src/record/shape-check.ts',
      'src/load/',
      'src/fleet/fleet-options.ts',
      'src/gate/',
    ],
  },
  { name: 'vitest', places: ['test/', 'vitest.config.ts', 'src/vitest.ts'] },
  { name: 'yaml', places: ['src/control/access/load-world.ts', 'src/cli/fleet-file.ts'] },
];

/** Dependencies that are run or read by tools, not imported. */
const BUILD_ONLY: readonly string[] = ['@biomejs/biome', '@types/node', '@vitest/coverage-v8'];

/** Dependencies whose files are read by their door and go into pages: nothing imports them. */
const READ_AS_FILES: readonly string[] = ['uplot'];

/** Builtin modules that only some may have; the others are free. */
export const BUILTINS: readonly Door[] = [
  {
    name: 'node:worker_threads',
    places: ['src/threads/', 'src/load/job-threads.ts', 'workers/', 'bench/'],
  },
  {
    name: 'node:crypto',
    places: [
      'src/cipher/',
      'src/kms/',
      'src/plane.ts',
      'src/plane-options.ts',
      'src/control/access/tokens.ts',
      'src/meta/facets.ts',
      'src/front/api/',
      'src/load/target-library.ts',
      'src/load/unit-digest.ts',
      'src/gate/calibration.ts',
      'src/cli/',
      'bench/',
    ],
  },
  {
    name: 'node:fs',
    places: [
      'src/base/fail-stop.ts',
      'src/base/file-lock.ts',
      'src/base/process-hardening.ts',
      'src/base/processor-queue.ts',
      'src/base/thread-processor.ts',
      'src/segment/',
      'src/kms/',
      'src/kv/',
      'src/meta/data-directory.ts',
      'src/front/nbd/listen.ts',
      'src/control/access/load-world.ts',
      'src/control/access/world-content.ts',
      'src/control/jobs/export-files.ts',
      'src/load/',
      'src/gate/revision.ts',
      'src/vitest.ts',
      'src/cli/',
      'bench/',
    ],
  },
  { name: 'node:inspector', places: ['src/base/process-hardening.ts'] },
  { name: 'node:child_process', places: ['src/gate/turn-process.ts', 'src/cli/', 'bench/'] },
  // The kernel's timer is waited for as a socket is.
  { name: 'node:net', places: ['src/front/', 'src/load/kernel-timer.ts'] },
  { name: 'node:http', places: ['src/front/'] },
];

/** Globals. */
export const GLOBALS: readonly Door[] = [
  { name: 'Date.now', places: ['src/base/clock.ts'] },
  {
    name: 'performance.now',
    places: [
      'src/base/clock.ts',
      'src/router/completion-poller.ts',
      'src/shard/serve-loop.ts',
      'src/load/',
      'bench/',
    ],
  },
  { name: 'process.hrtime', places: ['src/base/clock.ts'] },
  { name: 'Math.random', places: [] },
  { name: 'console', places: ['src/cli/', 'bench/'] },
  { name: 'process.env', places: ['src/cli/', 'bench/'] },
  { name: 'process.exit', places: ['src/cli/', 'src/base/faults.ts'] },
];

const SOURCE = ['src/', 'workers/', 'bench/'];

/** Imports of packages and builtin modules by files that are not their door. */
export function doorProblems(tree: SourceTree): Problem[] {
  const problems: Problem[] = [];
  for (const file of tree.paths) {
    for (const { line, specifier } of tree.imports(file)) {
      const name = packageOf(specifier);
      if (name === null) continue;
      const message = name.startsWith('node:') ? builtinRefusal(file, name) : refusal(file, name);
      if (message !== null) problems.push({ file, line, message });
    }
  }
  return problems;
}

function refusal(file: string, name: string): string | null {
  if (name === 'sealdisk' || BUILD_ONLY.includes(name) || file.startsWith('test/')) return null;
  const door = PACKAGES.find((row) => row.name === name);
  if (door === undefined) return `imports ${name}, which has no row in the door table`;
  return isIn(file, door.places) ? null : throughDoor(name, door.places);
}

function builtinRefusal(file: string, name: string): string | null {
  const door = BUILTINS.find((row) => row.name === name);
  if (door === undefined || !isIn(file, SOURCE) || isIn(file, door.places)) return null;
  return throughDoor(name, door.places);
}

function throughDoor(name: string, places: readonly string[]): string {
  return `uses ${name}: its only door is ${places.join(', ') || 'nowhere'}`;
}

/** Uses of guarded globals by files that are not their door. Chance has no door in tests either. */
export function globalProblems(tree: SourceTree): Problem[] {
  const problems: Problem[] = [];
  for (const file of tree.paths) {
    const isSource = isIn(file, SOURCE);
    const guarded = GLOBALS.filter(
      (door) => (isSource || door.places.length === 0) && !isIn(file, door.places),
    );
    walk(tree.syntax(file), (node) => {
      const door = guarded.find((candidate) => isUse(node, candidate.name));
      if (door === undefined) return;
      problems.push({ file, line: lineOf(node), message: throughDoor(door.name, door.places) });
    });
  }
  return problems;
}

function isUse(node: ts.Node, name: string): boolean {
  if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) return false;
  const base = unwrapGlobalThis(node.expression);
  const [object, member] = name.split('.');
  if (base !== object) return false;
  return member === undefined || memberOf(node) === member;
}

function memberOf(node: ts.PropertyAccessExpression | ts.ElementAccessExpression): string {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  return ts.isStringLiteralLike(node.argumentExpression) ? node.argumentExpression.text : '';
}

function unwrapGlobalThis(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text;
  const isMember = ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression);
  return isMember && node.expression.text === 'globalThis' ? node.name.text : '';
}

export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Dependencies nobody imports, imports nobody declared, and development ones that would ship. */
export function manifestProblems(tree: SourceTree, manifest: Manifest): string[] {
  const runtime = Object.keys(manifest.dependencies ?? {});
  const development = Object.keys(manifest.devDependencies ?? {});
  const peers = Object.keys(manifest.peerDependencies ?? {});
  const problems: string[] = [];
  const imported = new Set<string>();
  for (const file of tree.paths) {
    for (const { line, specifier, isTypeOnly } of tree.imports(file)) {
      const name = packageOf(specifier);
      if (name === null || name.startsWith('node:') || name === 'sealdisk') continue;
      imported.add(name);
      const isShipped = isIn(file, ['src/', 'workers/', 'bench/naive/']);
      // Of what only some users have, nothing but types.
      const shipped = isTypeOnly ? [...runtime, ...peers] : runtime;
      const declared = isShipped ? shipped : [...runtime, ...development];
      if (!declared.includes(name)) problems.push(`${file}:${line}: ${name} is not declared`);
    }
  }
  for (const name of [...runtime, ...development]) {
    const isTool = BUILD_ONLY.includes(name);
    const hasRow = isTool || PACKAGES.some((row) => row.name === name);
    if (!hasRow) problems.push(`package.json: ${name} has no row in the door table`);
    const isImported = imported.has(name) || READ_AS_FILES.includes(name);
    if (isComplete(tree) && !isTool && !isImported) {
      problems.push(`package.json: nothing imports ${name}`);
    }
  }
  return problems;
}
