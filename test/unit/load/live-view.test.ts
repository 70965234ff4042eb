import { expect, test } from 'vitest';
import { activityOf, joinActivities, type LoadActivity } from '../../../src/load/live-activity.ts';
import { LiveScreen } from '../../../src/load/live-screen.ts';
import { LiveView } from '../../../src/load/live-view.ts';
import { LoadStats } from '../../../src/load/load-stats.ts';
import { READ } from '../../../src/load/operation-source.ts';
import type { DiskStages } from '../../../src/load/target.ts';

const PLAIN = { isColoured: false, hasBlocks: true };
const running = (requests: number, share = 0.5) =>
  ({ phase: 'running', share, requests, bytes: requests * 4096 }) as const;

/** Time of a disk's requests, a second in each stage but for what is said. */
function stages(requests: number, crypto: number): DiskStages {
  return { requests, crypto, queue: requests, store: requests, held: 0, answer: 0 };
}

/** What a clone made, its requests of 1 ms each, seven in flight. */
function activity(job: string, requests = 0, rest: Partial<LoadActivity> = {}): LoadActivity {
  const stats = new LoadStats();
  const recent = performance.now() - 500;
  stats.begin(recent);
  for (let made = 0; made < requests; made++) stats.direction(READ).record(1, 4096);
  stats.end(recent + 1);
  const made = activityOf(job, 'd.0', stats, 7, []);
  stats.release();
  return { ...made, atMs: 0, ...rest };
}

test('figures are differences of counts over the last second', () => {
  const view = new LiveView();
  for (let look = 0; look <= 8; look++) {
    const row = activity('a', 1000 + look * 100, { atMs: look * 250 });
    view.look(look * 250, running(look * 100), [row]);
  }
  const frame = view.frame({ columns: 80, rows: 24 }, PLAIN);
  expect(frame[0]).toBe('sealdisk load  running  50.0 %  00m:02s, 00m:02s to go');
  expect(frame[1]).toBe('400 IOPS   1.64 MB/s   7 in flight');
  expect(frame[2]).toBe('████████');
  expect(frame[3]).toBe('IOPS over time: least 400, most 400');
  expect(frame[5]).toMatch(/^job +disk +IOPS +MB\/s +p50 +p99 +queue$/);
  expect(frame[6]).toMatch(/^a +d\.0 +400 +1\.64 +1\.00ms +1\.00ms +7$/);
});

test('crypto is its share of the time of the requests timed in between, if any was', () => {
  const view = new LiveView();
  const look = (nowMs: number, encrypted: DiskStages, other: DiskStages | null): string[] => {
    const rows = [activity('a', 0, { stages: encrypted }), activity('b', 0, { stages: other })];
    view.look(nowMs, running(nowMs), rows);
    return view.frame({ columns: 80, rows: 24 }, PLAIN).slice(5, 8);
  };
  look(0, stages(10, 100), stages(5, 0));
  const [titles, a, b] = look(1000, stages(20, 105), stages(5, 0));
  expect(titles).toMatch(/ queue +crypto$/);
  expect(a, '5 of 25 seconds').toMatch(/ 20 %$/);
  expect(b, 'nothing was timed').toMatch(/ -$/);
  expect(look(2000, stages(30, 105), stages(15, 0))[2]).toMatch(/ 0 %$/);
  expect(look(3000, stages(30, 105), null)[2]).toMatch(/ -$/);
});

test('clones of one job on one disk are a row, whichever thread they run in', () => {
  const [one, two] = [activity('a', 300, { atMs: 100 }), activity('a', 100, { atMs: 300 })];
  const other = activity('a', 5, { disk: 'd.1' });
  const [row, ...rest] = joinActivities([one, other, two]);
  expect(rest).toEqual([other]);
  expect(row).toMatchObject({ job: 'a', disk: 'd.0', atMs: 200, inFlight: 14, requests: 400 });
  expect(row!.bytes).toBe(400 * 4096);
  expect(row!.recent).toMatchObject({ requests: 400, mostNs: 1e6 });
});

test('a run without known end or rows has its totals', () => {
  const view = new LiveView();
  expect(view.frame({ columns: 40, rows: 10 }, PLAIN)[0]).toBe('sealdisk load  opening  00m:00s');
  view.look(0, { ...running(0), phase: 'layout' }, []);
  view.look(250, { ...running(100), phase: 'layout' }, []);
  view.look(500, running(100, Number.NaN), []);
  view.look(750, running(100, Number.NaN), []);
  const frame = view.frame({ columns: 40, rows: 10 }, PLAIN);
  expect(frame.slice(0, 4)).toEqual([
    'sealdisk load  running  00m:01s',
    '133 IOPS   0.55 MB/s',
    '  ',
    'IOPS over time: least 0.00, most 0.00',
  ]);
});

test('no size is too small, no name can give the terminal orders', () => {
  const view = new LiveView();
  const timed = { stages: stages(1, 1) };
  const activities = [
    activity('evil\x1b[2J'.padEnd(60, 'x'), 9, timed),
    activity('b'),
    activity('c'),
  ];
  view.look(0, running(0), activities);
  view.look(1000, running(1000), activities);
  for (const columns of [1, 5, 12, 30, 45, 80, 300]) {
    for (const rows of [1, 2, 6, 8, 9, 40]) {
      const frame = view.frame({ columns, rows }, PLAIN);
      expect(frame.length).toBeLessThanOrEqual(rows);
      expect(Math.max(...frame.map(({ length }) => length))).toBeLessThanOrEqual(columns);
      expect(frame.join('')).not.toContain('\x1b');
    }
  }
  expect(view.frame({ columns: 80, rows: 9 }, PLAIN)[7]).toBe('and 2 more');
  expect(view.frame({ columns: 80, rows: 20 }, PLAIN)[6]).toMatch(/^evil\?\[2Jx+~ +d\.0/);
});

test('a screen is entered and left once, and waits for a slow terminal', () => {
  const written: string[] = [];
  const resized: (() => void)[] = [];
  const stream = {
    writableNeedDrain: false,
    write: (text: string) => void written.push(text),
    on: (_: 'resize', listener: () => void) => void resized.push(listener),
    off: () => void resized.pop(),
  };
  const screen = new LiveScreen(stream, ({ columns, rows }) => [`${columns}`, `${rows}`]);
  screen.leave();
  expect(written).toEqual([]);
  screen.enter();
  screen.enter();
  expect(written).toHaveLength(2);
  expect(written[1]).toBe('\x1b[H80\x1b[K\r\n24\x1b[K\x1b[J');
  resized[0]!();
  expect(written, 'a change of size within the time of a frame').toHaveLength(2);
  screen.leave();
  screen.leave();
  expect(written).toHaveLength(3);
  expect(resized).toEqual([]);
  stream.writableNeedDrain = true;
  screen.enter();
  expect(written).toHaveLength(4);
  screen.leave();
});
