import { describe, expect, test } from 'vitest';
import { RecordLocks } from '../../../src/meta/record-locks.ts';

const tick = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('turns at a record', () => {
  test('holders of one id follow one another in the order they asked', async () => {
    const locks = new RecordLocks();
    const log: string[] = [];
    const hold = (name: string, ms: number): Promise<void> =>
      locks.hold('d', async () => {
        log.push(`${name} in`);
        await tick(ms);
        log.push(`${name} out`);
      });
    await Promise.all([hold('a', 15), hold('b', 1), hold('c', 5)]);
    expect(log).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
    expect(locks.size).toBe(0);
  });

  test('holders of different ids do not wait for each other', async () => {
    const locks = new RecordLocks();
    let release = (): void => undefined;
    const first = locks.hold('a', () => new Promise<void>((resolve) => (release = resolve)));
    await expect(locks.hold('b', async () => 'done')).resolves.toBe('done');
    release();
    await first;
  });

  test('a holder that fails gets its error and lets the next one in', async () => {
    const locks = new RecordLocks();
    const failing = locks.hold('a', async () => {
      await tick(1);
      throw new Error('mine');
    });
    const next = locks.hold('a', async () => 'in');
    await expect(failing).rejects.toThrow('mine');
    await expect(next).resolves.toBe('in');
    expect(locks.size).toBe(0);
  });
});
