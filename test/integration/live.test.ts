/** `load --live` in a pseudo-terminal: what is seen, and that the terminal is given back. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { runInTerminal, Screen, type TerminalRun, terminalAbsent } from '../support/in-terminal.ts';

const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;
const job = (seconds: number): string[] => [
  ...['--name=db', '--rw=randrw', '--bs=4k', '--size=1m', '--iodepth=8', '--time_based'],
  `--runtime=${seconds}`,
];
const ESCAPE = '\x1b[';
const ENTERED = `${ESCAPE}?1049h`;
/** Once it draws rows of jobs. */
const DRAWN = 'queue';

function live(words: readonly string[], rest: Partial<TerminalRun> = {}) {
  const end = runInTerminal({
    argv: [process.execPath, MAIN, 'load', '--live', '--target', 'null', ...words],
    environment: { NO_COLOR: '1', LC_ALL: 'C.UTF-8', TERM: 'xterm' },
    columns: 80,
    rows: 24,
    ...rest,
  });
  expect(end.stepsLeft, end.output).toBe(0);
  return { ...end, screen: new Screen(end.output) };
}

function expectGivenBack({ isAlternate, isCursorShown, isWrapping, unknown }: Screen): void {
  expect([isAlternate, isCursorShown, isWrapping, unknown]).toEqual([false, true, true, []]);
}

describe.skipIf(terminalAbsent !== '')(`the full-screen view ${terminalAbsent}`, () => {
  test('shows totals, a curve and a row a job, then leaves the report behind', () => {
    const { screen, output, code } = live([...job(1), '--numjobs=2']);
    expect(code).toBe(0);
    expectGivenBack(screen);
    expect(screen.frames.length).toBeGreaterThan(2);
    expect(screen.frames.length).toBeLessThan(40);
    const frame = screen.frames.at(-1)!;
    expect(frame[0]).toMatch(
      /^sealdisk load {2}running {2}\d+\.\d % {2}00m:0\ds, 00m:\d\ds to go$/,
    );
    expect(frame[1]).toMatch(/^[\d.]+[kM]? IOPS {3}[\d.]+ MB\/s {3}\d+ in flight$/);
    expect(frame[2]).toMatch(/^[ ▁▂▃▄▅▆▇█]+$/);
    expect(frame[3]).toMatch(/^IOPS over time: least \S+, most \S+$/);
    expect(frame[5]).toMatch(/^job +disk +IOPS +MB\/s +p50 +p99 +queue$/);
    for (const row of frame.slice(6, 8)) {
      expect(row).toMatch(/^db +\S+ +[\d.]+[kM]? +[\d.]+ +[\d.]+[num]s +[\d.]+[num]s +\d+$/);
    }
    expect(frame.at(-1)).toMatch(/^Ctrl-C ends/);
    expect(output).not.toContain(`${ESCAPE}1m`);
    expect(output).not.toContain(`${ESCAPE}2m`);
    expect(screen.main).toMatch(/job +target +op +IOPS/);
  });

  test("shows the share of cryptography in the time of the library's disks", () => {
    const { screen, code } = live([...job(2), '--target', 'sealdisk', '--shards', '1']);
    expect(code).toBe(0);
    const shown = screen.frames.filter((frame) => / queue +crypto$/.test(frame[5] ?? ''));
    expect(shown.length).toBeGreaterThan(0);
    const shares = shown.flatMap((frame) => / (\d+) %$/.exec(frame[6] ?? '')?.[1] ?? []);
    expect(shares.length).toBeGreaterThan(0);
    for (const share of shares) expect(Number(share)).toBeLessThanOrEqual(100);
    expect(Math.max(...shares.map(Number))).toBeGreaterThan(0);
  });

  test('fits what the terminal has become, narrow or low', () => {
    const steps = [{ after: DRAWN, resize: [24, 9] as const }];
    const { screen, code } = live([...job(1), '--numjobs=8'], { steps });
    expect(code).toBe(0);
    expectGivenBack(screen);
    const frame = screen.frames.at(-1)!;
    expect(Math.max(...frame.map(({ length }) => length))).toBeLessThanOrEqual(24);
    expect(frame).toHaveLength(9);
    expect(frame[5]).toMatch(/^job +IOPS( +p99)?/);
    expect(frame[7]).toBe('and 7 more');
  });

  test('has colour where NO_COLOR is not set, and letters where there is no Unicode', () => {
    const environment = { NO_COLOR: '', LC_ALL: 'C', TERM: 'xterm' };
    const { output, screen } = live(job(1), { environment });
    expect(output).toContain('\x1b[1msealdisk load');
    expect(screen.frames.at(-1)![2]).toMatch(/^[ .:\-=+*#@]*$/);
  });

  test.each(['SIGTERM', 'SIGHUP'])('gives the terminal back at %s, and ends by it', (signal) => {
    const ended = live(job(60), { steps: [{ after: DRAWN, signal }] });
    expect([ended.code, ended.signal]).toEqual([null, signal]);
    expect(ended.screen.frames.length).toBeGreaterThan(0);
    expectGivenBack(ended.screen);
  });

  test('gives the terminal back at SIGINT, and reports what was measured', () => {
    const { screen, code } = live(job(60), { steps: [{ after: DRAWN, signal: 'SIGINT' }] });
    expect(code).toBe(130);
    expectGivenBack(screen);
    expect(screen.main).toContain('partial: interrupted');
  });

  test('gives the terminal back when the run fails', () => {
    const { screen, code } = live([
      '--name=a',
      '--rw=read',
      '--size=4k',
      '--target',
      'file:/none/x',
    ]);
    expect(code).not.toBe(0);
    expectGivenBack(screen);
    expect(screen.main).toContain('sealdisk:');
  });

  test('is stopped and continued as any program', () => {
    const steps = [
      { after: DRAWN, signal: 'SIGTSTP' },
      { after: '\x1b[?1049l', signal: 'SIGCONT' },
      { after: ENTERED, signal: 'SIGINT' },
    ];
    const { screen, output, code } = live(job(60), { steps });
    expect(code).toBe(130);
    expect(output.split(ENTERED)).toHaveLength(3);
    expectGivenBack(screen);
  });

  test('is refused where it cannot be drawn, and says what is expected', () => {
    const environment = { TERM: 'dumb' };
    const dumb = live(job(1), { environment });
    expect(dumb.code).toBe(2);
    expect(dumb.output).toContain('--live: expected a terminal that can be drawn on');
    expect(dumb.output).not.toContain(ENTERED);
  });
});

test('--live without a terminal is refused, and says what is expected', () => {
  const words = [MAIN, 'load', '--live', '--target', 'null', ...job(1)];
  const { status, stderr, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain('--live: expected a terminal on stderr');
});
