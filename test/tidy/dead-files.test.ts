/** Nothing lies about: files and exports are there because somebody uses them. */
import { describe, expect, test } from 'vitest';
import { deadFiles, lostEntries, unusedExports } from './dead-files.ts';
import { isComplete, loadTree, render, virtualTree } from './tree.ts';

const real = loadTree();
const unfinished = isComplete(real) ? '' : ' (not asked yet: src/plane.ts is not there)';

describe('files', () => {
  test.skipIf(unfinished !== '')(`are reached from an entry${unfinished}`, () => {
    expect(render(deadFiles(real))).toEqual([]);
  });

  test('a file no entry reaches is found, one that only a thread entry reaches is not', () => {
    const tree = virtualTree({
      'src/index.ts': "export { a } from './a.ts';",
      'src/a.ts': "new URL('../bench/w.js', import.meta.url); export const a = 1;",
      'src/b.ts': '',
      'src/c.ts': '',
      'bench/w.ts': "import '../src/b.ts';",
      'test/x.test.ts': "import '../src/c.ts';",
    });
    expect(deadFiles(tree).map((problem) => problem.file)).toEqual(['src/c.ts']);
  });
});

describe('thread entries', () => {
  test('are where they are looked for', () => {
    expect(render(lostEntries(real))).toEqual([]);
  });

  test('one that moved away is found', () => {
    const text = "new Worker(new URL('../../workers/gone.js', import.meta.url));";
    const tree = virtualTree({ 'src/threads/kms-thread.ts': text });
    expect(render(lostEntries(tree))).toEqual([
      'src/threads/kms-thread.ts:1: starts workers/gone.ts, which is not there',
    ]);
  });
});

describe('exports', () => {
  test.skipIf(unfinished !== '')(`are taken by another file${unfinished}`, () => {
    expect(render(unusedExports(real))).toEqual([]);
  });

  test('one nobody takes is found, whatever it is', () => {
    const tree = virtualTree({
      'src/a.ts': [
        'export const one = 1;',
        'export function two() {}',
        'export class Three {}',
        'export interface Four {}',
        'const five = 5; export { five };',
        'export const six = 6, seven = 7;',
      ].join('\n'),
      'src/b.ts': "import { six } from './a.ts';",
    });
    const names = unusedExports(tree).map((problem) => problem.message.split(' ').at(-1));
    expect(names).toEqual(['one', 'two', 'Three', 'Four', 'five', 'seven']);
  });

  test('one that is taken, in any way, is let be', () => {
    const tree = virtualTree({
      'src/a.ts': 'export interface A {}\nexport function b(a: A) {}\nexport const c = 1;',
      'src/d.ts': "import { b as bee } from './a.ts';\nexport { c } from './a.ts';",
      'src/e.ts': 'export const f = 1;',
      'src/g.ts': "import * as e from './e.ts';",
    });
    expect(unusedExports(tree)).toEqual([]);
  });
});
