/** Clones dealt to threads, and what a thread says of its part. */
import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { dealPlan } from '../../../src/load/deal.ts';
import { readJobFile } from '../../../src/load/job.ts';
import { planRun, type RunPlan } from '../../../src/load/job-plan.ts';
import { LoadStats } from '../../../src/load/load-stats.ts';
import { mergeStats } from '../../../src/load/report.ts';
import { createNullTarget } from '../../../src/load/target.ts';
import type { PartReport } from '../../../src/load/thread-message.ts';
import { runPart } from '../../../src/load/thread-part.ts';
import { faultyTarget, wrapTarget } from './doubles.ts';

const planOf = (text: string): RunPlan =>
  planRun(readJobFile(`[global]\nsize=1m\n${text}`, 'a.fio'), (job) => job.engine ?? 'null', 1);

/** Jobs and clones of each part: a0 b1. */
function dealt(text: string, count: number, opensTwice = true): string[] {
  const { parts } = dealPlan(planOf(text), count, () => opensTwice);
  return parts.map(({ stages }) =>
    stages
      .flat()
      .map(({ job, cloneIndex }) => `${job.name}${cloneIndex}`)
      .join(' '),
  );
}

describe('a plan dealt to threads', () => {
  test('the heaviest clone first, the next to whoever has least in flight', () => {
    expect(dealt('[a]\niodepth=8\n[b]\niodepth=3\n[c]\niodepth=4\n[d]', 2)).toEqual([
      'a0',
      'b0 c0 d0',
    ]);
    expect(dealt('[a]\nnumjobs=4', 3)).toEqual(['a0 a3', 'a1', 'a2']);
  });

  test('no more parts than there is to deal', () => {
    expect(dealt('[a]\nnumjobs=2', 16)).toEqual(['a0', 'a1']);
  });

  test.each([
    ['a disk that opens once', '[a]\nfilename=x\n[b]\nfilename=x\n[c]', false],
    ['a verified disk', '[a]\nfilename=x\nverify=crc32c\n[b]\nfilename=x\n[c]', true],
    ['a flow', '[a]\nflow=1\n[b]\nflow=2\n[c]\nflow=0', true],
    ['a wait', '[a]\n[b]\nwait_for=a\n[c]', true],
    ['an end of a group', '[a]\nexitall\n[b]\n[c]\nnew_group', true],
    [
      'an end of a stage',
      '[a]\nexitall\nexit_what=stonewall\n[b]\nnew_group\n[c]\nstonewall',
      true,
    ],
    [
      'a steady group',
      '[a]\ngroup_reporting\nss_dur=5\n[b]\ngroup_reporting\nss_dur=5\n[c]\nnew_group',
      true,
    ],
  ])('%s keeps its clones in one thread', (_, text, opensTwice) => {
    expect(dealt(text, 3, opensTwice)).toEqual(['a0 b0', 'c0']);
  });

  test('what shares nothing may be spread, and a disk in two threads is named', () => {
    expect(dealt('[a]\nexitall\nexit_what=all\n[b]\nnew_group\n[c]\nstonewall', 3)).toEqual([
      'a0 b0 c0',
    ]);
    const shared = planOf('[a]\nfilename=x\n[b]\nfilename=x\n[c]\nfilename=y');
    expect(dealPlan(shared, 3, () => true).spread.map(({ diskName }) => diskName)).toEqual(['x']);
    expect(dealPlan(shared, 1, () => true).spread).toEqual([]);
  });

  test('every clone is in one part, in its own stage, with its disk', () => {
    const line = fc.constantFrom('', 'filename=x', 'flow=2', 'stonewall', 'numjobs=3', 'exitall');
    fc.assert(
      fc.property(
        fc.array(fc.array(line, { maxLength: 3 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        (jobs, count, opensTwice) => {
          const text = jobs.map((lines, at) => `[j${at}]\n${lines.join('\n')}`).join('\n');
          const plan = planOf(text);
          const { parts } = dealPlan(plan, count, () => opensTwice);
          expect(parts.length).toBeLessThanOrEqual(count);
          for (const [index, stage] of plan.stages.entries()) {
            const found = parts.flatMap((part) => part.stages[index]!);
            expect(found.map(({ number }) => number).sort()).toEqual(
              stage.map(({ number }) => number).sort(),
            );
          }
          for (const { disks, stages } of parts) {
            const used = new Set(stages.flat().map(({ disk }) => disk.key));
            expect(new Set(disks.map(({ key }) => key))).toEqual(used);
          }
        },
      ),
    );
  });
});

describe('a part of a run', () => {
  const channels: MessageChannel[] = [];
  afterEach(() => {
    for (const { port1 } of channels.splice(0)) port1.close();
  });

  function begin(text: string, target = createNullTarget()) {
    const channel = new MessageChannel();
    channels.push(channel);
    const reports: PartReport[] = [];
    channel.port1.on('message', (report: PartReport) => reports.push(report));
    const start = { plan: planOf(text), logDirectory: '.', overwrites: false };
    const ended = runPart(start, async () => target, channel.port2);
    const next = async (): Promise<PartReport> => {
      while (!reports.some(({ kind }) => kind !== 'progress')) await once(channel.port1, 'message');
      const report = reports.find(({ kind }) => kind !== 'progress')!;
      reports.splice(reports.indexOf(report), 1);
      return report;
    };
    return { port: channel.port1, next, ended };
  }

  test('waits before each stage, then says what its clones came to', async () => {
    const { port, next, ended } = begin('[a]\nnumjobs=2\n[b]\nstonewall');
    expect(await next()).toEqual({ kind: 'reached', stage: 0 });
    port.postMessage('go');
    expect(await next()).toEqual({ kind: 'reached', stage: 1 });
    port.postMessage('go');
    const report = await next();
    if (report.kind !== 'finished') throw new Error(report.kind);
    expect(report.clones.map(({ number, error }) => [number, error])).toEqual([
      [1, null],
      [2, null],
      [3, null],
    ]);
    expect(LoadStats.fromRecord(report.clones[0]!.stats).requests()).toBe(256);
    await ended;
  });

  test('stopped while it waits, it begins nothing more', async () => {
    const { port, next, ended } = begin('[a]\n[b]\nstonewall');
    await next();
    port.postMessage('stop');
    expect(await next()).toEqual({ kind: 'finished', clones: [] });
    await ended;
  });

  test('errors of ours keep their code, others their text', async () => {
    const failing = begin('[a]\nrw=write', faultyTarget({ failWrite: 3 }));
    await failing.next();
    failing.port.postMessage('go');
    const report = await failing.next();
    expect(report).toMatchObject({ clones: [{ error: { code: 'NoSpace' } }] });
    const refusing = wrapTarget(createNullTarget(), () => {
      throw new PlaneError('InvalidArgument', 'no such disk');
    });
    expect(await begin('[a]', refusing).next()).toMatchObject({
      kind: 'failed',
      error: { code: 'InvalidArgument', message: 'no such disk' },
    });
    const broken = wrapTarget(createNullTarget(), () => {
      throw new TypeError('out of order');
    });
    const failed = await begin('[a]', broken).next();
    expect(failed).toMatchObject({
      kind: 'failed',
      error: expect.stringContaining('out of order'),
    });
  });
});

test('measurements sent as data are the same measurements, and merge as they would', () => {
  const nanoseconds = fc.integer({ min: 1, max: 4e9 });
  fc.assert(
    fc.property(
      fc.array(fc.array(nanoseconds, { maxLength: 40 }), { minLength: 1, maxLength: 4 }),
      (threads) => {
        const parts = threads.map((latencies) => {
          const stats = new LoadStats();
          stats.begin(0);
          for (const each of latencies) stats.direction(0).record(each / 1e6, 4096);
          stats.end(1000);
          return stats;
        });
        const sent = parts.map((stats) => LoadStats.fromRecord(structuredClone(stats.toRecord())));
        const [merged, expected] = [mergeStats(sent), mergeStats(parts)].map((stats) => {
          const { latency, requests, bytes, runtimeMs } = stats.direction(0);
          const { count, least, most } = latency;
          const shape = [latency.mean(), latency.deviation(), latency.bins()];
          const result = [requests, bytes, runtimeMs, count, least, most, shape];
          stats.release();
          return result;
        });
        for (const stats of [...parts, ...sent]) stats.release();
        expect(merged).toEqual(expected);
      },
    ),
    { numRuns: 50 },
  );
});
