/** The gate as a user has it: commands, revisions of a repository, baselines, signals. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, test } from 'vitest';

const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'sealdisk-gate-test-'));
afterAll(() => rmSync(directory, { recursive: true }));
const inDirectory = (name: string): string => join(directory, name);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function gate(words: readonly string[], cwd = directory): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'gate', ...words], {
    cwd,
    encoding: 'utf8',
    timeout: 100_000,
    env: { ...process.env, TMPDIR: directory },
  });
  return { code: status, stdout, stderr };
}

const ab = (a: string, b: string, ...words: string[]): Ended =>
  gate(['ab', '--a', a, '--b', b, '--seconds', '1', '--metric', '-', ...words]);

describe('gate ab', () => {
  test('of two commands: the same is no regression, less is one, more is an improvement', () => {
    expect(ab('echo 100', 'echo 100')).toMatchObject({ code: 0 });
    expect(ab('echo 100', 'echo 90')).toMatchObject({ code: 1 });
    expect(ab('echo 100', 'echo 90', '--smaller-is-better')).toMatchObject({ code: 0 });
    const tolerated = ab('echo 100', 'echo 90', '--tolerance', '20%');
    expect(tolerated.code).toBe(0);
    expect(tolerated.stdout).toMatch(/\nno regression\n$/);
  });

  test('writes every form that was asked for', () => {
    const files = ['junit', 'bmf', 'benchmark-action'].map((name) => [
      `--${name}`,
      inDirectory(name),
    ]);
    const words = ['--json', '--github', '--seed', '5', ...files.flat()];
    const { code, stdout, stderr } = ab('echo 100', 'echo 90', ...words);
    expect(code).toBe(1);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report).toMatchObject({ schema: 'sealdisk-gate/1', verdict: 'regression', seed: 5 });
    expect(stderr).toContain('::error title=number%3A regression::');
    expect(readFileSync(inDirectory('junit'), 'utf8')).toContain('<failure type="regression"');
    expect(JSON.parse(readFileSync(inDirectory('bmf'), 'utf8'))).toMatchObject({
      number: { value: { value: 90 } },
    });
    expect(JSON.parse(readFileSync(inDirectory('benchmark-action'), 'utf8'))).toMatchObject([
      { name: 'number', value: 90 },
    ]);
  });

  test.each([
    [['--a', 'echo 1', '--b', 'echo no', '--metric', '-'], 'expected number above 0, got NaN'],
    [['--a', 'echo 1', '--b', 'echo bad >&2; exit 3', '--metric', '-'], 'got 3\nbad'],
    [['--a', '/nowhere/x', '--b', 'true', '--metric', '-'], 'expected exit code 0, got 127'],
    [['--a', 'echo 1', '--b', 'echo 1'], 'expected a report of sealdisk load --json'],
    [['--a', 'x', '--b', 'y', '--seconds', '0'], '--seconds: expected 1 or more'],
    [['--a', 'x', '--b', 'y', '--seed', 'z'], '--seed: expected a whole number'],
    [['--a', 'x', '--b', 'y', '--tolerance', '90%'], '--tolerance: expected percent'],
    [['--a', 'x', '--b', 'y', '--metrics', 'iops,q'], "got 'q'"],
    [['--a', 'x', '--b', 'y', '--metrics', 'iops', '--metric', '-'], 'got both'],
    [['--a', 'x', '--b', 'y', '--metrics', 'iops,p50', '--benchmark-action', 'f'], 'or none'],
  ])('%j ends with 2', (words, message) => {
    const { code, stdout, stderr } = gate(['ab', ...words]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  test('of two sets of options loads this sealdisk', () => {
    const job = inDirectory('tiny.fio');
    writeFileSync(job, '[w]\nrw=randwrite\nsize=64k\nio_size=128k\n');
    const { stdout } = gate([
      ...['ab', '--a', '--target null', '--b', '--target memory', '--job', job],
      ...['--seconds', '1', '--json'],
    ]);
    const { a, rows, tookSeconds } = JSON.parse(stdout);
    expect(a).toBe('options --target null');
    expect(rows.map(({ name }: { name: string }) => name)).toEqual(['w iops', 'w cpu']);
    // They stay: 32 turns of each in a round.
    expect(rows[0].turns.a).toHaveLength(32 * rows[0].rounds);
    expect(tookSeconds).toBeGreaterThan(1);
  });

  test('of two revisions builds both beside the repository, and leaves nothing behind', () => {
    const repository = mkdtempSync(join(directory, 'repository-'));
    const git = (...words: string[]): string =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], {
        cwd: repository,
        encoding: 'utf8',
      });
    git('init', '--quiet');
    for (const speed of [100, 50]) {
      writeFileSync(join(repository, 'speed'), `${speed}\n`);
      git('add', 'speed');
      git('commit', '--quiet', '-m', `${speed}`);
    }
    const words = ['--build', 'cp speed built', '--run', 'cat built', '--metric', '-'];
    const before = readdirSync(directory);
    const { code, stdout, stderr } = gate(
      ['ab', '--a', 'HEAD~1', '--b', 'HEAD', '--seconds', '1', ...words],
      repository,
    );
    expect(code, stderr).toBe(1);
    expect(stdout).toMatch(/^A {2}HEAD~1, commit [0-9a-f]{12}\nB {2}HEAD, commit [0-9a-f]{12}\n/);
    expect(stderr).toContain('building HEAD~1 (');
    expect(readdirSync(directory)).toEqual(before);
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
    const broken = gate(
      ['ab', '--a', 'HEAD~1', '--b', 'HEAD', '--build', 'echo broken >&2; exit 1'],
      repository,
    );
    expect(broken.code).toBe(2);
    expect(broken.stderr).toContain('broken');
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
  });

  test('interrupted it ends with 130, and so does what it started', async () => {
    const mark = inDirectory('alive');
    const slow = `echo $$ > ${mark}; sleep 60 & wait`;
    const words = [MAIN, 'gate', 'ab', '--a', slow, '--b', slow, '--metric', '-'];
    const child = spawn(process.execPath, words, { cwd: directory, stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    while (!existsSync(mark) || readFileSync(mark, 'utf8') === '') {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const group = Number(readFileSync(mark, 'utf8'));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    await expect.poll(() => isThere(group), { timeout: 20_000 }).toBe(false);
  });
});

/** A process of the group lives, and is no zombie nobody has waited for. */
function isThere(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a load in turns', () => {
  test('is idle while it waits, and ends with its input', async () => {
    const job = inDirectory('busy.fio');
    writeFileSync(job, '[w]\nrw=write\nbs=64k\nsize=4m\niodepth=8\n');
    const words = [MAIN, 'load', job, '--in-turns', '20'];
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => JSON.parse((await lines.next()).value);
    expect(await next()).toEqual({ schema: 'sealdisk-load-turns/1' });
    for (let turn = 0; turn < 20; turn++) {
      child.stdin.write('\n');
      const { jobs } = (await next()) as { jobs: { name: string; requests: number }[] };
      expect(jobs).toMatchObject([{ name: 'w', requests: expect.any(Number) }]);
      expect(jobs[0]!.requests).toBeGreaterThan(0);
    }
    if (process.platform === 'linux') {
      // What was to be compiled or collected is, after a while.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const before = processorSeconds(child.pid!);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      // It polls nothing: a thread that did would take a whole second.
      expect(processorSeconds(child.pid!) - before).toBeLessThan(0.25);
    }
    child.stdin.end();
    expect(await ended).toBe(0);
  });

  test.each([
    [['--trace', 'x'], '--in-turns is for jobs on this thread'],
    [['--workers', '2'], '--in-turns is for jobs on this thread'],
    [['--html', 'x'], '--in-turns is for jobs on this thread'],
    [['--encrypt', 'both'], '--in-turns is for jobs on this thread'],
  ])('is refused with %j', (words, message) => {
    const load = [MAIN, 'load', '--in-turns', '20', ...words];
    const { status, stderr } = spawnSync(process.execPath, load, { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });

  test('takes whole milliseconds only', () => {
    const load = [MAIN, 'load', '--in-turns', '0'];
    const { status, stderr } = spawnSync(process.execPath, load, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, expect.stringContaining('--in-turns: expected a whole')]);
  });
});

/** Of all threads, user and system. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

describe('gate record and check', () => {
  const job = inDirectory('null.fio');
  const baseline = inDirectory('baseline.json');
  const FEW = ['--seconds', '1', '--turns', '4'];
  const changeBaseline = (change: (text: string) => string): void =>
    writeFileSync(baseline, change(readFileSync(baseline, 'utf8')));

  test('a baseline is recorded, checked, and refused where it does not belong', () => {
    writeFileSync(job, '[w]\nrw=randwrite\nioengine=null\nsize=64k\nio_size=256k\n');
    const recorded = gate(['record', job, '--out', baseline, ...FEW]);
    expect(recorded.code, recorded.stderr).toBe(0);
    expect(recorded.stdout).toMatch(/^w iops: \d+ turns; A\/A would have seen /);
    const document = JSON.parse(readFileSync(baseline, 'utf8'));
    expect(document.schema).toBe('sealdisk-gate-baseline/1');
    expect(document.environment).toMatchObject({ node: process.versions.node });
    expect(document.jobs[0].metrics[0].turns.length).toBe(document.jobs[0].calibration.length);

    // Whatever the machine does meanwhile: a verdict, and the exit code that goes with it.
    const checked = gate(['check', '--baseline', baseline, ...FEW, '--json']);
    const report = JSON.parse(checked.stdout) as { verdict: string; exitCode: number };
    expect(checked.code).toBe(report.exitCode);

    changeBaseline((text) => text.replace(/"cores": \d+/, '"cores": 4096'));
    const elsewhere = gate(['check', '--baseline', baseline, ...FEW]);
    expect([elsewhere.code, elsewhere.stdout]).toEqual([3, '']);
    expect(elsewhere.stderr).toContain('cores: recorded with 4096, here ');
    expect(elsewhere.stderr).toContain('the baseline is of another environment');

    writeFileSync(job, '[w]\nrw=randread\nioengine=null\nsize=64k\nio_size=256k\n');
    changeBaseline((text) =>
      text.replace(/"cores": 4096/, `"cores": ${document.environment.cores}`),
    );
    const other = gate(['check', '--baseline', baseline, ...FEW]);
    expect([other.code, other.stdout]).toEqual([2, '']);
    expect(other.stderr).toContain('expected the job as it was recorded');
  });

  test('files that are none are refused', () => {
    expect(gate(['check', '--baseline', 'nothing.json'])).toMatchObject({ code: 2 });
    writeFileSync(inDirectory('empty.json'), '{}');
    const { code, stderr } = gate(['check', '--baseline', 'empty.json']);
    expect(code).toBe(2);
    expect(stderr).toContain('expected sealdisk-gate-baseline/1, got undefined');
    expect(gate(['record', 'nothing.fio', '--out', 'x'])).toMatchObject({ code: 2 });
  });
});
