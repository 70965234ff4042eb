/** The processor of a thread, against what the kernel says of the thread in /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { nativeLibrary } from '../../../src/base/native.ts';
import { openThreadProcessor, type ThreadProcessor } from '../../../src/base/thread-processor.ts';

const isHere = process.platform === 'linux' && nativeLibrary() !== null;

/** As the kernel writes it: "0-1", "1". */
function allowedProcessors(): string {
  const status = readFileSync('/proc/thread-self/status', 'utf8');
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)![1]!;
}

/** The kernel's number of the processor this thread runs on. */
function runsOn(): string {
  const stat = readFileSync('/proc/thread-self/stat', 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[36]!;
}

describe.skipIf(!isHere)('the processor of a thread', () => {
  const opened: ThreadProcessor[] = [];
  const open = (): ThreadProcessor => {
    const processor = openThreadProcessor()!;
    opened.push(processor);
    return processor;
  };

  afterEach(() => {
    for (const processor of opened.splice(0).reverse()) {
      processor.leave();
      processor.close();
    }
  });

  it('is the only one a thread that stays may run on, until it leaves', () => {
    const before = allowedProcessors();
    const processor = open();
    expect(processor.stay()).toBe(true);
    expect(allowedProcessors()).toBe(runsOn());
    processor.leave();
    expect(allowedProcessors()).toBe(before);
  });

  it('is never one that the thread was not given', () => {
    open().stay();
    const given = allowedProcessors();
    const processor = open();
    expect(processor.stay()).toBe(true);
    processor.leave();
    expect(allowedProcessors()).toBe(given);
  });

  it('comes with an account of how long the thread stood in line', () => {
    const processor = open();
    processor.stay();
    const before = processor.waitedMs();
    expect(before).toBeGreaterThanOrEqual(0);
    const [, waited] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    const after = processor.waitedMs();
    expect(Number(waited) / 1e6).toBeGreaterThanOrEqual(before);
    expect(after).toBeGreaterThanOrEqual(Number(waited) / 1e6);
  });

  it('costs one descriptor, which close() gives back', () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    const before = count();
    const processor = openThreadProcessor()!;
    expect(count()).toBe(before + 1);
    processor.close();
    expect(count()).toBe(before);
  });
});

describe('without a processor to be had', () => {
  const fail = { find: () => () => -1, view: () => new ArrayBuffer(0), addressOf: () => 0 };

  it('is none where native code is not', () => {
    expect(openThreadProcessor(null)).toBeNull();
  });

  it('is none where the binary lacks a call', () => {
    for (const missing of ['sched_getcpu', 'sched_getaffinity', 'sched_setaffinity']) {
      const find = (prototype: string) => (prototype.includes(missing) ? null : () => 0);
      expect(openThreadProcessor({ ...fail, find })).toBeNull();
    }
  });

  it('is none where the system does not say which the thread was given', () => {
    expect(openThreadProcessor(fail)).toBeNull();
  });

  it('is none where the kernel keeps no account of waiting', () => {
    const find = (): (() => number) => () => 0;
    expect(openThreadProcessor({ ...fail, find }, '/nowhere/schedstat')).toBeNull();
  });

  it('is not stayed on where the system does not say which it is, or refuses', () => {
    for (const [getcpu, setaffinity] of [
      [-1, 0],
      [1024, 0],
      [availableParallelism() - 1, -1],
    ] as const) {
      const find = (prototype: string) => () => {
        if (prototype.includes('getcpu')) return getcpu;
        return prototype.includes('setaffinity') ? setaffinity : 0;
      };
      const processor = openThreadProcessor({ ...fail, find }, import.meta.filename)!;
      expect(processor.stay()).toBe(false);
      processor.close();
    }
  });
});
