/**
 * The server killed by SIGKILL under programs that know what they wrote: fio with its state of what
 * was acknowledged, and the kernel's own file systems over nbdfuse and a loop device.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { end, mountFuse, start } from '../support/nbd-process.ts';
import { absentTools, type Ended, run } from '../support/nbd-server.ts';
import { tempDir } from '../support/temp-dir.ts';

const SOURCE = new URL('../../src', import.meta.url).pathname;

const absentFio = absentTools('fio');
test.skipIf(absentFio !== '')(
  `what fio was answered before a kill is there after it, as its verify state says ${absentFio}`,
  async () => {
    using directory = tempDir();
    const path = (name: string): string => join(directory.path, name);
    const words = ['--data-dir', path('plane'), '--socket', path('s'), '--quiet'];
    const first = await start('--encrypted', ...words);
    const job = [
      '--name=v',
      '--ioengine=nbd',
      `--uri=${first.uri}`,
      '--rw=randwrite',
      '--bsrange=4k-64k',
      '--size=64m',
      '--iodepth=16',
      '--verify=crc32c',
      '--randseed=5',
      '--fsync=16',
      `--aux-path=${directory.path}`,
    ];
    // The pace leaves it something to do when the trigger comes.
    const until = [
      '--rate_iops=400',
      '--trigger-timeout=2',
      `--trigger=kill -9 ${first.child.pid}`,
    ];
    const dead = new Promise((resolve) => first.child.once('exit', resolve));
    const written = await run('fio', ...job, '--do_verify=0', '--verify_state_save=1', ...until);
    await dead;
    expect(first.child.signalCode, written.stdout).toBe('SIGKILL');
    const state = readdirSync(directory.path).find((name) => name.endsWith('verify.state'));
    expect(state, written.stdout + written.stderr).toBeDefined();
    const second = await start(...words);
    const verify = ['--verify_only', '--verify_state_load=1', '--verify_fatal=1'];
    const verified = await run('fio', ...job, ...verify, '--output-format=json');
    const { jobs } = JSON.parse(verified.stdout.slice(verified.stdout.indexOf('{'))) as {
      jobs: { error: number; read: { total_ios: number } }[];
    };
    expect([verified.code, jobs[0]!.error]).toEqual([0, 0]);
    expect(jobs[0]!.read.total_ios).toBeGreaterThan(10);
    expect(await end(second.child, 'SIGTERM')).toBe(0);
  },
);

/** Why there can be no loop device, or empty. */
function absentLoop(): string {
  const tools = absentTools('nbdfuse', 'fusermount', 'losetup', 'mount', 'umount');
  if (tools !== '') return tools;
  if (!existsSync('/dev/fuse')) return '(skipped: no /dev/fuse)';
  try {
    accessSync('/dev/loop-control', constants.W_OK);
  } catch {
    return '(skipped: no /dev/loop-control, or not ours)';
  }
  const { status } = spawnSync('losetup', ['--find']);
  return status === 0 ? '' : '(skipped: no loop device is free)';
}

/** An image as a mounted file system, by a loop device. */
async function mountLoop(
  image: string,
  at: string,
  make: readonly string[] | null,
): Promise<string> {
  const { stdout: device } = succeed(await run('losetup', '--find', '--show', image));
  if (make !== null) succeed(await run(make[0]!, ...make.slice(1), device.trim()));
  succeed(await run('mount', device.trim(), at));
  return device.trim();
}

function succeed(ended: Ended): Ended {
  expect(ended).toMatchObject({ code: 0 });
  return ended;
}

const FILE_SYSTEMS = [
  ['ext4', ['mkfs.ext4', '-q', '-F'], ['fsck.ext4', '-fn']],
  ['xfs', ['mkfs.xfs', '-q', '-f'], ['xfs_repair', '-n']],
] as const;

for (const [kind, make, check] of FILE_SYSTEMS) {
  const absent = absentLoop() || absentTools(make[0], check[0]);
  test.skipIf(absent !== '')(
    `an ${kind} made, filled and killed is replayed, and found clean ${absent}`,
    { timeout: 240_000 },
    async () => {
      using directory = tempDir();
      const path = (name: string): string => join(directory.path, name);
      for (const name of ['fuse', 'mount']) mkdirSync(path(name));
      const words = ['--data-dir', path('plane'), '--socket', path('s'), '--quiet'];
      const unmount = async (device: string): Promise<void> => {
        await run('umount', '-l', path('mount'));
        await run('losetup', '-d', device);
        await run('fusermount', '-u', '-z', path('fuse'));
      };
      const first = await start('--encrypted', ...words);
      const killed = await mountLoop(await mountFuse(first.uri, path('fuse')), path('mount'), make);
      try {
        succeed(await run('cp', '-r', SOURCE, path('mount/synced')));
        succeed(await run('sync', '-f', path('mount')));
        // Not waited for: as much of it as there is when the server is gone.
        const more = run('cp', '-r', SOURCE, path('mount/unsynced'));
        expect(await end(first.child, 'SIGKILL')).toBe(null);
        await more;
      } finally {
        await unmount(killed);
      }
      const second = await start(...words);
      const image = await mountFuse(second.uri, path('fuse'));
      // Mounting replays the journal.
      const device = await mountLoop(image, path('mount'), null);
      try {
        const same = await run('diff', '-r', SOURCE, path('mount/synced'));
        expect(same).toMatchObject({ code: 0, stdout: '' });
        succeed(await run('umount', path('mount')));
        succeed(await run(check[0], ...check.slice(1), device));
      } finally {
        await unmount(device);
      }
      expect(await end(second.child, 'SIGTERM')).toBe(0);
    },
  );
}
