/** Dependencies, guarded builtin modules and guarded globals are used at their doors only. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  BUILTINS,
  doorProblems,
  GLOBALS,
  globalProblems,
  type Manifest,
  manifestProblems,
  PACKAGES,
} from './doors.ts';
import { loadTree, ROOT, render, virtualTree } from './tree.ts';

const real = loadTree();
const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as Manifest;

/** A file no row names as a door. */
const OUTSIDE = 'src/router/elsewhere.ts';

describe('packages and builtin modules', () => {
  test('are imported at their doors only', () => {
    expect(render(doorProblems(real))).toEqual([]);
  });

  test.each([...PACKAGES, ...BUILTINS])('$name elsewhere is found', ({ name, places }) => {
    for (const clause of ['import x', 'import type { X }', 'export *']) {
      const found = doorProblems(virtualTree({ [OUTSIDE]: `\n${clause} from '${name}/part';` }));
      expect(found).toHaveLength(1);
      expect(found[0]).toMatchObject({ file: OUTSIDE, line: 2 });
      expect(found[0]?.message).toContain(places[0]);
    }
  });

  test.each([...PACKAGES, ...BUILTINS])('$name at its door is let be', ({ name, places }) => {
    const files = places.map((place) => (place.endsWith('/') ? `${place}x.ts` : place));
    const tree = virtualTree(Object.fromEntries(files.map((file) => [file, `import '${name}';`])));
    expect(doorProblems(tree)).toEqual([]);
  });

  test('a package without a row is found', () => {
    const tree = virtualTree({ [OUTSIDE]: "import pad from 'left-pad';" });
    expect(render(doorProblems(tree))).toEqual([
      `${OUTSIDE}:1: imports left-pad, which has no row in the door table`,
    ]);
  });
});

describe('guarded globals', () => {
  test('are used at their doors only', () => {
    expect(render(globalProblems(real))).toEqual([]);
  });

  test.each(GLOBALS)('$name elsewhere is found', ({ name }) => {
    const use = name.includes('.') ? name : `${name}.log`;
    const [object, member] = use.split('.');
    const forms = [`${use}()`, `globalThis.${use}()`, `${object}['${member}']()`];
    for (const form of forms) {
      const found = globalProblems(virtualTree({ [OUTSIDE]: `\nconst x = ${form};` }));
      expect(found, form).toHaveLength(1);
      expect(found[0]?.line).toBe(2);
    }
  });

  test('a property that only sounds like one is let be', () => {
    const tree = virtualTree({ [OUTSIDE]: 'clock.now(); this.console.log(); random();' });
    expect(globalProblems(tree)).toEqual([]);
  });

  test('chance without a seed is found in tests too', () => {
    const tree = virtualTree({ 'test/unit/x.test.ts': 'Math.random(); Date.now();' });
    expect(globalProblems(tree)).toHaveLength(1);
  });
});

describe('package.json', () => {
  test('declares what is imported, and nothing else', () => {
    expect(manifestProblems(real, manifest)).toEqual([]);
  });

  test('a development dependency in shipped code, and an undeclared one, are found', () => {
    const tree = virtualTree({
      'src/cli/main.ts': "import 'vitest';",
      'test/x.test.ts': "import 'vitest';\nimport 'left-pad';",
    });
    const found = manifestProblems(tree, { devDependencies: { vitest: '^4' } });
    expect(found).toEqual([
      'src/cli/main.ts:1: vitest is not declared',
      'test/x.test.ts:2: left-pad is not declared',
    ]);
  });

  test('a dependency nobody imports, or without a door, is found', () => {
    const tree = virtualTree({ 'src/cli/main.ts': '', 'src/plane.ts': '' });
    const found = manifestProblems(tree, { dependencies: { koffi: '^3', 'left-pad': '^1' } });
    expect(found).toEqual([
      'package.json: nothing imports koffi',
      'package.json: left-pad has no row in the door table',
      'package.json: nothing imports left-pad',
    ]);
  });

  test('every range is bounded, and the lock file names no registry host', () => {
    const ranges = { ...manifest.dependencies, ...manifest.devDependencies };
    const loose = Object.entries(ranges).filter(([, range]) => !/^[\^~]?\d+(\.\d+)*$/.test(range));
    expect(loose).toEqual([]);
    const lock = readFileSync(`${ROOT}package-lock.json`, 'utf8');
    expect(lock.match(/"resolved"|https?:\/\/[^"]*registry[^"]*/g)).toBeNull();
  });
});
