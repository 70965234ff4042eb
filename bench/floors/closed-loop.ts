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
}

/** @returns bytes per second over all disks together */
export async function closedLoop(disks: readonly Disk[], options: LoopOptions): Promise<number> {
  const { direction, blockBytes, iodepth, milliseconds, spanBytes, isRandom } = options;
  const blocks = Math.floor(spanBytes / blockBytes);
  let completed = 0;
  const start = performance.now();
  const deadline = start + milliseconds;
  const lane = async (disk: Disk, seed: number, next: () => number): Promise<void> => {
    const random = createPrng(seed);
    const buffer = new Uint8Array(blockBytes);
    random.fill(buffer);
    while (performance.now() < deadline) {
      const block = isRandom ? random.nextBelow(blocks) : next() % blocks;
      if (direction === 'read') await disk.read(block * blockBytes, buffer);
      else await disk.write(block * blockBytes, buffer);
      completed++;
    }
  };
  const lanes = disks.flatMap((disk, diskIndex) => {
    let position = 0;
    const next = (): number => position++;
    return Array.from({ length: iodepth }, (_, index) =>
      lane(disk, diskIndex * 1000 + index, next),
    );
  });
  await Promise.all(lanes);
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
