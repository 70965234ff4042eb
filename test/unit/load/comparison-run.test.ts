import { expect, test } from 'vitest';
import { ComparisonRun, type Variant } from '../../../src/load/comparison-run.ts';
import { readJobFile } from '../../../src/load/job.ts';
import { createMemoryTarget, createNullTarget, type Target } from '../../../src/load/target.ts';
import { faultyTarget, witness, wrapTarget } from './doubles.ts';

const TEXT = `[global]
size=64k
time_based
runtime=20ms
filename_format=d.$jobnum
numjobs=2
[w]
rw=randwrite
[r]
stonewall
rw=randread
`;

function variant(name: Variant['name'], target: Target, text = TEXT): Variant {
  return { name, file: readJobFile(text, 'a.fio'), target };
}

/** Names of targets in the order their requests came, without repeats. */
function orderOf(targets: { name: string; make: () => Target }[]): {
  order: string[];
  made: Target[];
} {
  const order: string[] = [];
  const made = targets.map(({ name, make }) =>
    wrapTarget(make(), (disk) => {
      const see =
        <Arguments extends unknown[], Result>(call: (...args: Arguments) => Result) =>
        (...args: Arguments): Result => {
          if (order.at(-1) !== name) order.push(name);
          return call(...args);
        };
      return { ...disk, read: see(disk.read), write: see(disk.write) };
    }),
  );
  return { order, made };
}

test('encrypted and plain take turns whose order flips, the baseline runs last', async () => {
  const { order, made } = orderOf([
    { name: 'encrypted', make: createNullTarget },
    { name: 'plain', make: createNullTarget },
    { name: 'naive', make: createNullTarget },
  ]);
  let opened = 0;
  const run = new ComparisonRun({
    encrypted: variant('encrypted', made[0]!),
    plain: variant('plain', made[1]!),
    naive: variant('naive', made[2]!),
    turns: 2,
    onOpen: async () => {
      opened = order.length;
    },
  });
  const { rows, jobs } = await run.run();
  // w: e p, p e; r: e p, p e. Neighbours that are alike are one.
  expect(order).toEqual(['encrypted', 'plain', 'encrypted', 'plain', 'encrypted', 'naive']);
  expect(opened).toBe(0);
  expect(jobs.map(({ name, clones, target }) => [name, clones, target])).toEqual(
    ['w', 'r'].flatMap((name) =>
      ['encrypted', 'plain', 'naive'].map((each) => [`${name}/${each}`, 2, each]),
    ),
  );
  expect(rows.map(({ workload }) => workload)).toEqual(['w', 'r']);
  for (const { encrypted, plain, naive, ratioToPlain, ratioToNaive } of rows) {
    expect(ratioToPlain!.all).toBeCloseTo(
      encrypted!.requestsPerSecond / plain!.requestsPerSecond,
      9,
    );
    expect(ratioToPlain!.least).toBeLessThanOrEqual(ratioToPlain!.all);
    expect(ratioToPlain!.most).toBeGreaterThanOrEqual(ratioToPlain!.all);
    expect(ratioToNaive).toBeCloseTo(encrypted!.requestsPerSecond / naive!.requestsPerSecond, 9);
  }
  expect(run.progress()).toMatchObject({ share: 1, phase: 'running' });
});

test("the numbers of all turns are one job's, its time the time of its turns", async () => {
  const target = createNullTarget();
  const { jobs } = await new ComparisonRun({
    encrypted: variant('encrypted', target),
    plain: variant('plain', createNullTarget()),
    naive: null,
    turns: 3,
  }).run();
  const write = jobs[0]!.stats.direction(1);
  expect(write.runtimeMs).toBeGreaterThan(55);
  expect(write.requests).toBeGreaterThan(0);
  expect(write.latency.count).toBe(write.requests);
});

test('disks are laid out before anything is measured', async () => {
  const { target, requests } = witness(createMemoryTarget());
  await new ComparisonRun({
    encrypted: variant('encrypted', target),
    plain: variant('plain', createMemoryTarget()),
    naive: null,
    turns: 1,
  }).run();
  expect(requests.slice(0, 2).map(({ operation, length }) => [operation, length])).toEqual([
    ['write', 65536],
    ['write', 65536],
  ]);
});

test('without a baseline its cells are empty', async () => {
  const { rows } = await new ComparisonRun({
    encrypted: variant('encrypted', createNullTarget()),
    plain: variant('plain', createNullTarget()),
    naive: null,
    turns: 1,
  }).run();
  expect(rows.every(({ naive, ratioToNaive }) => naive === null && ratioToNaive === null)).toBe(
    true,
  );
});

test('a variant that fails has its error, and no more turns', async () => {
  const { jobs, rows } = await new ComparisonRun({
    encrypted: variant('encrypted', faultyTarget({ failWrite: 3 })),
    plain: variant('plain', createMemoryTarget()),
    naive: null,
    turns: 2,
  }).run();
  expect(jobs.find(({ name }) => name === 'w/encrypted')!.error).toMatchObject({ code: 'NoSpace' });
  expect(jobs.find(({ name }) => name === 'w/plain')!.error).toBeNull();
  expect(rows[1]!.plain).not.toBeNull();
});

test('what cannot be opened is thrown, and what was opened is closed', async () => {
  const closed: string[] = [];
  const plain = {
    ...createMemoryTarget(),
    openDisk: () => Promise.reject(new Error('no plain disk')),
  };
  const encrypted = wrapTarget(createMemoryTarget(), (disk) => ({
    ...disk,
    close: async () => void closed.push(disk.name),
  }));
  const run = new ComparisonRun({
    encrypted: variant('encrypted', encrypted),
    plain: variant('plain', plain),
    naive: null,
    turns: 1,
  });
  await expect(run.run()).rejects.toThrow('no plain disk');
  expect(closed).toEqual(['d.0', 'd.1']);
});

test('stop gives what was done until then', async () => {
  const run = new ComparisonRun({
    encrypted: variant('encrypted', createNullTarget(), TEXT.replace('20ms', '10s')),
    plain: variant('plain', createNullTarget(), TEXT.replace('20ms', '10s')),
    naive: variant('naive', createNullTarget()),
    turns: 1,
    onOpen: async () => void setTimeout(() => run.stop(), 60),
  });
  const { rows } = await run.run();
  expect(rows[0]!.encrypted!.requestsPerSecond).toBeGreaterThan(0);
  expect([rows[0]!.plain, rows[1]!.encrypted, rows[1]!.naive]).toEqual([null, null, null]);
});

test('stop before the disks are open gives nothing', async () => {
  const run = new ComparisonRun({
    encrypted: variant('encrypted', createMemoryTarget()),
    plain: variant('plain', createMemoryTarget()),
    naive: null,
    turns: 1,
    onOpen: async () => {},
  });
  const done = run.run();
  run.stop();
  expect((await done).jobs.every(({ stats }) => stats.requests() === 0)).toBe(true);
});
