import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type FleetFlags, type FleetLibrary, runFleet } from '../../../src/cli/fleet.ts';
import { diskFigures } from '../../../src/fleet/fleet-figures.ts';
import { reportOf } from '../../../src/simulate-fleet.ts';
import { simulate } from '../fleet/simulate.ts';
import { terminalDouble } from './doubles.ts';

const directory = mkdtempSync(join(tmpdir(), 'sealdisk-fleet-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

/** The library without its threads. */
const library: FleetLibrary = {
  simulateFleet: async (input, run = {}) => {
    const { plan, totals, figures, series } = simulate(input);
    run.onProgress?.(0.05, 1);
    run.onProgress?.(0.34, 2);
    run.onProgress?.(1, figures.requests);
    const disk = (number: number) => diskFigures(plan, totals, number);
    return { report: reportOf(plan, totals), series, disk };
  },
  measureEncryption: async () => 0.375,
};

async function run(flags: FleetFlags, fileName?: string) {
  const terminal = terminalDouble();
  const code = await runFleet(fileName, flags, library, terminal, () => {});
  return { code, text: terminal.printed.join(''), said: terminal.said };
}

const SMALL: FleetFlags = { disks: '12', duration: '30s', iopsPerDisk: '20', zipf: '1' };

test('people get tables', async () => {
  const { code, text, said } = await run(SMALL);
  expect(code).toBe(0);
  expect(text).toMatch(/^12 disks for 30 s, \d+ requests; seed 1, digest [0-9a-f]{16}\n/);
  expect(text).toMatch(/\ncloud_essd PL1 100 GiB +12 /);
  expect(text).toMatch(/\nall +12 /);
  expect(text).toContain(
    'calls of the KMS API: CreateDisk 12 (0 billed), AttachDisk 12 (0 billed)',
  );
  expect(text).toMatch(/\ncapacity +10 GiB hours +not priced\n/);
  // Not at 5 %, at 34 % and at the end; and how long it took.
  expect(said.map((line) => line.trim().split(' ')[0])).toEqual(['34', '100', expect.any(String)]);
});

test('nothing has to be said: there is a fleet by default', async () => {
  const { code, text } = await run({ duration: '1s' });
  expect(code).toBe(0);
  expect(text).toMatch(/^1000 disks for 1 s, /);
});

test('calls are counted and billed, and what has a price is priced', async () => {
  const { text } = await run({
    ...SMALL,
    duration: '1d',
    iopsPerDisk: '0.01',
    key: 'user',
    attachesPerDay: '2',
    snapshotsPerDay: '1',
    prices: 'kmsCalls10000:100,keyDay:2.5',
  });
  // 12 disks: 1 creation, 3 attaches, 2 detaches and a snapshot each, where they count.
  const [, calls] = /\ncalls of the KMS API: (.*)\n/.exec(text) ?? [];
  const billed = [...calls!.matchAll(/(\w+) (\d+) \((\d+) billed\)/g)];
  expect(billed.map(([, name, count]) => `${name} ${count}`)).toEqual([
    'CreateDisk 12',
    'AttachDisk 36',
    'DetachDisk 24',
    'CreateSnapshot 12',
  ]);
  expect(billed.every(([, , count, own]) => count === own)).toBe(true);
  // 84 calls at a hundredth of a coin, and one key for a day.
  expect(text).toMatch(/\ncalls of the KMS API, billed +84 calls +0.84\n/);
  expect(text).toMatch(/\nmaster keys, billed +1 key days +2.50\n/);
  expect(text).toMatch(/\ntogether +3.34\n/);
  // Of what there is none, there is no line.
  expect(text).not.toContain('burst requests');
});

test('disks share what their instance has', async () => {
  const flags = { ...SMALL, iopsPerDisk: '8000', arrivals: 'poisson', diskSize: '1T', json: true };
  const { text } = await run({ ...flags, instanceType: 'ecs.g6.large', instanceDisks: '4' });
  const { fleet } = JSON.parse(text);
  // Three instances of 10,000 IOPS, of 125 MB/s; the mix is of 26,214 bytes on average.
  expect(Math.abs(fleet.bytesPerSecond / 3 / 125e6 - 1)).toBeLessThan(0.02);
});

test('every option reaches the fleet', async () => {
  const { text } = await run({
    ...SMALL,
    seed: '9',
    category: 'cloud_auto',
    diskSize: '1T',
    provisionedIops: '500',
    bursting: true,
    encrypt: 'off',
    encryptionCost: '0.5',
    arrivals: 'poisson',
    onShare: '0.5',
    onDuration: '2s',
    tail: '0',
    diurnal: '0.25',
    queueDepth: '7',
    readPercent: '10',
    blockSizes: '4k:75,1M:25',
    step: '10s',
    json: true,
  });
  expect(JSON.parse(text).options).toMatchObject({
    seed: 9,
    duration: 30,
    step: 10,
    encryption: { nanosecondsPerByte: 0.5 },
    load: {
      iopsPerDisk: 20,
      zipf: 1,
      arrivals: 'poisson',
      onShare: 0.5,
      onDuration: 2,
      tail: 0,
      diurnal: 0.25,
      queueDepth: 7,
      readPercent: 10,
      blockSizes: [
        { size: 4096, percent: 75 },
        { size: 1_048_576, percent: 25 },
      ],
    },
    disks: [
      {
        count: 12,
        category: 'cloud_auto',
        size: 1024,
        provisionedIops: 500,
        bursting: true,
        encrypted: false,
      },
    ],
  });
});

test('a file is a fleet, and options of the load win over it', async () => {
  const name = file('f.yaml', 'seed: 3\nload: { zipf: 2, tail: 3 }\ndisks: [{ count: 2 }]');
  const perDisk = join(directory, 'disks.csv');
  const series = join(directory, 'series.csv');
  const { text } = await run({ duration: '5s', zipf: '1', json: true, perDisk, series }, name);
  expect(JSON.parse(text).options).toMatchObject({
    seed: 3,
    duration: 5,
    load: { zipf: 1, tail: 3 },
  });
  expect(readFileSync(perDisk, 'utf8').trim().split('\n')).toHaveLength(3);
  expect(readFileSync(series, 'utf8').trim().split('\n')).toHaveLength(6);
});

test('what encryption costs can be measured', async () => {
  const { text, said } = await run({ ...SMALL, json: true, encryptionCost: 'measure' });
  expect(JSON.parse(text).options.encryption.nanosecondsPerByte).toBe(0.375);
  expect(said[0]).toContain('0.375 ns a byte');
});

test('stopped, it ends with 130 and prints nothing', async () => {
  const terminal = terminalDouble();
  const stopped: FleetLibrary = {
    ...library,
    simulateFleet: async (_, { signal } = {}) => {
      signal?.throwIfAborted();
      throw new Error('not stopped');
    },
  };
  expect(await runFleet(undefined, SMALL, stopped, terminal, (stop) => stop())).toBe(130);
  expect(terminal.printed).toEqual([]);
  await expect(runFleet(undefined, SMALL, stopped, terminal, () => {})).rejects.toThrow(
    'not stopped',
  );
});

describe('what makes no sense is refused', () => {
  test.each<[FleetFlags, string | undefined, string]>([
    [{ ...SMALL, instanceType: 'ecs.x9.large' }, undefined, 'instance.type: expected ecs.g7.large'],
    [{ ...SMALL, instanceDisks: '0' }, undefined, 'disks[0].instance.disks'],
    [{ ...SMALL, key: 'mine' }, undefined, 'disks[0].key'],
    [{ ...SMALL, prices: 'keyDay' }, undefined, '--prices keyDay: expected a number'],
    [{ ...SMALL, prices: 'keyYear:1' }, undefined, 'prices.keyYear'],
    [{ key: 'user' }, file('two.yaml', 'disks: [{ count: 1 }]'), 'key: the file says which disks'],
    [{ disks: 'many' }, undefined, "--disks: expected a number, got 'many'"],
    [{ disks: '' }, undefined, '--disks: expected a number'],
    [{ ...SMALL, threads: '0' }, undefined, '--threads: expected 1 to 64'],
    [{ ...SMALL, threads: '1.5' }, undefined, '--threads: expected 1 to 64'],
    [{ ...SMALL, encrypt: 'both' }, undefined, '--encrypt: expected on or off'],
    [{ ...SMALL, blockSizes: '4k' }, undefined, '--block-sizes: expected a number'],
    [{ ...SMALL, blockSizes: '4k:50' }, undefined, 'add up to 100'],
    [{ ...SMALL, series: '/nowhere/x.csv' }, undefined, 'cannot write /nowhere/x.csv'],
    [{}, '/nowhere.yaml', '/nowhere.yaml: ENOENT'],
    [{}, file('list.yaml', '- 1'), 'expected a fleet'],
    [{}, file('broken.yaml', 'disks: ['), 'broken.yaml: '],
    [{ disks: '3' }, file('some.yaml', 'disks: [{ count: 1 }]'), 'the file says which disks'],
  ])('%j %s', async (flags, fileName, expected) => {
    await expect(run(flags, fileName)).rejects.toThrow(expected);
  });
});
