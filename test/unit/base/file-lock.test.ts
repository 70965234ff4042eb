import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { lockByProcessId, lockFile } from '../../../src/base/file-lock.ts';

const directory = mkdtempSync(join(tmpdir(), 'sealdisk-lock-'));
afterAll(() => rmSync(directory, { recursive: true }));

let number = 0;
function freshPath(): string {
  number += 1;
  return join(directory, `LOCK-${number}`);
}

/** The id of a process that ended, and was reaped. */
function goneProcessId(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

describe.each([
  ['lockFile', lockFile],
  ['lockByProcessId', lockByProcessId],
])('%s', (_name, lock) => {
  test('gives a file to one opener, also within a process', () => {
    const path = freshPath();
    const held = lock(path);
    expect(held).not.toBeNull();
    expect(lock(path)).toBeNull();
    expect(lock(path)).toBeNull();
    held?.release();
  });

  test('gives a released file again', () => {
    const path = freshPath();
    for (let turn = 0; turn < 3; turn++) {
      const held = lock(path);
      expect(held).not.toBeNull();
      held?.release();
    }
  });

  test('keeps files apart', () => {
    const [one, other] = [lock(freshPath()), lock(freshPath())];
    expect(one).not.toBeNull();
    expect(other).not.toBeNull();
    one?.release();
    other?.release();
  });

  test('throws what the file system says of a folder that is not there', () => {
    expect(() => lock(join(directory, 'none', 'LOCK'))).toThrow(/ENOENT/);
  });
});

describe('lockByProcessId', () => {
  test('writes who holds it, and leaves nothing behind', () => {
    const path = freshPath();
    const held = lockByProcessId(path);
    expect(readFileSync(path, 'utf8')).toBe(String(process.pid));
    held?.release();
    expect(existsSync(path)).toBe(false);
  });

  test('refuses a file of a process that lives', () => {
    // The own process, its parent, and process 1, which may belong to another user (EPERM).
    for (const owner of [process.pid, process.ppid, 1]) {
      const path = freshPath();
      writeFileSync(path, String(owner));
      expect(lockByProcessId(path)).toBeNull();
      expect(readFileSync(path, 'utf8')).toBe(String(owner));
    }
  });

  test('takes over a file of a process that is gone', () => {
    const path = freshPath();
    writeFileSync(path, String(goneProcessId()));
    const held = lockByProcessId(path);
    expect(held).not.toBeNull();
    expect(readFileSync(path, 'utf8')).toBe(String(process.pid));
    expect(lockByProcessId(path)).toBeNull();
    held?.release();
  });

  test.each(['', 'rubbish', '0', '-1', '1.5'])('takes over a file that says %j', (text) => {
    const path = freshPath();
    writeFileSync(path, text);
    const held = lockByProcessId(path);
    expect(readFileSync(path, 'utf8')).toBe(String(process.pid));
    held?.release();
  });
});
