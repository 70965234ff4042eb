import { expect, test } from 'vitest';
import { LiveScreen } from '../../../src/load/live-screen.ts';
import { LiveView, type LoadActivity } from '../../../src/load/live-view.ts';
import { LoadStats } from '../../../src/load/load-stats.ts';
import { READ } from '../../../src/load/operation-source.ts';

const PLAIN = { isColoured: false, hasBlocks: true };
const running = (requests: number, share = 0.5) =>
  ({ phase: 'running', share, requests, bytes: requests * 4096 }) as const;

/** A clone that made 1000 requests of 1 ms in its second. */
function activity(job: string, disk = 'd.0'): LoadActivity {
  const stats = new LoadStats();
  stats.begin(0);
  for (let now = 1; now <= 1000; now++) {
    stats.direction(READ).record(1, 4096);
    stats.sampleIfDue(now);
  }
  return { job, disk, inFlight: 7, stats };
}

test('figures are differences of counts over the last second', () => {
  const view = new LiveView();
  const one = activity('a');
  view.look(0, running(0), [{ ...one, stats: new LoadStats() }]);
  for (let look = 1; look <= 8; look++) view.look(look * 250, running(look * 100), [one]);
  const frame = view.frame({ columns: 80, rows: 24 }, PLAIN);
  expect(frame[0]).toBe('sealdisk load  running  50.0 %  00m:02s, 00m:02s to go');
  expect(frame[1]).toBe('400 IOPS   1.64 MB/s   7 in flight');
  expect(frame[2]).toBe('████████');
  expect(frame[3]).toBe('IOPS over time: least 400, most 400');
  expect(frame[6]).toMatch(/^a +d\.0 +0\.00 +0\.00 +- +- +7$/);
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
  const activities = [activity('evil\x1b[2J'.padEnd(60, 'x')), activity('b'), activity('c')];
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
