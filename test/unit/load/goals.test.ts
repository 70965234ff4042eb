/** Options that end a job, or hold it back, for what it measures; fio where it is installed. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlaneError } from '../../../src/base/errors.ts';
import { readJobFile } from '../../../src/load/job.ts';
import { DepthSearch, type LatencyGoal } from '../../../src/load/latency-target.ts';
import { reportClones } from '../../../src/load/report.ts';
import { reportDocument } from '../../../src/load/report-json.ts';
import { reportNormal } from '../../../src/load/report-normal.ts';
import { reportTable } from '../../../src/load/report-table.ts';
import { SteadyState } from '../../../src/load/steady-state.ts';
import { createNullTarget, type Target } from '../../../src/load/target.ts';
import { runJobs, wrapTarget } from './doubles.ts';
import { fio, fioAbsent } from './fio-oracle.ts';

const refusalOf = (text: string): string => {
  try {
    readJobFile(text, 'a.fio');
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
};

async function documentOf(text: string, target: Target = createNullTarget()) {
  const jobs = reportClones(await runJobs(text, target));
  const report = {
    version: '0',
    timestampMs: 0,
    globalOptions: {},
    jobs,
    comparison: null,
    overhead: null,
    isPartial: false,
    notes: [],
    environment: {},
  };
  const document = reportDocument(report) as unknown as { jobs: Record<string, never>[] };
  const first = document.jobs[0] as Record<string, unknown>;
  return { first, jobs, normal: reportNormal(report, 1), table: reportTable(report) };
}

interface FioSteady extends Record<'data', FioWindow> {
  readonly ss: string;
  readonly attained: number;
  readonly criterion: string;
}

interface FioWindow {
  readonly iops: number[];
  readonly bw: number[];
}

describe('steadystate', () => {
  const times = { windowMs: 5000, rampMs: 0, intervalMs: 1000 };

  test('is not judged before the window is full, then by its largest distance', () => {
    const rule = { quantity: 'iops', isSlope: false, limit: 10, isPercent: true } as const;
    const state = new SteadyState(rule, times);
    for (const rate of [100, 100, 100, 100]) expect(state.add(rate, 0)).toBe(false);
    expect(state.add(150, 0)).toBe(false);
    // Mean 110, farthest 40.
    expect(state.result()).toMatchObject({ deviation: 40, isAttained: false });
    expect(state.result().criterion).toBeCloseTo(36.36, 1);
    for (const rate of [101, 100, 99, 100]) state.add(rate, 0);
    expect(state.result().iops).toEqual([150, 101, 100, 99, 100]);
    expect(state.add(100, 0)).toBe(true);
    expect(state.result()).toMatchObject({ isAttained: true, deviation: 1 });
  });

  test('a slope is that of the least squares, whichever way it goes', () => {
    for (const sign of [1, -1]) {
      const rule = { quantity: 'bw', isSlope: true, limit: 6, isPercent: false } as const;
      const state = new SteadyState(rule, times);
      for (const at of [0, 1, 2, 3, 4]) state.add(1, 1000 + sign * 7 * at);
      expect(state.result()).toMatchObject({ isAttained: false });
      expect(state.result().slope).toBeCloseTo(sign * 7, 9);
    }
    const state = new SteadyState(
      { quantity: 'bw', isSlope: true, limit: 8, isPercent: false },
      times,
    );
    expect([0, 1, 2, 3, 4].map((at) => state.add(1, 1000 - 7 * at)).at(-1)).toBe(true);
  });

  test('ends the jobs of a group together, and only when the rate is steady', async () => {
    const goal = 'ss=iops:900%\nss_dur=150ms\nss_ramp=50ms\nss_interval=50ms';
    const shape = 'rw=randread\nsize=1m\ntime_based\nruntime=60\nnumjobs=2\ngroup_reporting';
    const text = `[a]\n${shape}\n${goal}`;
    const { first, normal, table, jobs } = await documentOf(`${text}\nrate_iops=1000`);
    expect(jobs[0]!.error).toBeNull();
    const steady = first.steadystate as FioSteady;
    expect(steady).toMatchObject({ ss: 'iops:900.000000%', attained: 1 });
    expect(steady.data.iops).toHaveLength(3);
    expect(normal).toMatch(/steadystate {2}: attained=yes, bw=.*, iops=.*, iops mean dev=.*%/);
    expect(table).toContain('a: steady: iops deviation');
  });

  test('says that it was not, where a job ends before', async () => {
    const text = '[a]\nrw=read\nsize=64k\nss=bw_slope:1\nss_dur=10';
    const { first, table } = await documentOf(text);
    expect(first.steadystate).toMatchObject({
      ss: 'bw_slope:1.000000',
      attained: 0,
      criterion: '0.000000',
    });
    expect(table).toContain('a: not steady: bw slope');
  });

  test.each([
    ['ss=iops', 'expected iops, iops_slope, bw or bw_slope'],
    ['ss=lat:5%', 'expected iops, iops_slope, bw or bw_slope'],
    ['ss=iops:5%5', 'a limit such as 500'],
    ['ss_dur=500ms', 'expected at least the 1000 ms between two looks'],
    ['ss_interval=0', 'a time above 0'],
  ])('refuses %s', (option, message) => {
    expect(refusalOf(`[a]\n${option}`)).toContain(message);
  });

  test('refuses two rules in one group, as fio does', () => {
    const two = '[a]\nss=iops:5%\nss_dur=5\n[b]\nss=iops:6%\nss_dur=5';
    expect(refusalOf(two)).toContain('steadystate: a and b are of one group');
    expect(refusalOf(two.replace('[b]', '[b]\nnew_group'))).toBe('none');
  });

  test.skipIf(fioAbsent !== '')(`judges what fio measured as fio did ${fioAbsent}`, async () => {
    const rules = ['iops:0.000001%', 'bw_slope:0.000001'];
    const load = ['--ioengine=null', '--size=1g', '--bs=4k', '--rw=randread', '--rate_iops=500'];
    const timed = ['--time_based', '--runtime=3500ms', '--ss_dur=3'];
    const asked = rules.flatMap((rule) => ['--name=a', '--new_group', `--ss=${rule}`]);
    const output = fio(...load, ...timed, ...asked, '--output-format=json');
    const { jobs } = JSON.parse(output.slice(output.indexOf('{'))) as {
      jobs: { steadystate: FioSteady }[];
    };
    const { first } = await documentOf('[a]\nrw=read\nsize=64k\nss=bw:1\nss_dur=10');
    const keysOf = (steady: FioSteady) => [Object.keys(steady), Object.keys(steady.data).sort()];
    const own = first.steadystate as FioSteady;
    expect(keysOf(own)).toEqual(keysOf(jobs[0]!.steadystate));
    for (const [index, rule] of rules.entries()) {
      const { data, criterion, attained } = jobs[index]!.steadystate;
      const isSlope = rule.includes('slope');
      const quantity = isSlope ? 'bw' : 'iops';
      const isPercent = rule.endsWith('%');
      const times3 = { windowMs: 3000, rampMs: 0, intervalMs: 1000 };
      const state = new SteadyState({ quantity, isSlope, limit: 1e-6, isPercent }, times3);
      for (const [at, iops] of data.iops.entries()) state.add(iops, data.bw[at]!);
      expect(state.result().isAttained ? 1 : 0).toBe(attained);
      expect(state.result().criterion).toBeCloseTo(Number.parseFloat(criterion), 3);
    }
  });
});

describe('latency_target', () => {
  const goal: LatencyGoal = { targetUs: 100, windowUs: 1000, percent: 90, goesOn: false };

  /** Runs a search over a disk whose latency is a function of the depth; a window a request. */
  function depthFound(most: number, latencyUs: (depth: number) => number, percent = 90): number {
    const search = new DepthSearch({ ...goal, percent }, most);
    let nowMs = 0;
    search.begin(nowMs);
    for (let at = 0; at < 1000; at++) {
      nowMs += 2;
      expect(search.admits(0, nowMs)).toBe(true);
      nowMs += 2;
      const step = search.record(latencyUs(search.depth) / 1e3, nowMs);
      if (step === 'done' || step === 'missed') return step === 'done' ? search.depth : 0;
    }
    throw new Error('the search does not end');
  }

  test('finds the largest depth that keeps the latency', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.constantFrom(90, 100), (edge, percent) => {
        const found = depthFound(128, (depth) => (depth <= edge ? 50 : 150), percent);
        expect(found).toBeGreaterThan(0);
        expect(found).toBeLessThanOrEqual(edge);
        // fio's search is content with the one below the least it saw fail.
        expect(found).toBeGreaterThanOrEqual(Math.min(edge - 1, 127));
      }),
      { numRuns: 400 },
    );
  });

  test('nothing keeps it: fails if all requests must, and else runs at depth 1', () => {
    expect(depthFound(8, () => 150, 100)).toBe(0);
    const search = new DepthSearch(goal, 8);
    for (let at = 1; at < 50; at++) expect(search.record(1, at * 10)).toBe('go on');
    expect(search.depth).toBe(1);
  });

  test('what was made at a larger depth does not judge a smaller one', () => {
    const search = new DepthSearch({ ...goal, percent: 100 }, 8);
    search.begin(0);
    search.record(0.05, 2);
    expect(search.depth).toBe(2);
    search.record(0.15, 3);
    expect(search.depth).toBe(1);
    expect(search.admits(1, 3)).toBe(false);
    expect(search.record(0.15, 4)).toBe('go on');
    expect(search.admits(0, 4)).toBe(true);
  });

  test('a job comes to a depth, and reports that depth alone', async () => {
    // Requests beside more than two others wait: up to depth 3 all take a turn of a timer.
    let inFlight = 0;
    const crowded = wrapTarget(createNullTarget(), (disk) => ({
      ...disk,
      read: async () => {
        inFlight += 1;
        const pauseMs = inFlight > 3 ? 120 : 1;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        inFlight -= 1;
      },
    }));
    const target = 'latency_target=60ms\nlatency_window=60ms\nlatency_percentile=50';
    const text = `[a]\nrw=randread\nsize=1m\nbs=4k\niodepth=16\ntime_based\nruntime=60\n${target}`;
    const { first, table, normal, jobs } = await documentOf(text, crowded);
    expect(jobs[0]!.error).toBeNull();
    const depth = first.latency_depth as number;
    expect(depth).toBeLessThan(16);
    expect(first).toMatchObject({
      latency_target: 60e6,
      latency_percentile: 50,
      latency_window: 60e3,
    });
    expect(table).toContain(`a: 50 % within 60.0ms: ${depth} in flight of at most 16`);
    expect(normal).toContain(`target=60000000, window=60000, percentile=50.00%, depth=${depth}`);
    // Of the last window only.
    expect(jobs[0]!.stats.direction(0).runtimeMs).toBeLessThan(30e3);
  });

  test('a job whose every request is too slow at depth 1 fails', async () => {
    const slow = wrapTarget(createNullTarget(), (disk) => ({
      ...disk,
      read: () => new Promise((resolve) => setTimeout(resolve, 5)),
    }));
    const text = '[a]\nrw=read\nsize=1m\niodepth=4\nlatency_target=100\nlatency_window=10ms';
    const [result] = await runJobs(text, slow);
    expect((result!.run.error as PlaneError).code).toBe('LatencyExceeded');
  });

  test('latency_run goes on with the depth it found', async () => {
    const target = 'latency_target=10s\nlatency_window=5ms\nlatency_run=1';
    const text = `[a]\nrw=read\nsize=1m\niodepth=2\ntime_based\nruntime=120ms\n${target}`;
    const { first, jobs } = await documentOf(text);
    expect(first.latency_depth).toBe(2);
    expect(jobs[0]!.stats.direction(0).runtimeMs).toBeGreaterThan(100);
  });
});

describe('flow', () => {
  const slow = (): Target =>
    wrapTarget(createNullTarget(), (disk) => ({
      ...disk,
      read: () => new Promise((resolve) => setTimeout(resolve, 1)),
    }));
  const requestsOf = async (text: string): Promise<number[]> => {
    const results = await runJobs(text, slow());
    return results.map(({ run }) => run.stats.requests());
  };
  const common = '[global]\nrw=randread\nsize=1m\ntime_based\nruntime=300ms\n';

  test('jobs of one flow run in proportion to their weights', async () => {
    const [one, eight] = (await requestsOf(`${common}[a]\nflow=1\n[b]\nflow=8\niodepth=8`)) as [
      number,
      number,
    ];
    expect(one).toBeGreaterThan(0);
    expect(eight / one).toBeGreaterThan(4);
    expect(eight / one).toBeLessThan(12);
  });

  test('another flow_id is another flow, and who ends leaves the rest alone', async () => {
    const lone = `${common}[a]\nflow=1\nflow_id=1\n[b]\nflow=100\nflow_id=2\nflow_sleep=1000`;
    const [a, b] = (await requestsOf(lone)) as [number, number];
    expect(a).toBeGreaterThan(b / 8);
    const ending = `${common}[a]\nflow=100\nnumber_ios=10\n[b]\nflow=1\nflow_sleep=500`;
    const [, left] = await requestsOf(ending);
    expect(left).toBeGreaterThan(10);
  });

  test('weights are those of fio', () => {
    expect(refusalOf('[a]\nflow=1001')).toContain('flow: expected at most 1000');
    expect(refusalOf('[a]\nflow=-1')).toContain('flow: expected a whole number');
  });
});

test('time_based without a runtime is said, and the job runs by its size, as in fio', () => {
  const file = readJobFile('[a]\ntime_based\nsize=1m', 'a.fio');
  expect(file.notes).toEqual(['time_based needs runtime: the job runs without it']);
  expect(file.jobs[0]!.isTimeBased).toBe(false);
});
