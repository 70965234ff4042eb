import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type CompareFlags, runCompare } from '../../../src/cli/compare.ts';
import { fio, fioAbsent } from '../load/fio-oracle.ts';
import { terminalDouble } from './doubles.ts';

const directory = mkdtempSync(join(tmpdir(), 'sealdisk-compare-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function compare(files: string[], flags: CompareFlags = {}): { code: number; text: string } {
  const terminal = terminalDouble();
  const code = runCompare(files, flags, terminal);
  return { code, text: terminal.printed.join('') };
}

const direction = (iops: number, p99: number) => ({
  total_ios: 10,
  iops,
  bw_bytes: iops * 4096,
  clat_ns: { mean: 1e9 / iops, percentile: { '50.000000': 100, '99.000000': p99 } },
});
const idle = { total_ios: 0, iops: 0, bw_bytes: 0, clat_ns: { mean: 0 } };
const A = { jobs: [{ jobname: 'a', read: direction(1000, 5000), write: idle, trim: idle }] };
const B = { jobs: [{ jobname: 'a', read: direction(900, 6000) }] };

test('reports are set side by side, with the change against the first', () => {
  const { code, text } = compare([file('a.json', A), file('b.json', B)]);
  expect(code).toBe(0);
  expect(text).toMatch(/a\s+read\s+\S+a\.json\s+1\.00k\s+4\.10\s+1\.00ms/);
  expect(text).toMatch(
    /b\.json\s+900\s+-10\.0%\s+3\.69\s+1\.11ms\s+\+11\.1%\s+100ns\s+6\.00us\s+\+20\.0%/,
  );
  expect(text).toContain('a change may be noise');
});

test('jobs of one name are paired by their order, what one report lacks is a dash', () => {
  const twice = { jobs: [...A.jobs, { jobname: 'a', write: direction(10, 1) }] };
  const { text } = compare([file('t.json', twice), file('b.json', B), file('t2.json', twice)]);
  expect(text).toMatch(/a #2\s+write\s+\S+t\.json\s+10\.0/);
  expect(text).toMatch(/b\.json( +-){8}/);
  const json = compare([file('t.json', twice), file('b.json', B)], { json: true });
  expect(JSON.parse(json.text)).toMatchObject({
    schema: 'sealdisk-compare/1',
    rows: [{ job: 'a', cells: [{ iops: 1000 }, { iops: 900 }] }, { cells: [{ iops: 10 }, null] }],
  });
});

test('a report without percentiles is compared by what it has', () => {
  const bare = { jobs: [{ jobname: 'a', read: { ...direction(5, 5), clat_ns: { mean: 0 } } }] };
  expect(compare([file('a.json', A), file('bare.json', bare)]).code).toBe(0);
});

test('nothing in common is no answer', () => {
  const other = { jobs: [{ jobname: 'z', read: direction(1, 1) }] };
  expect(compare([file('a.json', A), file('o.json', other)]).code).toBe(3);
});

test('what is no report is refused by name', () => {
  const bad = file('bad.json', '{"jobs": 5}');
  const a = file('a.json', A);
  expect(() => compare([a])).toThrow('two reports or more');
  expect(() => compare([a, bad])).toThrow('bad.json: expected a report');
  expect(() => compare([a, file('text', 'hello')])).toThrow('expected a report');
  expect(() => compare([a, join(directory, 'none')])).toThrow('cannot read');
});

test.skipIf(fioAbsent !== '')(`fio's own JSON is read, talk before it and all ${fioAbsent}`, () => {
  const options = ['--name=a', '--ioengine=null', '--size=1m', '--rw=read'];
  const theirs = `note: something\n${fio(...options, '--output-format=json')}`;
  const { code, text } = compare([file('a.json', A), file('fio.json', theirs)]);
  expect(code).toBe(0);
  expect(text).toMatch(/fio\.json\s+\S+[kM]\s+\+/);
});
