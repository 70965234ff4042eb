import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runLoad } from '../../../src/cli/load.ts';
import type { LoadFlags } from '../../../src/cli/load-flags.ts';
import type { OpenPlane } from '../../../src/cli/load-targets.ts';
import type { OptionLine } from '../../../src/load/job-lines.ts';
import type { PlaneOptions } from '../../../src/types.ts';
import { planeDouble } from '../load/doubles.ts';
import { type TerminalDouble, terminalDouble } from './doubles.ts';

const directory = mkdtempSync(join(tmpdir(), 'sealdisk-load-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

interface Ran {
  readonly code: number;
  readonly terminal: TerminalDouble;
  readonly document: () => {
    jobs: { jobname: string; write: { total_ios: number }; sealdisk: Record<string, unknown> }[];
    sealdisk: { environment: Record<string, unknown>; notes: string[]; comparison: unknown };
  };
}

async function load(
  flags: LoadFlags,
  options: {
    jobFiles?: string[];
    job?: string[];
    openPlane?: OpenPlane;
    stopAfterMs?: number;
  } = {},
): Promise<Ran> {
  const terminal = terminalDouble();
  const jobOptions = (options.job ?? []).map((written): OptionLine => {
    const [name = '', value = null] = written.split('=');
    return { name, value, line: 0 };
  });
  const code = await runLoad({
    flags,
    jobFiles: options.jobFiles ?? [],
    jobOptions,
    openPlane: options.openPlane ?? (() => Promise.reject(new Error('no plane was wanted'))),
    terminal,
    environment: { SIZE: '64k' },
    onStart: (stop) => {
      if (options.stopAfterMs !== undefined) setTimeout(stop, options.stopAfterMs);
    },
  });
  return { code, terminal, document: () => JSON.parse(terminal.printed.join('')) };
}

/** A plane double, and what it was opened with. */
function recordingPlane(): { opened: PlaneOptions[]; open: OpenPlane; closed: number } {
  const record = {
    opened: [] as PlaneOptions[],
    closed: 0,
    open: async (options: PlaneOptions) => {
      record.opened.push(options);
      const close = async (): Promise<void> => {
        record.closed += 1;
      };
      return { ...planeDouble().plane, close };
    },
  };
  return record;
}

const SMALL = '[a]\nrw=write\nbs=4k\nsize=64k\n';

test('a job file runs on the library, encrypted, and the plane is closed', async () => {
  const plane = recordingPlane();
  const ran = await load(
    { json: true },
    { jobFiles: [file('a.fio', SMALL)], openPlane: plane.open },
  );
  expect(ran.code).toBe(0);
  expect(ran.document().jobs[0]).toMatchObject({
    jobname: 'a',
    write: { total_ios: 16 },
    sealdisk: { target: 'encrypted' },
  });
  expect(ran.document().sealdisk.environment).toMatchObject({ engine: 'double', shards: 1 });
  expect([plane.opened, plane.closed]).toEqual([[{ memory: true }], 1]);
});

test('flags reach the plane', async () => {
  const plane = recordingPlane();
  const flags = { dataDir: '/d', shards: '3', engine: 'node-crypto', encrypt: 'off', json: true };
  const ran = await load(flags, { jobFiles: [file('a.fio', SMALL)], openPlane: plane.open });
  expect(plane.opened).toEqual([{ dataDir: '/d', shards: 3, engine: 'node-crypto' }]);
  expect(ran.document().jobs[0]!.sealdisk.target).toBe('plain');
});

test("the job's engine chooses the target, the flag wins over it", async () => {
  const jobFiles = [
    file('e.fio', '[global]\nsize=64k\nrw=write\n[a]\nioengine=null\n[b]\nioengine=memory'),
  ];
  const targets = (ran: Ran): unknown[] =>
    ran.document().jobs.map(({ sealdisk }) => sealdisk.target);
  expect(targets(await load({ json: true }, { jobFiles }))).toEqual(['null', 'memory']);
  expect(targets(await load({ json: true, target: 'null' }, { jobFiles }))).toEqual([
    'null',
    'null',
  ]);
});

test('job options win over the file, and make jobs without one', async () => {
  const jobFiles = [file('a.fio', SMALL)];
  const over = await load({ json: true, target: 'null' }, { jobFiles, job: ['bs=8k'] });
  expect(over.document().jobs[0]!.write.total_ios).toBe(8);
  const alone = await load(
    { json: true, target: 'null' },
    { job: ['name=x', 'rw=write', 'size=64k'] },
  );
  expect(alone.document().jobs.map(({ jobname }) => jobname)).toEqual(['x']);
});

test('--depth and --verify are iodepth and verify=crc32c of every job', async () => {
  const jobFiles = [file('a.fio', SMALL)];
  const ran = await load({ json: true, target: 'memory', depth: '4', verify: true }, { jobFiles });
  expect(ran.document().jobs[0]!.sealdisk).toMatchObject({
    iodepth: 4,
    verify: { checked_units: 128, mismatches: 0 },
  });
});

test('environment variables and notes go through', async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the job file's own syntax
  const text = '[a]\nioengine=libaio\nsize=${SIZE}\nrw=write\nlog_prio=5';
  const ran = await load({ json: true, target: 'null' }, { jobFiles: [file('n.fio', text)] });
  const notes = [
    'ioengine=libaio: runs on the library',
    'log_prio is not honoured: the job runs without it (requests have no priority)',
  ];
  expect(ran.document().sealdisk.notes).toEqual(notes);
  expect(ran.terminal.said).toEqual(notes.map((note) => `note: ${note}`));
});

test('for people there is a table', async () => {
  const ran = await load({ target: 'null' }, { jobFiles: [file('a.fio', SMALL)] });
  expect(ran.terminal.printed.join('')).toMatch(/^job +target +op .*\na +null +write /);
});

test('null cannot be verified, which is noted', async () => {
  const ran = await load({ target: 'null', verify: true }, { jobFiles: [file('a.fio', SMALL)] });
  expect([ran.code, ran.terminal.said]).toEqual([
    0,
    ['note: target null keeps no bytes to verify'],
  ]);
});

test('a wrong read fails the run', async () => {
  const double = planeDouble();
  double.corrupt = (bytes) => void bytes.fill(1, 7, 8);
  const options = { jobFiles: [file('a.fio', SMALL)], openPlane: async () => double.plane };
  const ran = await load({ verify: true }, options);
  expect(ran.code).toBe(1);
  expect(ran.terminal.printed.join('')).toContain('VerifyMismatch');
});

test('a trace runs, verified', async () => {
  const trace = file('t.csv', '1,W,0,4096,1\n1,R,0,4096,2\n');
  const ran = await load({ json: true, trace, target: 'memory', verify: true });
  expect(ran.code).toBe(0);
  expect(ran.document().jobs[0]).toMatchObject({
    jobname: 't.csv',
    write: { total_ios: 1 },
    sealdisk: {
      disks: ['1 devices'],
      iodepth: 32,
      verify: { checked_units: 8 },
      response_ns: null,
    },
  });
});

test('a trace at a speed has response times, and takes limits as job options', async () => {
  const trace = file('t.csv', '1,W,0,4096,1\n1,R,0,4096,2\n');
  const flags = { json: true, trace, target: 'null', speed: '2.5', depth: '3', verify: true };
  const ran = await load(flags, { job: ['number_ios=1', 'runtime=10'] });
  expect(ran.document().jobs[0]!.sealdisk).toMatchObject({
    iodepth: 3,
    response_ns: { N: 1 },
    verify: null,
  });
  await expect(load({ trace, target: 'null' }, { job: ['bs=4k'] })).rejects.toThrow(
    '--bs means nothing to a trace',
  );
});

test('without arguments the canonical comparison runs', async () => {
  const double = planeDouble();
  const job = ['runtime=5ms', 'size=128k', 'iodepth=2'];
  const ran = await load({ json: true }, { job, openPlane: async () => double.plane });
  expect(ran.code).toBe(0);
  const document = ran.document();
  const names = ['randwrite-4k', 'randread-4k', 'write-128k', 'read-128k'];
  expect(document.sealdisk.comparison).toMatchObject(names.map((workload) => ({ workload })));
  const jobs = document.jobs.map(({ jobname }) => jobname);
  for (const name of names)
    expect(jobs).toEqual(expect.arrayContaining([`${name}/encrypted`, `${name}/plain`]));
});

test('a target alone runs the canonical jobs on it, without comparing', async () => {
  const ran = await load({ json: true, target: 'null' }, { job: ['runtime=5ms'] });
  expect(ran.document().sealdisk.comparison).toBeNull();
  expect(ran.document().jobs).toHaveLength(4);
});

test('stopped, it prints what it has and ends with 130', async () => {
  const jobFiles = [file('long.fio', '[a]\nrw=read\nsize=1m\nruntime=60\ntime_based')];
  const ran = await load({ json: true, target: 'null' }, { jobFiles, stopAfterMs: 50 });
  expect(ran.code).toBe(130);
  expect(ran.document().sealdisk).toMatchObject({ partial: true });
});

test('the schema is printed on request, and nothing is run', async () => {
  const ran = await load({ jsonSchema: true });
  expect(ran.code).toBe(0);
  expect(JSON.parse(ran.terminal.printed.join(''))).toHaveProperty('$schema');
});

test.each<[LoadFlags, string[], string]>([
  [{}, ['a', 'b'], 'expected one job file, got a b'],
  [{ trace: 't' }, ['a'], 'expected a job file or --trace, got both'],
  [
    { target: 'nul' },
    [],
    "--target: expected one of sealdisk, memory, null, naive, file:PATH, got 'nul'",
  ],
  [{ encrypt: 'yes' }, [], "--encrypt: expected one of on, off, both, got 'yes'"],
  [{ engine: 'aes' }, [], '--engine: expected one of auto'],
  [{ shards: '0' }, [], "--shards: expected a whole number above 0, got '0'"],
  [{ depth: 'deep' }, [], "--depth: expected a whole number above 0, got 'deep'"],
  [{ speed: 'fast' }, [], "--speed: expected max or a factor above 0, got 'fast'"],
  [{ speed: '0' }, [], '--speed'],
  [{ dataDir: 'd', memory: true }, [], 'expected --data-dir or --memory, got both'],
  [{ target: 'null' }, ['/no/such/file.fio'], 'cannot read /no/such/file.fio: ENOENT'],
])('%j %j is a usage error', async (flags, jobFiles, message) => {
  await expect(load(flags, { jobFiles })).rejects.toThrow(message);
  await expect(load(flags, { jobFiles })).rejects.toMatchObject({ name: 'UsageError' });
});

test('a plane that cannot be opened is thrown once all else is closed', async () => {
  const jobFiles = [file('a.fio', SMALL)];
  await expect(load({}, { jobFiles })).rejects.toThrow('no plane was wanted');
});

test('--encrypt both runs the job on both in turns, and says what encryption costs', async () => {
  const plane = recordingPlane();
  const jobFiles = [file('both.fio', `${SMALL}verify=crc32c\nruntime=200ms\n`)];
  const ran = await load({ encrypt: 'both', json: true }, { jobFiles, openPlane: plane.open });
  expect(ran.code).toBe(0);
  const { jobs, sealdisk } = ran.document();
  expect(jobs.map(({ jobname }) => jobname)).toEqual(['a/encrypted', 'a/plain']);
  // Six turns of each; a busy machine may leave one without a request.
  const { pairs } = (sealdisk as unknown as { overhead: { pairs: number } }).overhead;
  expect([4, 5, 6]).toContain(pairs);
  expect(sealdisk.notes).toContain('--encrypt both: nothing is read back');
  expect(plane.closed).toBe(1);
  const refused = load({ encrypt: 'both', target: 'null' }, { jobFiles });
  await expect(refused).rejects.toThrow('--encrypt both is for jobs on disks of the library');
});

test('--target file:PATH writes a file, a filled one only with --overwrite', async () => {
  const path = join(directory, 'disk.img');
  const jobFiles = [file('file.fio', `${SMALL}verify=md5\n`)];
  const target = `file:${path}`;
  const ran = await load({ target, json: true }, { jobFiles });
  expect(ran.code).toBe(0);
  expect(ran.document().jobs[0]!.sealdisk).toMatchObject({ target, verify: { mismatches: 0 } });
  await expect(load({ target }, { jobFiles })).rejects.toThrow('--overwrite allows');
  expect((await load({ target, overwrite: true }, { jobFiles })).code).toBe(0);
  await expect(load({ target: 'file:' }, { jobFiles })).rejects.toThrow('file:PATH');
});

test('--output-format prints in the formats of fio', async () => {
  const jobFiles = [file('format.fio', SMALL)];
  const print = async (outputFormat: string): Promise<string> => {
    const ran = await load({ target: 'memory', outputFormat }, { jobFiles });
    return ran.terminal.printed.join('');
  };
  expect(await print('normal')).toMatch(/^a: \(groupid=0, jobs=1\): err= 0: pid=/);
  expect(await print('terse')).toMatch(/^3;sealdisk-/);
  expect(await print('json')).not.toContain('"bins"');
  expect(await print('json+')).toContain('"bins"');
  expect(await print('table')).toMatch(/^job +target/);
  await expect(print('xml')).rejects.toThrow('--output-format: expected one of table, normal');
});
