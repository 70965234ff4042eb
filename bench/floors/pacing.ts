/**
 * Modelled disks against what they are sold as: the rate in a closed loop deep enough to reach it,
 * and the latency of one request at a time.
 *
 * The error is of what was done in a window of time, after as long to reach it: whole seconds of it
 * are lost where other processes have the processors, so measure on a quiet machine.
 */
import { type Disk, openPlane, type Plane } from '../../src/index.ts';
import type { Floor } from './floor.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const SPAN_BYTES = 64 * MIB;
/** Per cent. */
const ERROR_MAX = 1;
/** Of the median at depth 1, to the middle of what is published. */
const LATENCY_RATIO_MAX = 1.25;

interface Sold {
  readonly kind: Readonly<Record<string, unknown>>;
  readonly name: string;
  readonly blockBytes: number;
  readonly depth: number;
  /** Requests a second, as published. */
  readonly iops: number;
  /** Milliseconds. */
  readonly latency: readonly [least: number, most: number];
}

const sold = (
  name: string,
  kind: Sold['kind'],
  [blockKib, depth, iops]: readonly [number, number, number],
  latency: Sold['latency'],
): Sold => ({ name, kind, blockBytes: blockKib * KIB, depth, iops, latency });

const ESSD = 'cloud_essd';
const essd = (PerformanceLevel: string, Size: number): Sold['kind'] => ({
  DiskCategory: ESSD,
  PerformanceLevel,
  Size,
});
const auto = (Size: number): Sold['kind'] => ({
  DiskCategory: 'cloud_auto',
  Size,
  BurstingEnabled: true,
});
const SSD = { DiskCategory: 'cloud_ssd', Size: 2_000 };
const SLOW = [0.5, 2] as const;
const FAST = [0.2, 0.2] as const;

const DISKS: readonly Sold[] = [
  sold('cloud_essd PL0, 1 GiB', essd('PL0', 1), [4, 32, 1_812], [0.3, 0.5]),
  sold('cloud_essd PL0, 200 GiB', essd('PL0', 200), [4, 32, 4_200], [0.3, 0.5]),
  sold(
    'cloud_efficiency, 100 GiB',
    { DiskCategory: 'cloud_efficiency', Size: 100 },
    [4, 32, 2_600],
    [1, 3],
  ),
  sold('cloud_essd PL1, 100 GiB', essd('PL1', 100), [4, 32, 6_800], FAST),
  sold('cloud_auto bursting, 10 GiB', auto(10), [4, 32, 10_000], FAST),
  sold('cloud_essd PL2, 461 GiB', essd('PL2', 461), [4, 32, 24_850], FAST),
  sold('cloud_auto bursting, 50 GiB', auto(50), [4, 64, 50_000], FAST),
  sold('cloud_essd PL3, 1,261 GiB', essd('PL3', 1_261), [4, 64, 64_850], FAST),
  sold('cloud_auto bursting, 200 GiB', auto(200), [4, 256, 200_000], FAST),
  sold('cloud_essd PL1, 100 GiB', essd('PL1', 100), [128, 32, 1_360], FAST),
  sold('cloud_essd PL2, 1,260 GiB', essd('PL2', 1_260), [1_024, 16, 750], FAST),
  sold('cloud_ssd, 2,000 GiB', SSD, [4, 128, 25_000], SLOW),
  sold('cloud_ssd, 2,000 GiB', SSD, [16, 128, 17_200], SLOW),
  sold('cloud_ssd, 2,000 GiB', SSD, [32, 64, 9_600], SLOW),
  sold('cloud_ssd, 2,000 GiB', SSD, [64, 64, 4_800], SLOW),
];

export async function pacingFloors(milliseconds: number): Promise<Floor[]> {
  const floors: Floor[] = [];
  for (const each of DISKS) floors.push(...(await measure(each, milliseconds)));
  return floors;
}

async function measure(each: Sold, milliseconds: number): Promise<Floor[]> {
  await using plane = await openPlane({
    memory: true,
    performance: 'modelled',
    allowDebugging: true,
  });
  await using disk = await newDisk(plane, each);
  const { blockBytes, depth, iops, latency } = each;
  await closedLoop(disk, blockBytes, depth, milliseconds / 10);
  const { rate } = await closedLoop(disk, blockBytes, depth, milliseconds);
  const alone = await closedLoop(disk, blockBytes, 1, milliseconds / 5);
  const block = blockBytes >= MIB ? `${blockBytes / MIB} MiB` : `${blockBytes / KIB} KiB`;
  const name = `${each.name}, ${block}`;
  const mbs = ((rate * blockBytes) / MIB).toFixed(1);
  const published = latency[0] === latency[1] ? `${latency[0]}` : `${latency[0]} to ${latency[1]}`;
  const [p50, p99] = [0.5, 0.99].map((part) => percentile(alone.latencies, part));
  const middle = (latency[0] + latency[1]) / 2;
  const rateFloor: Floor = {
    name: `${name}: error of the rate`,
    measured: Math.abs(rate / iops - 1) * 100,
    unit: '%',
    kind: 'most',
    bound: ERROR_MAX,
    note: `${rate.toFixed(0)} of ${iops} IOPS at depth ${depth}, ${mbs} MB/s`,
  };
  // Published is the latency of 4 KiB; and one at a time may be more than the rate allows.
  if (blockBytes > 4 * KIB || 1000 / iops > latency[0]) return [rateFloor];
  const latencyFloor: Floor = {
    name: `${name}: latency to the published`,
    measured: p50! / middle,
    unit: '×',
    kind: 'most',
    bound: LATENCY_RATIO_MAX,
    note: `depth 1: p50 ${p50!.toFixed(2)}, p99 ${p99!.toFixed(2)} ms; published ${published}`,
  };
  return [rateFloor, latencyFloor];
}

async function newDisk(plane: Plane, { kind }: Sold): Promise<Disk> {
  const { DiskId } = await plane.call('CreateDisk', { ...kind, Encrypted: true } as never);
  return plane.attach(DiskId);
}

/** Random writes, so many in flight; what was done within the time. */
export async function closedLoop(
  disk: Disk,
  blockBytes: number,
  depth: number,
  milliseconds: number,
): Promise<{ readonly rate: number; readonly latencies: number[] }> {
  const bytes = new Uint8Array(blockBytes).fill(7);
  const blocks = SPAN_BYTES / blockBytes;
  const latencies: number[] = [];
  const begun = performance.now();
  const end = begun + milliseconds;
  let done = 0;
  let at = 0;
  const ask = async (): Promise<void> => {
    for (;;) {
      const asked = performance.now();
      if (asked >= end) return;
      // A step that meets every block before it meets one again.
      at = (at + 7_919) % blocks;
      await disk.write(at * blockBytes, bytes);
      const answered = performance.now();
      if (answered > end) return;
      done++;
      if (depth === 1) latencies.push(answered - asked);
    }
  };
  await Promise.all(Array.from({ length: depth }, ask));
  return { rate: (done / milliseconds) * 1000, latencies };
}

function percentile(values: number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
}
