/**
 * What the checksum of a sector costs. One operation is one sector, whatever the call.
 *
 * Cached: 32 sectors again and again, as after their encryption. In order: a segment of 16 MiB from
 * its start, as a scrub or a sequential read finds it. That is more than a core's own caches hold,
 * so it measures the machine's memory as much as the checksum.
 */
import { Bench } from 'tinybench';
import { SectorMemory } from '../../src/base/sector-memory.ts';
import { MIB, SECTOR_BYTES } from '../../src/base/units.ts';
import type { BenchRow } from './row.ts';

const RUN_SECTORS = 32;
const RUN_BYTES = RUN_SECTORS * SECTOR_BYTES;

interface Row {
  readonly name: string;
  /** Works on RUN_SECTORS sectors. */
  readonly call: () => void;
}

function rowsOver(memory: SectorMemory): Row[] {
  const regionBytes = memory.region.bytes.byteLength;
  const sums = new Uint32Array(RUN_SECTORS);
  memory.checksums(0, RUN_SECTORS, sums, 0);
  const target = new Uint32Array(RUN_SECTORS);
  let offset = 0;
  return [
    {
      name: 'checksum, cached',
      call: () => {
        for (let at = 0; at < RUN_BYTES; at += SECTOR_BYTES) memory.checksum(at);
      },
    },
    {
      name: `checksums of ${RUN_SECTORS}, cached`,
      call: () => memory.checksums(0, RUN_SECTORS, target, 0),
    },
    {
      name: `findMismatch of ${RUN_SECTORS}, cached`,
      call: () => {
        if (memory.findMismatch(0, RUN_SECTORS, sums, 0) !== -1) throw new Error('a mismatch');
      },
    },
    {
      name: `checksums of ${RUN_SECTORS}, 16 MiB in order`,
      call: () => {
        memory.checksums(offset, RUN_SECTORS, target, 0);
        offset = (offset + RUN_BYTES) % regionBytes;
      },
    },
  ];
}

/** @param isSmoke true: only long enough to see that everything runs */
export async function checksum(isSmoke: boolean): Promise<BenchRow[]> {
  const memory = new SectorMemory(isSmoke ? MIB : 16 * MIB);
  try {
    // Every page its own: unwritten ones may all be the one page of zeros, which is always cached.
    for (let at = 0; at < memory.region.bytes.byteLength; at += 64) memory.region.bytes[at] = at;
    const bench = new Bench({
      time: isSmoke ? 5 : 500,
      warmupTime: isSmoke ? 1 : 100,
      iterations: 16,
      throws: true,
    });
    const rows = rowsOver(memory);
    for (const { name, call } of rows) bench.add(name, call);
    await bench.run();
    return rows.map(({ name }) => {
      const result = bench.getTask(name)?.result;
      if (result?.state !== 'completed') throw new Error(`${name} was not measured`);
      const sectorsPerSecond = (RUN_SECTORS * 1_000) / result.latency.p50;
      return {
        name,
        opsPerSecond: sectorsPerSecond,
        bytesPerSecond: sectorsPerSecond * SECTOR_BYTES,
      };
    });
  } finally {
    memory.release();
  }
}
