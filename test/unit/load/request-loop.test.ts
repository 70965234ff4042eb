import { expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import { MismatchLog } from '../../../src/load/disk-verifier.ts';
import { LoadStats } from '../../../src/load/load-stats.ts';
import {
  FLUSH,
  type Operation,
  type OperationSource,
  READ,
  SOURCE_END,
  SOURCE_READY,
  SOURCE_WAIT,
  type SourceAnswer,
  TRIM,
  WRITE,
} from '../../../src/load/operation-source.ts';
import { RequestLoop } from '../../../src/load/request-loop.ts';
import type { RequestLoopOptions } from '../../../src/load/request-loop-options.ts';
import type { TargetDisk } from '../../../src/load/target.ts';

/** A disk whose requests complete when the test says. */
function manualDisk(): {
  disk: TargetDisk;
  pending: { kind: string; bytes: Uint8Array; resolve: () => void; reject: (e: unknown) => void }[];
} {
  const pending: ReturnType<typeof manualDisk>['pending'] = [];
  const ask = (kind: string) => (_offset?: number, bytes?: unknown) =>
    new Promise<void>((resolve, reject) => {
      const view = bytes instanceof Uint8Array ? bytes : new Uint8Array();
      pending.push({ kind, bytes: view, resolve, reject });
    });
  const disk: TargetDisk = {
    name: 'manual',
    sizeBytes: 2 ** 30,
    isFresh: true,
    read: ask('read'),
    write: ask('write'),
    flush: ask('flush'),
    trim: ask('trim'),
    close: async () => {},
  };
  return { disk, pending };
}

/** Gives the operations of a list, or waits where the list says 'wait'. */
function listSource(
  disk: TargetDisk,
  operations: (Operation | 'wait')[],
): OperationSource & { release: () => void } {
  let resume: () => void = () => {};
  const source = {
    operation: READ as Operation,
    offsetBytes: 0,
    lengthBytes: 512,
    disk: { disk, verifier: null },
    dueAtMs: 0,
    next: (): SourceAnswer => {
      const [next] = operations;
      if (next === undefined) return SOURCE_END;
      if (next === 'wait') return SOURCE_WAIT;
      operations.shift();
      source.operation = next;
      return SOURCE_READY;
    },
    ready: () =>
      new Promise<void>((resolve) => {
        resume = resolve;
      }),
    progress: () => 0.25,
    release: () => {
      operations.shift();
      resume();
    },
  };
  return source;
}

function loopOf(
  source: OperationSource,
  options: Partial<RequestLoopOptions> = {},
): { loop: RequestLoop; stats: LoadStats } {
  const stats = new LoadStats();
  const loop = new RequestLoop({
    source,
    depth: 2,
    stats,
    log: new MismatchLog(),
    payload: 'scramble',
    seed: 1,
    bufferBytes: 512,
    ...options,
  });
  return { loop, stats };
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('depth requests are in flight, a completion makes room for one', async () => {
  const { disk, pending } = manualDisk();
  const { loop, stats } = loopOf(listSource(disk, [READ, WRITE, TRIM, READ]));
  const end = loop.run();
  expect(pending.map(({ kind }) => kind)).toEqual(['read', 'write']);
  pending[1]!.resolve();
  await tick();
  expect(pending.map(({ kind }) => kind)).toEqual(['read', 'write', 'trim']);
  pending[0]!.resolve();
  pending[2]!.resolve();
  await tick();
  pending[3]!.resolve();
  expect(await end).toEqual({ error: null });
  expect([READ, WRITE, TRIM].map((each) => stats.direction(each as Operation).requests)).toEqual([
    2, 1, 1,
  ]);
  expect(stats.direction(READ).bytes).toBe(1024);
});

test('a failed request ends the loop once the others are done, with its error', async () => {
  const { disk, pending } = manualDisk();
  const { loop, stats } = loopOf(listSource(disk, [READ, READ, READ]));
  const end = loop.run();
  pending[0]!.reject(new Error('first'));
  await tick();
  pending[1]!.reject(new Error('second'));
  expect(await end).toEqual({ error: new Error('first') });
  expect(pending).toHaveLength(2);
  expect(stats.requests()).toBe(0);
});

test('no request has been under way for longer than it has been due', async () => {
  const { disk, pending } = manualDisk();
  const source = listSource(disk, [READ, READ]);
  const slow: OperationSource & { dueAtMs: number } = {
    ...source,
    next: () => {
      const answer = source.next();
      slow.dueAtMs = performance.now() + 5;
      while (performance.now() < slow.dueAtMs);
      return answer;
    },
  };
  const { loop, stats } = loopOf(slow);
  const end = loop.run();
  for (const { resolve } of pending) resolve();
  await end;
  expect(stats.response.count).toBe(2);
  expect(stats.direction(READ).latency.mean()).toBeLessThanOrEqual(stats.response.mean());
});

test('a target that throws instead of rejecting fails the request', async () => {
  const { disk } = manualDisk();
  const throwing: TargetDisk = {
    ...disk,
    read: () => {
      throw new Error('thrown');
    },
  };
  const { loop } = loopOf(listSource(throwing, [READ]));
  expect(await loop.run()).toEqual({ error: new Error('thrown') });
});

test('a broken invariant is not a result', async () => {
  const { disk, pending } = manualDisk();
  const { loop } = loopOf(listSource(disk, [READ]));
  const end = loop.run();
  pending[0]!.reject(new InvariantError('broken'));
  await expect(end).rejects.toThrow('broken');
});

test('stop lets what is in flight complete and makes no more', async () => {
  const { disk, pending } = manualDisk();
  const { loop, stats } = loopOf(listSource(disk, [READ, READ, READ]));
  const end = loop.run();
  loop.stop();
  pending[0]!.resolve();
  await tick();
  pending[1]!.resolve();
  expect(await end).toEqual({ error: null });
  expect([pending.length, stats.requests()]).toEqual([2, 2]);
});

test('a source that waits is asked again when ready, and a stop does not wait for it', async () => {
  const { disk, pending } = manualDisk();
  const source = listSource(disk, [READ, 'wait', READ, 'wait']);
  const { loop } = loopOf(source);
  const end = loop.run();
  expect(pending).toHaveLength(1);
  pending[0]!.resolve();
  await tick();
  expect(pending).toHaveLength(1);
  source.release();
  await tick();
  expect(pending).toHaveLength(2);
  pending[1]!.resolve();
  await tick();
  loop.stop();
  expect(await end).toEqual({ error: null });
  source.release();
  await tick();
  expect(pending).toHaveLength(2);
});

test('a source that fails to become ready ends the loop with its error', async () => {
  const { disk } = manualDisk();
  const source = {
    ...listSource(disk, ['wait']),
    ready: () => Promise.reject(new Error('bad line')),
  };
  expect(await loopOf(source).loop.run()).toEqual({ error: new Error('bad line') });
});

test('every N writes are followed by a flush, and a last one ends the run', async () => {
  const kinds: string[] = [];
  const { disk } = manualDisk();
  const quick: TargetDisk = {
    ...disk,
    write: async () => void kinds.push('write'),
    flush: async () => void kinds.push('flush'),
  };
  const source = listSource(quick, [WRITE, WRITE, WRITE, WRITE, WRITE]);
  const { loop, stats } = loopOf(source, { depth: 1, syncEvery: 2, syncsAtEnd: true });
  await loop.run();
  expect(kinds.join(' ')).toBe('write write flush write write flush write flush');
  expect(stats.direction(FLUSH).requests).toBe(3);
});

test('time ends a loop whose source has no end, also while it waits', async () => {
  const { disk } = manualDisk();
  const quick: TargetDisk = { ...disk, read: () => tick() };
  const endless = { ...listSource(quick, []), next: (): SourceAnswer => SOURCE_READY };
  const busy = loopOf(endless, { runtimeMs: 60 });
  const began = performance.now();
  await busy.loop.run();
  const waiting = loopOf(listSource(disk, ['wait']), { runtimeMs: 60 });
  await waiting.loop.run();
  const elapsed = performance.now() - began;
  expect(elapsed).toBeGreaterThan(110);
  expect(elapsed).toBeLessThan(20_000);
  expect(busy.stats.requests()).toBeGreaterThan(2);
  expect(busy.stats.direction(READ).runtimeMs).toBeGreaterThan(55);
});

test('what began in the ramp is made and not counted', async () => {
  let made = 0;
  const { disk } = manualDisk();
  const quick: TargetDisk = {
    ...disk,
    read: () => {
      made += 1;
      return tick();
    },
  };
  const endless = { ...listSource(quick, []), next: (): SourceAnswer => SOURCE_READY };
  const { loop, stats } = loopOf(endless, { rampMs: 50, runtimeMs: 50 });
  const began = performance.now();
  await loop.run();
  const elapsed = performance.now() - began;
  expect(stats.requests()).toBeGreaterThan(0);
  expect(stats.requests()).toBeLessThan(made);
  expect(stats.direction(READ).runtimeMs).toBeLessThan(elapsed - 49);
});

test('payloads are scrambled in every sector, or the same, or new, or zeros', async () => {
  const written = async (payload: RequestLoopOptions['payload']): Promise<Uint8Array[]> => {
    const copies: Uint8Array[] = [];
    const { disk } = manualDisk();
    const keeping: TargetDisk = {
      ...disk,
      write: async (_offset, bytes) => void copies.push(bytes.slice()),
    };
    const long = Object.assign(listSource(keeping, [WRITE, WRITE]), { lengthBytes: 8192 });
    await loopOf(long, { depth: 1, payload, bufferBytes: 8192 }).loop.run();
    return copies;
  };
  const same = ([left, right]: Uint8Array[]): boolean => Buffer.compare(left!, right!) === 0;
  expect(same(await written('same'))).toBe(true);
  expect(same(await written('scramble'))).toBe(false);
  const [first, second] = await written('scramble');
  expect(same([first!.subarray(4096), second!.subarray(4096)])).toBe(false);
  expect(same([first!.subarray(0, 4096), first!.subarray(4096)])).toBe(false);
  const [one, two] = await written('refill');
  expect(one!.filter((byte, at) => byte === two![at]).length).toBeLessThan(200);
  const zeros = await written('zero');
  expect(zeros.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
});

test('progress is the nearer of the ends known', async () => {
  const { disk } = manualDisk();
  const timed = loopOf(listSource(disk, ['wait']), { runtimeMs: 50 });
  const end = timed.loop.run();
  expect(timed.loop.progress()).toBeGreaterThanOrEqual(0.25);
  await end;
  expect(timed.loop.progress()).toBeGreaterThan(0.9);
  const untimed = loopOf(listSource(disk, ['wait'])).loop;
  expect(untimed.progress()).toBe(0.25);
});

test('a loop runs once', async () => {
  const { disk } = manualDisk();
  const { loop } = loopOf(listSource(disk, []));
  await loop.run();
  expect(() => loop.run()).toThrow('a loop runs once');
});
