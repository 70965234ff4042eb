/** What the documents say of the repository is so: links, paths, commands, tables. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderLayerTable } from './layers.ts';
import { isComplete, loadTree, ROOT } from './tree.ts';

const DOCUMENTS = [
  'README.md',
  'CHANGELOG.md',
  'src/README.md',
  'bench/README.md',
  'test/README.md',
  'docs/encryption-rules.md',
  'docs/guarantees.md',
];

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** A document without its code blocks. */
function prose(file: string): string {
  return read(file).replace(/^```[\s\S]*?^```/gm, '');
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(file: string): string[] {
  return [...prose(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function brokenLinks(file: string, text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link ?? '')
    .filter((link) => !/^[a-z]+:/.test(link) && !resolves(file, link));
}

function resolves(file: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? file : join(dirname(file), path);
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchorsOf(target).includes(anchor);
}

/** Paths in backticks: from the root, or in src/README.md and the like from that folder. */
function lostPaths(file: string, text: string): string[] {
  const quoted = [...text.matchAll(/`([\w./-]+\/[\w./-]*)`/g)].map(([, path]) => path ?? '');
  const isOurs = (path: string): boolean =>
    /\.(ts|md|json|fio)$/.test(path) || /^(src|workers|bench|test|\.ci)\//.test(path);
  const places = (path: string): string[] => [path, join(dirname(file), path), join('src', path)];
  return quoted
    .filter(isOurs)
    .filter((path) => !places(path).some((place) => existsSync(join(ROOT, place))));
}

function lostScripts(text: string): string[] {
  const named = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name]) => name ?? '');
  return named.filter((name) => manifest.scripts[name] === undefined);
}

describe.each(DOCUMENTS)('%s', (file) => {
  test('has no broken link', () => {
    expect(brokenLinks(file, prose(file))).toEqual([]);
  });

  const unfinished = isComplete(loadTree()) ? '' : ' (not asked yet: src/plane.ts is not there)';
  test.skipIf(unfinished !== '')(`names no file that is not there${unfinished}`, () => {
    expect(lostPaths(file, prose(file))).toEqual([]);
  });

  test('names no npm script that is not there', () => {
    expect(lostScripts(read(file))).toEqual([]);
  });

  test('names nothing of the machine it was written on', () => {
    expect(read(file).match(/\/work\/|\/tmp\/|\/home\/|registry\.\w+/g)).toBeNull();
  });
});

describe('the rules above', () => {
  test('find what is broken', () => {
    const text = '[a](gone.md) [b](README.md#no-such-part) [c](https://example.com) [d](README.md)';
    expect(brokenLinks('README.md', text)).toEqual(['gone.md', 'README.md#no-such-part']);
    expect(lostPaths('README.md', '`src/gone.ts` `src/limits.ts` `a/b`')).toEqual(['src/gone.ts']);
    expect(lostScripts('npm run build, npm run gone')).toEqual(['gone']);
  });
});

describe('tables', () => {
  test('src/README.md shows the layer table as it is enforced', () => {
    expect(read('src/README.md')).toContain(renderLayerTable());
  });

  test('README.md says why each dependency is there', () => {
    const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
    const rows = read('README.md').match(/^\| `[^`]+` .*\|$/gm) ?? [];
    const unexplained = names.filter(
      (name) => !rows.some((row) => row.startsWith(`| \`${name}\``)),
    );
    expect(unexplained).toEqual([]);
  });
});
