import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { errnoOf, nodeFileSystem } from '../../../src/segment/file-system.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealdisk-files-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function errnoThrown(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return errnoOf(error);
  }
  return 'none';
}

it('a file is made, written anywhere, read and measured', () => {
  const path = join(directory, 'a');
  const file = nodeFileSystem.open(path, 'create');
  nodeFileSystem.pwrite(file, new Uint8Array([1, 2, 3, 4]), 1, 2, 5);
  expect(nodeFileSystem.size(file)).toBe(7);
  const target = new Uint8Array(10).fill(9);
  expect(nodeFileSystem.pread(file, target, 2, 8, 4)).toBe(3);
  expect([...target]).toEqual([9, 9, 0, 2, 3, 9, 9, 9, 9, 9]);
  expect(nodeFileSystem.pread(file, target, 0, 1, 100)).toBe(0);
  nodeFileSystem.fdatasync(file);
  nodeFileSystem.close(file);
  expect([...readFileSync(path)]).toEqual([0, 0, 0, 0, 0, 2, 3]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('a file made again is empty', () => {
  const path = join(directory, 'a');
  writeFileSync(path, 'old');
  const file = nodeFileSystem.open(path, 'create');
  expect(nodeFileSystem.size(file)).toBe(0);
  nodeFileSystem.close(file);
});

it('names are made, listed, replaced and removed', () => {
  const below = join(directory, 'x', 'y');
  nodeFileSystem.makeDirectory(below);
  nodeFileSystem.makeDirectory(below);
  writeFileSync(join(below, 'a'), 'a');
  writeFileSync(join(below, 'b'), 'b');
  nodeFileSystem.rename(join(below, 'a'), join(below, 'b'));
  nodeFileSystem.fsyncDirectory(below);
  expect(nodeFileSystem.list(below)).toEqual(['b']);
  expect(readFileSync(join(below, 'b'), 'utf8')).toBe('a');
  nodeFileSystem.unlink(join(below, 'b'));
  expect(nodeFileSystem.list(below)).toEqual([]);
  expect(nodeFileSystem.freeBytes(below)).toBeGreaterThan(0);
});

it('errors carry the name of the errno', () => {
  const missing = join(directory, 'missing');
  expect(errnoThrown(() => nodeFileSystem.open(missing, 'read'))).toBe('ENOENT');
  expect(errnoThrown(() => nodeFileSystem.list(missing))).toBe('ENOENT');
  expect(errnoThrown(() => nodeFileSystem.unlink(missing))).toBe('ENOENT');
  expect(errnoThrown(() => nodeFileSystem.rename(missing, directory))).toBe('ENOENT');
  expect(errnoThrown(() => nodeFileSystem.fsyncDirectory(missing))).toBe('ENOENT');
  expect(errnoOf(new Error('no code'))).toBe('');
  expect(errnoOf(null)).toBe('');
});

it.skipIf(!existsSync('/dev/full'))('a device without space says so', () => {
  const file = nodeFileSystem.open('/dev/full', 'create');
  const write = () => nodeFileSystem.pwrite(file, new Uint8Array(4096), 0, 4096, 0);
  expect(errnoThrown(write)).toBe('ENOSPC');
  nodeFileSystem.close(file);
});
