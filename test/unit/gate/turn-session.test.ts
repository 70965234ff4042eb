/** Processes that stay: what they are asked and answer, and every way in which they may fail. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openContender } from '../../../src/gate/contender.ts';
import type { Reading } from '../../../src/gate/metric.ts';
import { isTurnMetric, openSession, type TurnSession } from '../../../src/gate/turn-session.ts';

const directory = mkdtempSync(join(tmpdir(), 'sealdisk-session-'));
afterAll(() => rmSync(directory, { recursive: true }));

const HEAD = '{"schema":"sealdisk-load-turns/1"}';
const job = (name: string, requests: number): string =>
  `{"name":"${name}","requests":${requests},"bytes":8192,"elapsedMs":20,"cpuMs":4}`;

/** A program that says the first line at once, and another for each it is told. */
function program(lines: readonly string[], ending = ''): Promise<TurnSession | null> {
  const file = join(directory, 'program.mjs');
  const [first, ...rest] = lines.map((line) => JSON.stringify(line));
  writeFileSync(
    file,
    `import { createInterface } from 'node:readline';
const rest = [${rest.join(', ')}];
${first === undefined ? '' : `console.log(${first});`}
${ending === '' ? '' : `if (rest.length === 0) { ${ending} }`}
for await (const _ of createInterface({ input: process.stdin })) {
  if (rest.length === 0) { ${ending} } else console.log(rest.shift());
}`,
  );
  const words = [file];
  const { signal } = new AbortController();
  const call = { program: process.execPath, words, directory, timeoutMs: 60_000, signal };
  return openSession(call, ['iops', 'bw', 'cpu']);
}

async function turns(lines: readonly string[], ending = ''): Promise<unknown[]> {
  const session = (await program(lines, ending))!;
  const made: unknown[] = [];
  for (let turn = 0; turn < lines.length - 1 || turn === 0; turn++) {
    made.push((await session.takeTurn()).map(({ name, value }) => [name, value]));
  }
  await session.close();
  return made;
}

describe('a process that stays', () => {
  test('gives rates and processor time a request of each job, turn for turn', async () => {
    const lines = [HEAD, `{"jobs":[${job('w', 2)},${job('r', 4)}]}`, `{"jobs":[${job('w', 8)}]}`];
    expect(await turns(lines)).toEqual([
      [
        ...[
          ['w iops', 100],
          ['w bw', 409_600],
          ['w cpu', 2e6],
        ],
        ...[
          ['r iops', 200],
          ['r bw', 409_600],
          ['r cpu', 1e6],
        ],
      ],
      [
        ['w iops', 400],
        ['w bw', 409_600],
        ['w cpu', 5e5],
      ],
    ]);
  });

  test('that does not understand its command line knows no turns', async () => {
    expect(await program([], 'console.error("unknown option"); process.exit(2);')).toBeNull();
  });

  test.each([
    ['ends in a turn', [HEAD], 'console.error("gone"); process.exit(7);', 'its end (7)\ngone'],
    ['fails before it is ready', [], 'console.error("no"); process.exit(1);', 'its end (1)\nno'],
    ['says something else first', ['{"schema":"other/1"}'], '', 'expected sealdisk-load-turns/1'],
    ['says no JSON', [HEAD, 'what?'], '', 'expected a line of JSON, got what?'],
    ['did nothing', [HEAD, `{"jobs":[${job('w', 0)}]}`], '', 'expected w iops above 0, got 0'],
    ['leaves something out', [HEAD, '{"jobs":[{"name":"w"}]}'], '', 'expected sealdisk-load-'],
  ])('that %s is an error', async (_, lines, ending, message) => {
    await expect(turns(lines, ending)).rejects.toThrow(message);
  });

  test('latencies are not what a turn tells of', () => {
    const known = (['iops', 'bw', 'cpu', 'mean', 'p50', 'p99'] as const).filter(isTurnMetric);
    expect(known).toEqual(['iops', 'bw', 'cpu']);
  });
});

describe('a contender that is a command', () => {
  const contender = (commandsStay: boolean, reading: Reading) => {
    const file = join(directory, 'load.mjs');
    const line = `{"jobs":[${job('w', 2)}]}`;
    const text = `if (process.argv.slice(2).join(' ') !== '--in-turns 10') process.exit(9);
console.log(${JSON.stringify(HEAD)});
process.stdin.on('data', () => console.log(${JSON.stringify(line)}));`;
    writeFileSync(file, text);
    return openContender(`exec '${process.execPath}' '${file}'`, {
      directory,
      self: [process.execPath, file],
      jobFile: '',
      build: '',
      run: null,
      reading,
      commandsStay,
      signal: new AbortController().signal,
      onBuild: () => {},
    });
  };
  const rates: Reading = { kind: 'load', metrics: ['iops'] };

  test('is told to stay, if it is a load of sealdisk', async () => {
    const session = (await (await contender(true, rates)).openSession())!;
    const turn = await session.takeTurn();
    expect(turn.map(({ name, value }) => [name, value])).toEqual([['w iops', 100]]);
    await session.close();
  });

  test('is a process a turn, if nobody says what it is, or a turn does not tell', async () => {
    expect(await (await contender(false, rates)).openSession()).toBeNull();
    const latency: Reading = { kind: 'load', metrics: ['iops', 'p99'] };
    expect(await (await contender(true, latency)).openSession()).toBeNull();
    const number: Reading = { kind: 'number', path: '', isBiggerBetter: true };
    expect(await (await contender(true, number)).openSession()).toBeNull();
  });
});
