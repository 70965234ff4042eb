/**
 * No core dump holds a key, and no debugger is let in: of the process as it is, not of a promise.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { holdsAny } from '../support/leak-search.ts';
import { learnKey, Subject } from '../support/subject.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

const ENGINE = 'openssl-ffi';

function coreObstacle(): string {
  const pattern = '/proc/sys/kernel/core_pattern';
  if (!existsSync(pattern)) return '(skipped: not Linux)';
  const text = readFileSync(pattern, 'utf8').trim();
  return /^core/.test(text) ? '' : `(skipped: core dumps go to ${text})`;
}

/** A process whose launcher allows core dumps of any size, in a directory of its own. */
function startAt(dir: TempDir, allowDebugging: boolean): Subject {
  const wrapper = ['sh', '-c', 'ulimit -c unlimited && exec "$@"', 'sh'];
  const workingDirectory = dir.path;
  return new Subject(join(dir.path, 'plane'), ENGINE, {
    wrapper,
    workingDirectory,
    allowDebugging,
  });
}

async function coreOf(dir: TempDir, allowDebugging: boolean, last: (subject: Subject) => unknown) {
  const subject = startAt(dir, allowDebugging);
  expect(await subject.next()).toBe('ready');
  const diskId = await subject.ask('create');
  const needles = await learnKey(join(dir.path, 'plane'), diskId);
  await subject.ask(`attach ${diskId}`);
  await subject.ask('load 5');
  const status = readFileSync(`/proc/${subject.child.pid}/limits`, 'utf8');
  const filter = readFileSync(`/proc/${subject.child.pid}/coredump_filter`, 'utf8');
  await last(subject);
  await subject.exited;
  const cores = readdirSync(dir.path).filter((name) => name.startsWith('core'));
  const limit = /Max core file size\s+(\S+)/.exec(status)?.[1];
  return { cores: cores.map((name) => join(dir.path, name)), needles, limit, filter };
}

const obstacle = coreObstacle();

describe.skipIf(obstacle !== '')(`a core dump ${obstacle}`, () => {
  it.each([
    ['abort()', (subject: Subject) => subject.ask('abort')],
    ['SIGSEGV', (subject: Subject) => subject.child.kill('SIGSEGV')],
  ])('is not made of a process with a plane, whatever its launcher allows: %s', async (_, end) => {
    using dir = tempDir();
    const { cores, limit, filter } = await coreOf(dir, false, end);
    expect({ cores, limit, filter: Number.parseInt(filter, 16) }).toEqual({
      cores: [],
      limit: '0',
      filter: 0,
    });
  });

  it('holds the key where debugging is allowed: the test above could fail', async () => {
    using dir = tempDir();
    const { cores, needles } = await coreOf(dir, true, (subject) => subject.ask('abort'));
    expect(cores).toHaveLength(1);
    expect(holdsAny(cores[0] ?? '', needles)).toBe(true);
  });
});

async function wait(until: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let round = 0; round < 600; round++) {
    if (await until()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

describe('a debugger', () => {
  it('is not let in by SIGUSR1 while a plane is open, and the process says so', async () => {
    using dir = tempDir();
    const subject = new Subject(dir.path, ENGINE);
    try {
      expect(await subject.next()).toBe('ready');
      subject.child.kill('SIGUSR1');
      expect(await wait(() => subject.output.includes('SIGUSR1 opens no inspector'))).toBe(true);
      expect(subject.output).not.toContain('Debugger listening');
      expect(await subject.ask('create')).toMatch(/^d-/);
    } finally {
      subject.child.kill('SIGKILL');
    }
  });

  it('is let in by SIGUSR1 where debugging is allowed: the test above could fail', async () => {
    using dir = tempDir();
    const nodeFlags = ['--inspect-port=0'];
    const subject = new Subject(dir.path, ENGINE, { allowDebugging: true, nodeFlags });
    try {
      expect(await subject.next()).toBe('ready');
      subject.child.kill('SIGUSR1');
      expect(await wait(() => subject.output.includes('Debugger listening'))).toBe(true);
    } finally {
      subject.child.kill('SIGKILL');
    }
  });

  it.each([
    ['a flag', { nodeFlags: ['--inspect=127.0.0.1:0'] }],
    ['NODE_OPTIONS', { nodeOptions: '--inspect=127.0.0.1:0' }],
  ])('that %s asks for keeps a plane from opening', async (_, options) => {
    using dir = tempDir();
    const subject = new Subject(dir.path, ENGINE, options);
    expect(await subject.exited).not.toBe(0);
    expect(subject.output).toContain('DebuggerOpen: expected no debugger');
    expect(subject.output).toContain('allowDebugging: true');
    expect(readdirSync(dir.path)).toEqual([]);
  });

  it('keeps the command line from opening a plane, which has no option against it', () => {
    const main = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;
    const flags = ['--inspect=127.0.0.1:0', main, 'demo'];
    const { status, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' });
    expect(stderr).toContain('DebuggerOpen: expected no debugger');
    expect(status).toBe(3);
  });

  it('that is opened later keeps disks from being attached, and nothing else', async () => {
    using dir = tempDir();
    const subject = new Subject(dir.path, ENGINE);
    try {
      expect(await subject.next()).toBe('ready');
      const diskId = await subject.ask('create');
      expect(await subject.ask('inspector')).toMatch(/^ws:/);
      expect(await subject.ask(`refusedAttach ${diskId}`)).toBe('DebuggerOpen');
      expect(await subject.ask('create')).toMatch(/^d-/);
    } finally {
      subject.child.kill('SIGKILL');
    }
  });
});
