/** Waits against a timer that rings when the test says, and against the kernel's. */
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openNative } from '../../../src/base/native.ts';
import { DueTimer, Waits } from '../../../src/load/due-timer.ts';
import { openKernelTimer } from '../../../src/load/kernel-timer.ts';

/** What a timer was told, and its ring. */
function handTimer() {
  const told: (number | boolean)[] = [];
  let ring = (): void => {};
  const waits = new Waits((onRing) => {
    ring = onRing;
    return {
      set: (milliseconds) => told.push(milliseconds),
      keepAlive: (isKept) => told.push(isKept),
      close: () => {},
    };
  });
  return { waits, told, ring: () => ring() };
}

async function passed(dueAtMs: number): Promise<void> {
  while (performance.now() < dueAtMs) await new Promise((resolve) => setImmediate(resolve));
}

describe('who waits in one thread shares a timer', () => {
  test('it is set to the earliest, and anew only for an earlier one', () => {
    const { waits, told } = handTimer();
    const nowMs = performance.now();
    for (const afterMs of [5_000, 9_000, 2_000]) {
      waits.add({ dueAtMs: nowMs + afterMs, resolve: () => {} });
    }
    expect(told.slice(0, 2)).toEqual([false, true]);
    const set = told.slice(2) as number[];
    expect(set).toHaveLength(2);
    expect(set[0]).toBeGreaterThan(set[1]!);
    expect(set[0]).toBeLessThanOrEqual(5_000);
    expect(set[1]).toBeLessThanOrEqual(2_000);
  });

  test('a ring ends the waits that are due, in order; the timer is set for the rest', async () => {
    const { waits, told, ring } = handTimer();
    const nowMs = performance.now();
    const ended: string[] = [];
    const add = (name: string, dueAtMs: number): void =>
      waits.add({ dueAtMs, resolve: () => ended.push(name) });
    add('late', nowMs + 60_000);
    add('second', nowMs + 0.2);
    add('first', nowMs + 0.1);
    await passed(nowMs + 0.2);
    const before = told.length;
    ring();
    expect(ended).toEqual(['first', 'second']);
    expect(told.slice(before)).toEqual([expect.any(Number)]);
  });

  test('a ring before its time ends nothing; the last to go lets the process end', () => {
    const { waits, told, ring } = handTimer();
    const wait = {
      dueAtMs: performance.now() + 60_000,
      resolve: () => expect.unreachable('it is not due'),
    };
    waits.add(wait);
    ring();
    expect(told.at(-1)).toEqual(expect.any(Number));
    waits.remove(wait);
    expect(told.at(-1)).toBe(false);
    const before = told.length;
    waits.remove(wait);
    ring();
    expect(told.slice(before)).toEqual([false]);
  });
});

describe.each([
  ['the thread has a kernel timer or not', undefined],
  ['there is none', new Waits(() => null)],
])('a due timer, where %s', (_where, waits) => {
  test('a wait never ends the turn it began in, nor much before it is due', async () => {
    const timer = new DueTimer(waits);
    let turns = 0;
    for (const afterMs of [-1, 0, 0.3, 4]) {
      const dueAtMs = performance.now() + afterMs;
      while (performance.now() < dueAtMs || turns === 0) {
        await timer.wait(dueAtMs);
        turns += 1;
      }
      expect(performance.now()).toBeGreaterThanOrEqual(dueAtMs);
      turns = 0;
    }
  });

  test('what is cancelled does not end', async () => {
    const timer = new DueTimer(waits);
    let hasEnded = false;
    timer.wait(performance.now() + 5).then(() => {
      hasEnded = true;
    });
    timer.cancel();
    timer.cancel();
    await new DueTimer(waits).wait(performance.now() + 20);
    expect(hasEnded).toBe(false);
  });
});

const absent = openKernelTimer(() => {}) === null ? '(skipped: no timerfd here)' : '';

describe("the kernel's timer", () => {
  test.skipIf(absent !== '')(
    `rings after its time, once for each time it is set ${absent}`,
    async () => {
      const rings: number[] = [];
      let ended = (): void => {};
      const timer = openKernelTimer(() => {
        rings.push(performance.now());
        ended();
      })!;
      for (const milliseconds of [0, 0.05, 3, 1_001]) {
        const beganAtMs = performance.now();
        await new Promise<void>((resolve) => {
          ended = resolve;
          timer.set(milliseconds);
        });
        expect(rings.at(-1)! - beganAtMs).toBeGreaterThanOrEqual(milliseconds - 0.01);
      }
      expect(rings).toHaveLength(4);
      timer.close();
    },
  );

  test.skipIf(absent !== '')(`a process ends that waits for nothing ${absent}`, () => {
    const file = pathToFileURL('dist/src/load/due-timer.js').href;
    const script = `
      const { DueTimer } = await import(${JSON.stringify(file)});
      const timer = new DueTimer();
      await timer.wait(performance.now() + 3);
      timer.wait(performance.now() + 600_000);
      timer.cancel();
      console.log('ended');`;
    const { stdout, status } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { encoding: 'utf8', timeout: 60_000 },
    );
    expect([stdout, status]).toEqual(['ended\n', 0]);
  });

  test('there is none without native code, its symbols, or descriptors', () => {
    const ring = (): void => {};
    expect(openKernelTimer(ring, null)).toBeNull();
    const { library } = openNative();
    if (library === null) return;
    expect(openKernelTimer(ring, { ...library, find: () => null })).toBeNull();
    for (const failing of ['pipe2', 'timerfd_create', 'dup3']) {
      const find = (prototype: string) =>
        prototype.includes(failing) ? () => -1 : library.find(prototype);
      expect(openKernelTimer(ring, { ...library, find })).toBeNull();
    }
  });
});
