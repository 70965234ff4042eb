/**
 * No file that main can load reaches code that can hold a plaintext key, over any number of
 * imports. (That no key byte is in main's memory is measured in test/custody.)
 */
import { describe, expect, test } from 'vitest';
import { custodyProblems } from './layer-rules.ts';
import { asPath, KEY_HOLDERS, LAYERS } from './layers.ts';
import { isComplete, isIn, loadTree, render, virtualTree } from './tree.ts';

const real = loadTree();

describe('key custody by imports', () => {
  test('main reaches no code that can hold a plaintext key', () => {
    expect(render(custodyProblems(real))).toEqual([]);
  });

  test('the files known to hold plaintext keys are where the rule looks', () => {
    const known = [
      'src/cipher/xts-key.ts',
      'src/kms/vault.ts',
      'src/kms/wrap.ts',
      'src/shard/keyring.ts',
    ];
    expect(known.filter((path) => !isIn(path, KEY_HOLDERS))).toEqual([]);
    expect(isComplete(real) ? known.filter((path) => !real.has(path)) : []).toEqual([]);
  });

  test.each(KEY_HOLDERS)('%s is found three imports away, by its chain', (folder) => {
    const holder = `${folder}x.ts`;
    const tree = virtualTree({
      'src/control/verbs.ts': "import type { A } from '../record/a.ts';",
      'src/record/a.ts': "export { b } from '../base/b.ts';",
      'src/base/b.ts': `const c = await import('../../${holder}');`,
      [holder]: '',
    });
    const chain = `src/control/verbs.ts -> src/record/a.ts -> src/base/b.ts -> ${holder}`;
    expect(render(custodyProblems(tree))).toEqual([
      `src/control/verbs.ts:1: main reaches a plaintext key: ${chain}`,
    ]);
  });

  test('a key holder may be reached from the threads that hold keys', () => {
    const tree = virtualTree({
      'workers/shard.ts': "import '../src/shard/keyring.ts';",
      'src/shard/keyring.ts': "import '../cipher/xts-key.ts';",
      'src/cipher/xts-key.ts': '',
      'src/kms/vault.ts': "import './wrap.ts';",
      'src/kms/wrap.ts': '',
    });
    expect(custodyProblems(tree)).toEqual([]);
  });

  test('every place of main is looked at, and those of threads that make load', () => {
    const keyless = LAYERS.filter(({ thread }) => thread === 'main' || thread === 'load');
    const places = keyless.flatMap((row) => row.places);
    for (const place of places) {
      const path = asPath(place);
      const file = path.endsWith('/') ? `${path}x.ts` : path;
      const up = '../'.repeat(file.split('/').length - 1);
      const tree = virtualTree({
        [file]: `import '${up}src/kms/wrap.ts';`,
        'src/kms/wrap.ts': '',
      });
      expect(custodyProblems(tree), place).toHaveLength(1);
    }
  });
});
