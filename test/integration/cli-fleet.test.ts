/** `sealdisk fleet` as a user has it: a child process, threads, files. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'sealdisk-fleet-'));
afterAll(() => rmSync(directory, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function fleet(...words: string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'fleet', ...words], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

const SMALL = ['--disks', '60', '--duration', '2m', '--iops-per-disk', '20', '--zipf', '1'];

describe('from one seed', () => {
  const first = fleet(...SMALL, '--json', '--threads', '1', '--seed', '5');

  test('two runs print the same bytes, on one thread and on two', () => {
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ schema: 'sealdisk-fleet/1', seed: 5 });
    const second = fleet(...SMALL, '--json', '--threads', '2', '--seed', '5');
    expect(second.stdout).toBe(first.stdout);
  });

  test('a run prints other bytes than from another, and nothing else if it is quiet', () => {
    const other = fleet(...SMALL, '--json', '--seed', '6', '--quiet');
    expect([other.code, other.stderr]).toEqual([0, '']);
    expect(JSON.parse(other.stdout).digest).not.toBe(JSON.parse(first.stdout).digest);
  });

  test('how long it took is on stderr', () => {
    expect(first.stderr).toMatch(/\d+ requests in [\d.]+ s: \d+ ns each/);
  });
});

test('a file says what the fleet is; options win over it; CSV has all disks and all steps', () => {
  const yaml = file(
    'fleet.yaml',
    [
      'duration: 1m',
      'load: { iopsPerDisk: 10, readPercent: 100 }',
      'disks:',
      '  - { name: fast, count: 6, performanceLevel: PL3, size: 2T, key: user }',
      '  - { name: slow, count: 4, category: cloud_efficiency, size: 40G, encrypted: false }',
      'operations: { attachesPerDay: 1440 }',
      'prices: { kmsCalls10000: 1000 }',
    ].join('\n'),
  );
  const [series, perDisk] = [join(directory, 'series.csv'), join(directory, 'disks.csv')];
  const words = [yaml, '--duration', '30s', '--series', series, '--per-disk', perDisk];
  const { code, stdout } = fleet(...words, '--json');
  expect(code).toBe(0);
  const report = JSON.parse(stdout);
  expect(report.durationSeconds).toBe(30);
  expect(report.fleet.readShare).toBe(1);
  expect(report.kinds.map((kind: { name: string }) => kind.name)).toEqual(['fast', 'slow']);
  expect(report.kinds[0].latencyMicroseconds.p50).toBeLessThan(300);
  expect(report.kinds[1].latencyMicroseconds.p50).toBeGreaterThan(1000);
  // Half an attach for each of six encrypted disks, and one to begin with.
  expect(report.kmsCalls).toContainEqual({ operation: 'AttachDisk', calls: 9, billedCalls: 9 });
  // 6 created, 9 attached, 3 detached, at a tenth of a coin each.
  expect(report.totalCost).toBeCloseTo(1.8, 10);
  expect(readFileSync(series, 'utf8').trim().split('\n')).toHaveLength(31);
  const lines = readFileSync(perDisk, 'utf8').trim().split('\n');
  expect(lines).toHaveLength(11);
  expect(lines.every((line) => line.split(',').length === 15)).toBe(true);
});

test('what encryption costs can be measured', () => {
  const { code, stdout, stderr } = fleet(...SMALL, '--json', '--encryption-cost', 'measure');
  expect(code).toBe(0);
  const { nanosecondsPerByte } = JSON.parse(stdout).options.encryption;
  expect(stderr).toContain(`encryption takes ${nanosecondsPerByte} ns a byte`);
  // AES-XTS in hardware takes tenths of a nanosecond, in software some.
  expect(nanosecondsPerByte).toBeLessThan(20);
});

test('what makes no sense ends with 2, and says where', () => {
  const { code, stdout, stderr } = fleet(file('typo.yaml', 'disks: [{ count: 1, seize: 3 }]'));
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('typo.yaml: disks[0].seize');
});
