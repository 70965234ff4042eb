/** The command line as a user has it: child processes of what was built. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';

const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'sealdisk-cli-'));
afterAll(() => rmSync(directory, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function sealdisk(...words: string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], {
    encoding: 'utf8',
    timeout: 110_000,
  });
  return { code: status, stdout, stderr };
}

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

const NULL_JOB = ['--target', 'null', '--name=a', '--rw=randwrite', '--size=1m', '--iodepth=8'];

test('the build is there', () => {
  expect(existsSync(MAIN), 'run npm run build first').toBe(true);
});

describe('talk', () => {
  test("--version is the package's, on stdout", () => {
    const { code, stdout, stderr } = sealdisk('--version');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([[['--help']], [['load', '--help']]])(
    '%j has examples first and exit codes last',
    (words) => {
      const { code, stdout } = sealdisk(...words);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Examples:\n {2}sealdisk load /);
      expect(stdout).toContain('130 interrupted');
    },
  );

  test('no command is a usage error with the help on stderr', () => {
    const { code, stdout, stderr } = sealdisk();
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: sealdisk');
  });

  test('unknown commands and options end with 2 and a suggestion', () => {
    expect(sealdisk('laod')).toMatchObject({ code: 2, stdout: '' });
    expect(sealdisk('laod').stderr).toContain('Did you mean load?');
    expect(sealdisk('load', '--iodept=4')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: "sealdisk: unknown option '--iodept' (did you mean iodepth?)\n",
    });
    expect(sealdisk('load', '--target').code).toBe(2);
    expect(sealdisk('doctor', '--nope').code).toBe(2);
  });

  test('a job file that cannot be read as written ends with 2 and its place', () => {
    const name = file('bad.fio', '[a]\nrww=read\n');
    const { code, stdout, stderr } = sealdisk('load', name);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      `sealdisk: JobFileInvalid: ${name}:2: unknown option 'rww' (did you mean rw?)\n`,
    );
  });
});

describe('load', () => {
  test('--json is one valid document on stdout, and nothing else', () => {
    const { code, stdout, stderr } = sealdisk('load', ...NULL_JOB, '--json');
    expect([code, stderr]).toEqual([0, '']);
    const schema = JSON.parse(sealdisk('load', '--json-schema').stdout) as object;
    const validate = new Ajv2020().compile(schema);
    expect(validate(JSON.parse(stdout)), JSON.stringify(validate.errors)).toBe(true);
  });

  test('a job file from stdin runs', () => {
    const input = '[a]\nioengine=memory\nrw=randrw\nsize=1m\nverify=crc32c\n';
    const { status, stdout } = spawnSync(process.execPath, [MAIN, 'load', '-'], {
      input,
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/a: verified \d+ units of 512 bytes: 0 mismatches/);
  });

  test('notes go to stderr, unless --quiet', () => {
    const words = ['load', ...NULL_JOB, '--ioengine=libaio'];
    expect(sealdisk(...words).stderr).toBe('note: ioengine=libaio: runs on the library\n');
    expect(sealdisk(...words, '--quiet').stderr).toBe('');
  });

  test('a trace is replayed and verified', () => {
    const trace = file('t.csv', '1,W,0,8192,1\n1,R,512,4096,2\n2,R,0,512,3\n');
    const { code, stdout } = sealdisk('load', '--trace', trace, '--verify', '--target', 'memory');
    expect(code).toBe(0);
    expect(stdout).toContain('t.csv: verified 9 units of 512 bytes: 0 mismatches');
  });

  test('a bad line of a trace ends with 2 and its place', () => {
    const trace = file('bad.csv', '1,W,0,8192,1\n1,W,0\n');
    const { code, stderr } = sealdisk('load', '--trace', trace, '--target', 'memory');
    expect(code).toBe(2);
    expect(stderr).toContain(`TraceInvalid: ${trace}:2: expected 5 fields`);
  });

  const real = new URL('../../../shared/traces/cloudphysics.csv', import.meta.url).pathname;
  const absent = existsSync(real) ? '' : '(skipped: ../shared/traces is not here)';
  const onFiles = 'a real trace of 113,872 requests is right, on an encrypted disk on files';
  test.skipIf(absent !== '')(`${onFiles} ${absent}`, () => {
    const place = ['--encrypt', 'on', '--data-dir', join(directory, 'trace')];
    const { code, stdout } = sealdisk('load', '--trace', real, '--verify', ...place, '--json');
    rmSync(join(directory, 'trace'), { recursive: true });
    const document = JSON.parse(stdout) as {
      jobs: [{ read: Record<string, number>; write: Record<string, number>; sealdisk: object }];
    };
    const [{ read, write, sealdisk: ours }] = document.jobs;
    expect([code, read.total_ios, write.total_ios]).toEqual([0, 46_974, 66_898]);
    expect(read.io_bytes! + write.io_bytes!).toBe(4_205_978_112);
    expect(ours).toMatchObject({
      error: null,
      verify: { mismatches: 0, checked_units: 3_510_571 },
    });
  });

  test('SIGINT prints what there is, marked partial, and ends with 130', async () => {
    const words = [
      'load',
      '--target',
      'null',
      '--name=a',
      '--rw=read',
      '--size=1m',
      '--runtime=60',
      '--time_based',
      '--ioengine=libaio',
      '--json',
    ];
    const child = spawn(process.execPath, [MAIN, ...words]);
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    // The note says that the run is about to begin.
    child.stderr.once('data', () => setTimeout(() => child.kill('SIGINT'), 300));
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect(code).toBe(130);
    const document = JSON.parse(stdout) as {
      sealdisk: { partial: boolean };
      jobs: { read: { total_ios: number } }[];
    };
    expect(document.sealdisk.partial).toBe(true);
    expect(document.jobs[0]!.read.total_ios).toBeGreaterThan(0);
  });

  test('a reader that goes away ends it quietly', async () => {
    const jobs = Array.from({ length: 300 }, (_, at) => `[job-${at}]\n`).join('');
    const name = file('many.fio', `[global]\nioengine=null\nrw=write\nsize=4k\n${jobs}`);
    const child = spawn(process.execPath, [MAIN, 'load', name, '--json']);
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('explain', () => {
  test('prints the 152 cells as JSON, and one case in words', () => {
    const table = sealdisk('explain', '--table', '--json');
    expect([table.code, table.stderr]).toEqual([0, '']);
    expect(JSON.parse(table.stdout)).toHaveLength(152);
    const words = '--resource disk --action create --source plain --encrypt true --default --key';
    const one = sealdisk('explain', ...words.split(' '));
    expect([one.code, one.stderr]).toEqual([0, '']);
    expect(one.stdout).toContain('\nencrypted by the specified key\n');
  });

  test('asked for what there is not ends with 2', () => {
    const { code, stdout, stderr } = sealdisk('explain', '--resource', 'floppy');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('--resource is one of disk, snapshot, image');
    expect(sealdisk('explain', '--resource', 'snapshot', '--source', 'empty').code).toBe(2);
  });
});
