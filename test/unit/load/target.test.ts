import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryTarget, createNullTarget } from '../../../src/load/target.ts';

test('null keeps nothing and leaves buffers alone', async () => {
  const target = createNullTarget();
  const disk = await target.openDisk('a', 4096);
  const into = new Uint8Array(512).fill(7);
  await disk.write(0, into);
  await disk.read(0, into);
  await disk.trim(0, 512);
  await disk.flush();
  expect(into.every((byte) => byte === 7)).toBe(true);
  expect(target.keepsBytes).toBe(false);
  await disk.close();
  await target.close();
});

test('nothing completes in the turn it was asked in, and timers run beside a loop', async () => {
  const disk = await createNullTarget().openDisk('a', 4096);
  let isDone = false;
  const done = disk.flush().then(() => {
    isDone = true;
  });
  await Promise.resolve();
  expect(isDone).toBe(false);
  await done;
  let hasTimerRun = false;
  setTimeout(() => {
    hasTimerRun = true;
  }, 1);
  for (let request = 0; request < 1e6 && !hasTimerRun; request++) await disk.flush();
  expect(hasTimerRun).toBe(true);
});

describe('memory', () => {
  test('is a plain byte array', async () => {
    const size = 300_000;
    const request = fc.record({
      kind: fc.constantFrom('write', 'read', 'trim'),
      offset: fc.integer({ min: 0, max: size - 1 }),
      length: fc.integer({ min: 1, max: 150_000 }),
      byte: fc.integer({ min: 1, max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 15 }), async (requests) => {
        const disk = await createMemoryTarget().openDisk('a', size);
        const model = new Uint8Array(size);
        for (const { kind, offset, length, byte } of requests) {
          const end = Math.min(size, offset + length);
          if (kind === 'write') {
            void disk.write(offset, new Uint8Array(end - offset).fill(byte));
            model.fill(byte, offset, end);
          } else if (kind === 'trim') {
            void disk.trim(offset, end - offset);
            model.fill(0, offset, end);
          } else {
            const into = new Uint8Array(end - offset).fill(99);
            await disk.read(offset, into);
            expect(Buffer.compare(into, model.subarray(offset, end))).toBe(0);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test('opened again by its name it has its bytes, and is fresh no more', async () => {
    const target = createMemoryTarget();
    const first = await target.openDisk('a', 4096);
    await first.write(0, Uint8Array.of(5));
    const again = await target.openDisk('a', 4096);
    const into = new Uint8Array(1);
    await again.read(0, into);
    expect([first.isFresh, again.isFresh, into[0]]).toEqual([true, false, 5]);
  });

  test('a range outside the disk is refused', async () => {
    const disk = await createMemoryTarget().openDisk('a', 4096);
    for (const offset of [-1, 4000]) {
      expect(() => disk.read(offset, new Uint8Array(512))).toThrow('OutOfRange: disk a');
      expect(() => disk.write(offset, new Uint8Array(512))).toThrow('OutOfRange');
      expect(() => disk.trim(offset, 512)).toThrow('OutOfRange');
    }
  });
});
