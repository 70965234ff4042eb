/**
 * Fail-stop of the metadata: a process whose metadata cannot be committed ends itself, and what it
 * had acknowledged is there when it is opened again. Faults by strace, a full disk by a tmpfs.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../support/temp-dir.ts';

const hasStrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0;

/** Creates disks one after the other, saying each id when it is acknowledged. */
const SUBJECT = `
import { writeSync } from 'node:fs';
import { openPlane } from 'sealdisk';
const plane = await openPlane({ dataDir: process.argv[1], shards: 1 });
process.on('SIGTERM', () => undefined);
writeSync(1, 'open\\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
for (let count = 0; count < 20; count++) {
  const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
  writeSync(1, DiskId + '\\n');
}
await plane.close();
writeSync(1, 'closed\\n');
`;

/** Opens the directory and lists its disks. */
const READER = `
import { openPlane } from 'sealdisk';
const plane = await openPlane({ dataDir: process.argv[1] });
const { Disks } = await plane.call('DescribeDisks', { PageSize: 100 });
const { problems } = await plane.check();
await plane.close();
console.log(JSON.stringify({ ids: Disks.map((disk) => disk.DiskId), problems }));
`;

const FULL = `
import { rmSync } from 'node:fs';
import { openPlane } from 'sealdisk';
const [, dataDir, ballast] = process.argv;
const plane = await openPlane({ dataDir });
const codes = new Map();
let made = [];
for (let count = 0; count < 3000 && !codes.has('NoSpace'); count++) {
  const Description = 'x'.repeat(250);
  const answer = await plane.call('CreateDisk', { Size: 1, Description }).catch((error) => error);
  if (answer.DiskId === undefined) codes.set(answer.code, count);
  else made.push(answer.DiskId);
}
rmSync(ballast);
const { DiskId } = await plane.call('CreateDisk', { Size: 1 });
made.push(DiskId);
const missing = [];
for (const id of made) {
  const { Disks } = await plane.call('DescribeDisks', { DiskIds: [id] });
  if (Disks.length !== 1) missing.push(id);
}
const { problems } = await plane.check();
await plane.close();
const again = await openPlane({ dataDir });
const total = (await again.call('DescribeDisks', { PageSize: 1 })).TotalCount;
await again.close();
console.log(JSON.stringify({
  codes: [...codes.keys()], missing, problems, isAllThere: total === made.length,
}));
`;

function node(script: string, parameters: string[], wrapper: string[] = [], input = '') {
  const command = [...wrapper, process.execPath, '--input-type=module', '--eval', script];
  const [file = '', ...rest] = [...command, ...parameters];
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
  return spawnSync(file, rest, { encoding: 'utf8', input, env, timeout: 100_000 });
}

describe.skipIf(!hasStrace)('a commit of the metadata that fails', () => {
  // when= counts per thread; the first commits are of the opening.
  test.each([
    ['an fdatasync fails', 'fdatasync:error=EIO:when=6'],
    ['an fdatasync says no space, and there is', 'fdatasync:error=ENOSPC:when=6'],
    ['a page cannot be written', 'writev:error=EIO:when=6'],
    ['nothing can be written any more', 'pwrite64,writev:error=EIO:when=25+'],
  ])('ends the process by SIGKILL, with a line on stderr: %s', (_, inject) => {
    using directory = tempDir();
    const dataDir = join(directory.path, 'plane');
    expect(node(SUBJECT, [dataDir], [], 'go').stdout).toContain('closed');
    const trace = ['strace', '-f', '-qq', '-o', '/dev/null', '-P', join(dataDir, 'meta/data.mdb')];
    const calls = '-e trace=pwrite64,writev,fdatasync'.split(' ');
    const wrapper = [...trace, ...calls, '-e', `inject=${inject}`];
    const { signal, status, stdout, stderr } = node(SUBJECT, [dataDir], wrapper, 'go');
    expect({ stderr, isKilled: signal === 'SIGKILL' || status === 137 }).toEqual({
      stderr: expect.stringMatching(/sealdisk: fatal: StoreFailed: .*meta: .*; the process ends/),
      isKilled: true,
    });
    expect(stdout).not.toContain('closed');
    const acknowledged = stdout.split('\n').filter((line) => line.startsWith('d-'));
    const read = JSON.parse(node(READER, [dataDir]).stdout) as { ids: string[] };
    expect(read).toMatchObject({ problems: [] });
    expect(acknowledged.filter((id) => !read.ids.includes(id))).toEqual([]);
  });
});

/** A file system of two mebibytes; null where none can be mounted. */
function smallFileSystem(): { path: string; remove: () => void } | null {
  const path = mkdtempSync(join(tmpdir(), 'sealdisk-small-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', path]);
  const remove = (): void => {
    if (status === 0) spawnSync('umount', [path]);
    rmSync(path, { recursive: true, force: true });
  };
  if (status === 0) return { path, remove };
  remove();
  return null;
}

describe('a full file system', () => {
  test('refuses what does not fit, keeps what was acknowledged, goes on with space', (context) => {
    const small = smallFileSystem();
    if (small === null) return context.skip('no tmpfs can be mounted here');
    try {
      const dataDir = join(small.path, 'plane');
      mkdirSync(dataDir);
      expect(node(READER, [dataDir]).stdout).toContain('problems');
      const { bavail, bsize } = statfsSync(small.path);
      const ballast = join(small.path, 'ballast');
      writeFileSync(ballast, new Uint8Array(bavail * bsize - 200_000));
      const { stdout, stderr } = node(FULL, [dataDir, ballast]);
      expect({ stderr, read: JSON.parse(stdout || '{}') as unknown }).toEqual({
        stderr: expect.any(String),
        read: { codes: ['NoSpace'], missing: [], problems: [], isAllThere: true },
      });
    } finally {
      small.remove();
    }
  });
});
