/** The kernel's account of who stands in line for a processor, as files that a test writes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ProcessorQueue } from '../../../src/base/processor-queue.ts';

let directory: string;
let queue: ProcessorQueue;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealdisk-queue-'));
  queue = new ProcessorQueue(directory, '10');
  at(100);
});
afterEach(() => rmSync(directory, { recursive: true }));

function at(seconds: number): void {
  writeFileSync(join(directory, 'uptime'), `${seconds.toFixed(2)} 7.00\n`);
}

function thread(number: number, state: string, ranMs: number): void {
  const folder = join(directory, 'self/task', String(number));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'stat'), `${number} (a (name) R) ${state} 1 10 10 0\n`);
  writeFileSync(join(folder, 'schedstat'), `${ranMs * 1e6} 5 7\n`);
}

it.each([
  ['that would run, and is not let', 'R', 62, true],
  ['that would run, and runs', 'R', 63, false],
  ['that sleeps', 'S', 0, false],
  ['whose name alone says that it runs', 'D', 0, false],
])('a thread %s: state %s, %i ms of 500: starved is %s', (_, state, ranMs, isStarved) => {
  thread(11, state, 1_000);
  expect(queue.look()).toBe(false);
  at(100.5);
  thread(11, state, 1_000 + ranMs);
  expect(queue.look()).toBe(isStarved);
});

it('the thread that looks does not count', () => {
  thread(10, 'R', 0);
  queue.look();
  at(101);
  expect(queue.look()).toBe(false);
});

it('a thread that has begun since counts from its beginning', () => {
  thread(10, 'R', 0);
  queue.look();
  thread(12, 'R', 100);
  at(101);
  expect(queue.look()).toBe(true);
});

it('of a moment nothing is said', () => {
  thread(11, 'R', 0);
  queue.look();
  at(100.05);
  expect(queue.look()).toBe(false);
});

it('a thread that ends between two readings is left out', () => {
  mkdirSync(join(directory, 'self/task/13'), { recursive: true });
  queue.look();
  at(101);
  expect(queue.look()).toBe(false);
});

it('without an account nobody is starved', () => {
  const none = new ProcessorQueue(join(directory, 'nonesuch'));
  none.look();
  expect(none.look()).toBe(false);
});
