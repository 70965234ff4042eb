/** `sealdisk nbd` as a user has it: a process of what was built. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openPlane } from '../../dist/src/index.js';
import { requestBytes } from '../support/nbd-bytes.ts';
import { end, MAIN, mountFuse, start } from '../support/nbd-process.ts';
import { RawClient } from '../support/nbd-raw-client.ts';
import { absentTools, run } from '../support/nbd-server.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('sealdisk nbd', () => {
  test('keeps a disk in files: what was written and flushed is there the next time', async () => {
    using directory = tempDir();
    const socket = join(directory.path, 'nbd.sock');
    const words = ['--data-dir', join(directory.path, 'plane'), '--socket', socket, '--quiet'];
    const first = await start('--encrypted', '--size', '2G', ...words);
    expect(first.uri).toBe(`nbd+unix:///nbd?socket=${socket}`);
    const writer = new RawClient(socket);
    await writer.go('nbd');
    writer.send(requestBytes({ command: 1, length: 5, payload: Buffer.from('hello') }));
    expect(await writer.simple()).toBe(0);
    expect(await end(first.child, 'SIGTERM')).toBe(0);
    await writer.closed;
    expect(existsSync(socket)).toBe(false);
    const second = await start(...words);
    const reader = new RawClient(socket);
    await reader.go('');
    reader.send(requestBytes({ command: 0, length: 5 }));
    expect(await reader.simple()).toBe(0);
    expect((await reader.take(5)).toString()).toBe('hello');
    expect(await end(second.child, 'SIGINT')).toBe(0);
  });

  const absentFuse =
    absentTools('nbdfuse', 'fusermount', 'mkfs.ext4', 'fsck.ext4', 'debugfs') ||
    (existsSync('/dev/fuse') ? '' : '(skipped: no /dev/fuse)');
  test.skipIf(absentFuse !== '')(
    `an ext4 made on it outlives a kill of the server: fsck finds nothing ${absentFuse}`,
    async () => {
      using directory = tempDir();
      const path = (name: string): string => join(directory.path, name);
      const words = ['--data-dir', path('plane'), '--socket', path('nbd.sock'), '--quiet'];
      mkdirSync(path('mount'));
      const source = new URL('../../src/front', import.meta.url).pathname;
      const first = await start('--encrypted', '--size', '1G', ...words);
      const image = await mountFuse(first.uri, path('mount'));
      const made = await run('mkfs.ext4', '-q', '-F', '-d', source, image);
      expect([made.code, made.stderr]).toEqual([0, '']);
      expect(await end(first.child, 'SIGKILL')).toBe(null);
      await run('fusermount', '-u', path('mount'));
      const second = await start(...words);
      await mountFuse(second.uri, path('mount'));
      expect(await run('fsck.ext4', '-fn', image)).toMatchObject({ code: 0 });
      mkdirSync(path('back'));
      await run('debugfs', '-R', `rdump / ${path('back')}`, image);
      expect(await run('diff', '-r', join(source, 'nbd'), path('back/nbd'))).toMatchObject({
        code: 0,
        stdout: '',
      });
      await run('fusermount', '-u', path('mount'));
      expect(await end(second.child, 'SIGTERM')).toBe(0);
    },
  );

  test('takes the place of a socket whose server was killed, not of one that lives', async () => {
    using directory = tempDir();
    const words = ['--memory', '--socket', join(directory.path, 'nbd.sock'), '--quiet'];
    const killed = await start(...words);
    expect(await end(killed.child, 'SIGKILL')).toBe(null);
    const lives = await start(...words);
    const third = spawnSync(process.execPath, [MAIN, 'nbd', ...words], { encoding: 'utf8' });
    expect(third.status).not.toBe(0);
    expect(third.stderr).toContain('EADDRINUSE');
    expect(await end(lives.child, 'SIGTERM')).toBe(0);
  });

  test('exports all disks and snapshots of a directory with --all, these read-only', async () => {
    using directory = tempDir();
    const dataDir = join(directory.path, 'plane');
    const first = await openPlane({ dataDir });
    const { DiskId } = await first.call('CreateDisk', { Size: 1, Encrypted: true });
    const { SnapshotId } = await first.call('CreateSnapshot', { DiskId });
    await first.close();
    const socket = join(directory.path, 'nbd.sock');
    const words = ['--all', '--allow-resize', '--data-dir', dataDir, '--socket', socket, '--quiet'];
    const { child, uri } = await start(...words);
    expect(uri).toBe(`nbd+unix:///?socket=${socket}`);
    const disk = new RawClient(socket);
    const snapshot = new RawClient(socket);
    expect([await disk.go(DiskId), await snapshot.go(SnapshotId)]).toEqual([1, 1]);
    const write = requestBytes({ command: 1, length: 3, payload: Buffer.from('new') });
    for (const client of [disk, snapshot]) client.send(write);
    expect([await disk.simple(), await snapshot.simple()]).toEqual([0, 1]);
    disk.send(requestBytes({ command: 8, offset: BigInt(2 ** 31) }));
    expect(await disk.simple()).toBe(0);
    expect(await end(child, 'SIGTERM')).toBe(0);
    await using second = await openPlane({ dataDir });
    await using attached = await second.attach(DiskId);
    expect(attached.size).toBe(2 ** 31);
    expect(Buffer.from(await attached.read(0, 3)).toString()).toBe('new');
  });

  const absent = absentTools('nbdinfo');
  test.skipIf(absent !== '')(`serves a port of the loopback ${absent}`, async () => {
    const { child, uri } = await start('--memory', '--port', '0', '--name', 'mine', '--quiet');
    expect(uri).toMatch(/^nbd:\/\/127\.0\.0\.1:\d+\/mine$/);
    const { stdout } = spawnSync('nbdinfo', ['--size', uri], { encoding: 'utf8' });
    expect(stdout).toBe(`${2 ** 30}\n`);
    expect(await end(child, 'SIGTERM')).toBe(0);
  });

  test('is a target of the load generator, as any NBD server is', async () => {
    using directory = tempDir();
    const socket = join(directory.path, 'nbd.sock');
    const { child, uri } = await start('--memory', '--encrypted', '--socket', socket, '--quiet');
    const job = ['--name=a', '--rw=randwrite', '--bs=8k', '--size=4m', '--iodepth=16'];
    const words = [MAIN, 'load', '--target', uri, ...job, '--verify', '--json'];
    const load = await run(process.execPath, ...words);
    expect(load).toMatchObject({ code: 0, stderr: '' });
    const { jobs } = JSON.parse(load.stdout) as { jobs: { sealdisk: { verify: object } }[] };
    expect(jobs[0]!.sealdisk.verify).toMatchObject({ mismatches: 0 });
    const small = await run(
      process.execPath,
      MAIN,
      'load',
      '--target',
      uri,
      '--name=a',
      '--size=2g',
    );
    expect(small.code).not.toBe(0);
    expect(small.stderr + small.stdout).toContain('the load needs 2147483648');
    expect(await end(child, 'SIGTERM')).toBe(0);
  });

  test.each([
    ['nbd+unix:///x?socket=/nowhere', 'ENOENT'],
    ['nbd://127.0.0.1:1/x', 'ECONNREFUSED'],
    ['nbd+unix:///x', 'expected nbd://HOST'],
  ])('a load on %s says why not', async (uri, text) => {
    const words = ['--name=a', '--rw=read', '--size=1m'];
    const ended = await run(process.execPath, MAIN, 'load', '--target', uri, ...words);
    expect(ended.code).not.toBe(0);
    expect(ended.stderr + ended.stdout).toContain(text);
  });

  test.each([
    ['--memory'],
    ['--port', '1'],
    ['--memory', '--port', '70000'],
    ['--memory', '--port', '0', '--socket', 'x'],
    ['--memory', '--data-dir', 'x', '--port', '0'],
    ['--memory', '--port', '0', '--size', '100M'],
    ['--memory', '--port', '0', '--shards', 'many'],
    ['--memory', '--port', '0', '--engine', 'none'],
    ['--all', '--memory', '--port', '0'],
    ['--all', '--port', '0', '--data-dir', '/nowhere/at/all'],
    ['--all', '--port', '0', '--data-dir', '.', '--name', 'x'],
  ])('%j %j … is a usage error', (...words) => {
    const ended = spawnSync(process.execPath, [MAIN, 'nbd', ...words], { encoding: 'utf8' });
    expect([ended.status, ended.stdout]).toEqual([2, '']);
  });
});
