/**
 * `npm ci --ignore-scripts` is enough: the lock file is whole, what is native runs as installed.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import * as lmdb from 'lmdb';
import { isNativeAccelerationEnabled } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { reachedFrom } from './dead-files.ts';
import { isIn, loadTree, ROOT } from './tree.ts';

interface LockEntry {
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

type Lock = Readonly<Record<string, LockEntry>>;

const lock = (
  JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8')) as { readonly packages: Lock }
).packages;

/** Optional packages that are named but not locked: npm ci refuses such a file. */
function unlocked(packages: Lock): string[] {
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !isLocked(packages, path, name))
      .map((name) => `${path}: ${name}`),
  );
}

/** Looks where Node would: below the package, and in every node_modules above it. */
function isLocked(packages: Lock, path: string, name: string): boolean {
  const above = [...path.matchAll(/(^|\/)node_modules\//g)].map((match) =>
    path.slice(0, match.index),
  );
  return [path, ...above].some((folder) => {
    const place = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    return packages[place] !== undefined;
  });
}

describe('the lock file', () => {
  test('locks every optional package it names', () => {
    expect(unlocked(lock)).toEqual([]);
  });

  test('one that does not is found', () => {
    const gap = {
      'node_modules/a': { optionalDependencies: { b: '1', c: '1', d: '1' } },
      'node_modules/b': {},
      'node_modules/a/node_modules/c': {},
    };
    expect(unlocked(gap)).toEqual(['node_modules/a: d']);
  });

  test('names no package with an install script but those that package.json denies theirs', () => {
    const scripted = Object.keys(lock)
      .filter((path) => lock[path]?.hasInstallScript === true && !path.endsWith('/fsevents'))
      .map((path) => [path.replace('node_modules/', ''), false]);
    const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
      readonly allowScripts: Readonly<Record<string, boolean>>;
    };
    expect(manifest.allowScripts).toEqual(Object.fromEntries(scripted));
  });
});

describe('the package', () => {
  test('ships every file that its entries reach', () => {
    const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
      readonly files: readonly string[];
    };
    const places = manifest.files.map((path) => `${path}/`);
    const reached = [...reachedFrom(loadTree(), ['src/index.ts', 'src/cli/main.ts'])];
    expect(reached.length).toBeGreaterThan(0);
    expect(reached.filter((path) => !isIn(`dist/${path}`, places))).toEqual([]);
  });
});

describe('native packages run as installed', () => {
  test('koffi calls into the running binary', () => {
    const version = koffi.load(null).func('const char *zlibVersion()') as () => string;
    expect(version()).toMatch(/^1\./);
  });

  test('msgpackr has its native string reader', () => {
    expect(isNativeAccelerationEnabled).toBe(true);
  });

  test('lmdb stores and finds', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealdisk-install-'));
    try {
      const store = lmdb.open({ path: folder, encoding: 'binary' });
      await store.put('a', Buffer.from([7]));
      expect([...(store.get('a') as Uint8Array)]).toEqual([7]);
      await store.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
