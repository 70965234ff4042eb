/**
 * A closed loop over disks of the library: as many requests in flight as asked for, nothing else.
 */
import { createPrng } from '../../src/base/prng.ts';
import type { Disk } from '../../src/index.ts';

export interface LoopOptions {
  readonly direction: 'read' | 'write';
  readonly blockBytes: number;
  readonly iodepth: number;
  readonly milliseconds: number;
  /** Part of each disk that is used, from its start. */
  readonly spanBytes: number;
  readonly isRandom: boolean;
  /** Gives a request's buffer; registered with the plane, it is used in place. */
  readonly allocate?: (bytes: number) => Uint8Array;
}

/** @returns bytes per second over all disks together */
export async function closedLoop(disks: readonly Disk[], options: LoopOptions): Promise<number> {
  const { direction, blockBytes, iodepth, milliseconds, spanBytes, isRandom } = options;
  const { allocate = (bytes: number) => new Uint8Array(bytes) } = options;
  const blocks = Math.floor(spanBytes / blockBytes);
  const lanes = disks.flatMap((disk, diskIndex) => {
    let position = 0;
    const next = (): number => position++ % blocks;
    return Array.from({ length: iodepth }, (_, index) => {
      const random = createPrng(diskIndex * 1000 + index);
      const buffer = allocate(blockBytes);
      random.fill(buffer);
      return { disk, buffer, next: isRandom ? () => random.nextBelow(blocks) : next };
    });
  });
  let completed = 0;
  const start = performance.now();
  const deadline = start + milliseconds;
  await Promise.all(
    lanes.map(async ({ disk, buffer, next }) => {
      while (performance.now() < deadline) {
        const offset = next() * blockBytes;
        if (direction === 'read') await disk.read(offset, buffer);
        else await disk.write(offset, buffer);
        completed++;
      }
    }),
  );
  return (completed * blockBytes * 1000) / (performance.now() - start);
}

/** Writes the span once, so that no read is answered from a hole. */
export async function fillDisk(disk: Disk, spanBytes: number): Promise<void> {
  const blockBytes = 1 << 20;
  const buffer = new Uint8Array(blockBytes);
  createPrng(1).fill(buffer);
  for (let at = 0; at < spanBytes; at += 8 * blockBytes) {
    const ends = Math.min(spanBytes, at + 8 * blockBytes);
    const writes: Promise<void>[] = [];
    for (let offset = at; offset < ends; offset += blockBytes) {
      writes.push(disk.write(offset, buffer));
    }
    await Promise.all(writes);
  }
}
