/**
 * What the curves are drawn from: modelled disks in real time beside the same in virtual time, and
 * what a simulated fleet costs.
 */
import { execFileSync } from 'node:child_process';
import { openPlane, simulateFleet } from '../../src/index.ts';
import { closedLoop } from '../floors/pacing.ts';

const KIB = 1024;
const DEPTHS = [1, 2, 4, 8, 16, 32, 64];
const TURNS = 9;
/** Not the very best: a disk whose callers were late makes up for it (performance/pacer.ts). */
const PLACE = 2;
const FLEETS = [100, 1000, 10_000, 100_000];
/** Requests a second that a source makes that waits for nothing but its queue depth. */
const ENDLESS = 5_000_000;

const LEVELS = [
  { level: 'PL0', gib: 100, published: 3_000 },
  { level: 'PL1', gib: 100, published: 6_800 },
  { level: 'PL2', gib: 461, published: 24_850 },
  { level: 'PL3', gib: 1_261, published: 64_850 },
] as const;

export interface RateCurve {
  readonly level: string;
  readonly gib: number;
  readonly published: number;
  readonly points: readonly {
    readonly depth: number;
    /** IOPS of 4 KiB writes. */
    readonly real: number;
    readonly virtual: number;
  }[];
}

export interface FleetCost {
  readonly disks: number;
  readonly requests: number;
  /** Of all threads. */
  readonly processorSeconds: number;
  readonly memoryMiB: number;
}

/** IOPS of encrypted disks by how many requests are in flight. */
export async function measureRates(milliseconds: number): Promise<RateCurve[]> {
  const curves: RateCurve[] = [];
  for (const { level, gib, published } of LEVELS) {
    await using plane = await openPlane({ memory: true, performance: 'modelled' });
    const { DiskId } = await plane.call('CreateDisk', {
      DiskCategory: 'cloud_essd',
      PerformanceLevel: level,
      Size: gib,
      Encrypted: true,
    });
    await using disk = await plane.attach(DiskId);
    const points: { depth: number; real: number; virtual: number }[] = [];
    for (const depth of DEPTHS) {
      // What else the machine does slows turns down: of those but the first, one of the best.
      const turns: number[] = [];
      for (let turn = 0; turn <= TURNS; turn++) {
        turns.push((await closedLoop(disk, 4 * KIB, depth, milliseconds)).rate);
      }
      const real = Math.round(turns.slice(1).sort((one, other) => other - one)[PLACE]!);
      points.push({ depth, real, virtual: await virtualRate(level, gib, depth) });
    }
    curves.push({ level, gib, published, points });
  }
  return curves;
}

async function virtualRate(performanceLevel: string, size: number, queueDepth: number) {
  const { report } = await simulateFleet({
    duration: 10,
    load: {
      arrivals: 'poisson',
      iopsPerDisk: ENDLESS,
      queueDepth,
      readPercent: 0,
      blockSizes: [{ size: 4 * KIB, percent: 100 }],
    },
    disks: [{ count: 1, category: 'cloud_essd', performanceLevel, size }],
  });
  return Math.round(report.fleet.iops);
}

/** An hour of ever more disks at 1 IOPS each, every fleet in a process of its own. */
export function measureFleets(program: string): FleetCost[] {
  return FLEETS.map((disks) => {
    const words = [program, '--fleet', `${disks}`];
    return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as FleetCost;
  });
}

/** In the process of its own. */
export async function fleetCost(count: number): Promise<FleetCost> {
  const { report } = await simulateFleet({
    duration: '1h',
    load: { iopsPerDisk: 1, zipf: 0.8 },
    disks: [{ count }],
  });
  const { user, system } = process.cpuUsage();
  return {
    disks: count,
    requests: report.fleet.requests,
    processorSeconds: Number(((user + system) / 1e6).toPrecision(3)),
    memoryMiB: Math.round(process.resourceUsage().maxRSS / KIB),
  };
}
