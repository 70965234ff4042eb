/**
 * A fleet made ready: for each kind of disk (an entry of FleetOptions.disks) what its disks have in
 * common, in typed arrays; the mean rate of every disk; and the parts the work is done in.
 *
 * 1. A plan depends on the options alone: every thread makes its own, and they are equal.
 * 2. Disks are numbered through the kinds in order. A part is some instances of one kind, one after
 *    the other (a disk without an instance counts as one), and does not depend on how many threads
 *    there are: results of parts, added up in order, are the result.
 * 3. Which disk has which place in the zipf of its kind is drawn from the seed.
 */
import { PlaneError } from '../base/errors.ts';
import { FLEET_PARTS } from '../limits.ts';
import { PERFORMANCE } from '../performance/figures.ts';
import {
  iopsAtBlockSize,
  type PerformanceProfile,
  profileOf,
  provisionedIopsMax,
} from '../performance/profile.ts';
import { type AliasTable, createAliasTable, MIX_VALUES_MAX } from './alias-table.ts';
import { type ArrivalPlan, planArrivals } from './arrivals.ts';
import { power } from './elementary.ts';
import {
  type FleetDisks,
  type FleetLoad,
  type FleetOptions,
  LOAD_DEFAULTS,
} from './fleet-options.ts';
import { nextUint32, RANDOM_WORDS, seedRandom } from './random.ts';

/** Streams of a disk's chance. */
export const STREAM_ARRIVALS = 0;
export const STREAM_REQUESTS = 1;
/** Of a kind: its number stands where the disk's does. */
const STREAM_RANKS = 2;

/** For each value of the block-size mix; times in nanoseconds. 0: no limit. */
export interface SizeColumns {
  readonly bytes: Float64Array;
  /** What a request takes of the disk's IOPS, and of its bytes a second. */
  readonly requestNs: Float64Array;
  readonly byteNs: Float64Array;
  /** Of what the disk has without bursting: what is beyond is counted. */
  readonly baseRequestNs: Float64Array;
  readonly baseByteNs: Float64Array;
  /** Of the instance's. */
  readonly instanceRequestNs: Float64Array;
  readonly instanceByteNs: Float64Array;
  /** Of the host that encrypts. */
  readonly encryptionNs: Float64Array;
}

export interface KindPlan {
  readonly kind: number;
  readonly disks: FleetDisks;
  readonly load: FleetLoad;
  readonly firstDisk: number;
  readonly disksPerInstance: number;
  readonly arrivals: ArrivalPlan;
  readonly sizes: AliasTable;
  readonly columns: SizeColumns;
  /** Below it, of 2^32, a request is a read. */
  readonly readThreshold: number;
  readonly latencyNs: number;
  /** Half the width of an even latency. */
  readonly latencySpreadNs: number;
  readonly isExponential: boolean;
  readonly canBurst: boolean;
  /** null: without limits. */
  readonly profile: PerformanceProfile | null;
  /** Requests a nanosecond, for each disk of the kind. */
  readonly rates: Float64Array;
}

export interface FleetPart {
  readonly index: number;
  readonly kind: number;
  /** Of the kind: from, and up to and without. */
  readonly from: number;
  readonly to: number;
  /** Requests to be expected: what is the share of the whole. */
  readonly weight: number;
}

export interface FleetPlan {
  readonly options: FleetOptions;
  readonly endNs: number;
  readonly stepNs: number;
  readonly steps: number;
  readonly diskCount: number;
  readonly kinds: readonly KindPlan[];
  readonly parts: readonly FleetPart[];
}

const STEPS_MAX = 1440;
const STEP_SECONDS = [1, 10, 60, 300, 600, 3600, 21_600, 86_400];

/** @throws PlaneError InvalidArgument: there is no such disk */
export function planFleet(options: FleetOptions): FleetPlan {
  const stepSeconds = options.step ?? stepFor(options.duration);
  const kinds: KindPlan[] = [];
  let diskCount = 0;
  for (const [kind, disks] of options.disks.entries()) {
    kinds.push(planKind(options, disks, kind, diskCount));
    diskCount += disks.count;
  }
  return {
    options,
    endNs: options.duration * 1e9,
    stepNs: stepSeconds * 1e9,
    steps: Math.ceil(options.duration / stepSeconds),
    diskCount,
    kinds,
    parts: partsOf(kinds, diskCount),
  };
}

function stepFor(durationSeconds: number): number {
  return STEP_SECONDS.find((step) => durationSeconds / step <= STEPS_MAX) ?? STEP_SECONDS.at(-1)!;
}

function planKind(
  options: FleetOptions,
  disks: FleetDisks,
  kind: number,
  firstDisk: number,
): KindPlan {
  const load = { ...LOAD_DEFAULTS, ...options.load, ...disks.load } as FleetLoad;
  const profile = profileOfKind(disks, `disks[${kind}]`);
  const latencyNs = (disks.latencyMicroseconds ?? profile?.latencyMicroseconds.average ?? 0) * 1e3;
  const isDocumented = disks.latency === 'documented' && disks.latencyMicroseconds === undefined;
  return {
    kind,
    disks,
    load,
    firstDisk,
    disksPerInstance: disks.instance?.disks ?? 1,
    arrivals: planArrivals(
      {
        isBursty: load.arrivals === 'bursty',
        onShare: load.onShare,
        onNs: load.onDuration * 1e9,
        tail: load.tail,
        diurnal: load.diurnal,
        peakHour: load.peakHour,
      },
      options.duration * 1e9,
    ),
    sizes: createAliasTable(load.blockSizes.map(({ percent }) => percent)),
    columns: columnsOf(options, disks, load, profile),
    readThreshold: (load.readPercent / 100) * 0x1_0000_0000,
    latencyNs,
    latencySpreadNs: isDocumented ? (profile?.latencyMicroseconds.spread ?? 0) * 1e3 : 0,
    isExponential: disks.latency === 'exponential',
    canBurst: (profile?.burst ?? null) !== null,
    profile,
    rates: ratesOf(options.seed, kind, disks.count, load),
  };
}

/** @param place for messages */
function profileOfKind(disks: FleetDisks, place: string): PerformanceProfile | null {
  const { category, size, provisionedIops, bursting } = disks;
  const refuse = (what: string): never => {
    throw new PlaneError('InvalidArgument', `${place}: ${what}`);
  };
  const isAuto = category === 'cloud_auto';
  if (bursting && !isAuto) refuse(`bursting is for cloud_auto, got ${category}`);
  if (provisionedIops > 0 && !isAuto) refuse(`provisionedIops is for cloud_auto, got ${category}`);
  const isEssd = category === 'cloud_essd';
  if (!isEssd && disks.performanceLevel !== undefined) {
    refuse(`performanceLevel is for cloud_essd, got ${category}`);
  }
  if (category === 'unlimited') return null;
  const performanceLevel = isEssd ? (disks.performanceLevel ?? 'PL1') : '';
  const known = PERFORMANCE.filter((row) => row.category === category);
  if (known.length === 0) {
    const names = new Set(PERFORMANCE.map((row) => row.category));
    refuse(`category: expected unlimited, ${[...names].join(', ')}, got '${category}'`);
  }
  if (!known.some((row) => row.performanceLevel === performanceLevel)) {
    const levels = known.map((row) => row.performanceLevel).sort();
    refuse(`performanceLevel: expected ${levels.join(', ')}, got '${performanceLevel}'`);
  }
  const most = provisionedIopsMax({ category, performanceLevel }, size);
  if (provisionedIops > most) {
    refuse(`provisionedIops: at most ${most} at ${size} GiB, got ${provisionedIops}`);
  }
  return profileOf({ category, performanceLevel, sizeGiB: size, provisionedIops, bursting });
}

function columnsOf(
  options: FleetOptions,
  disks: FleetDisks,
  load: FleetLoad,
  profile: PerformanceProfile | null,
): SizeColumns {
  const { nanosecondsPerByte, nanosecondsPerRequest } = options.encryption;
  const sizes = load.blockSizes.map(({ size }) => size);
  const column = (costOf: (bytes: number) => number): Float64Array => {
    const costs = new Float64Array(MIX_VALUES_MAX);
    for (const [at, bytes] of sizes.entries()) costs[at] = costOf(bytes);
    return costs;
  };
  const perRequest = (iops: number | undefined) => (bytes: number) => {
    const most = Math.min(iops ?? Infinity, iopsAtBlockSize(profile?.blockSizes ?? [], bytes));
    return 1e9 / most;
  };
  const perByte = (rate: number | undefined) => (bytes: number) =>
    rate === undefined ? 0 : (bytes * 1e9) / rate;
  const reached = profile?.burst ?? profile ?? undefined;
  const { iops, bytesPerSecond, instance } = disks;
  return {
    bytes: column((bytes) => bytes),
    requestNs: column(perRequest(iops ?? reached?.iops)),
    byteNs: column(perByte(bytesPerSecond ?? reached?.bytesPerSecond)),
    baseRequestNs: column(perRequest(profile?.iops)),
    baseByteNs: column(perByte(profile?.bytesPerSecond)),
    instanceRequestNs: column(() => (instance?.iops === undefined ? 0 : 1e9 / instance.iops)),
    instanceByteNs: column(perByte(instance?.bytesPerSecond)),
    encryptionNs: column((bytes) =>
      disks.encrypted ? nanosecondsPerRequest + nanosecondsPerByte * bytes : 0,
    ),
  };
}

/** The mean of all is iopsPerDisk, whatever the exponent. */
function ratesOf(seed: number, kind: number, count: number, load: FleetLoad): Float64Array {
  const rates = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    rates[rank] = load.zipf === 0 ? 1 : power(rank + 1, -load.zipf);
    sum += rates[rank]!;
  }
  const scale = (load.iopsPerDisk * count) / sum / 1e9;
  const random = new Int32Array(RANDOM_WORDS);
  seedRandom(random, seed, kind, STREAM_RANKS);
  for (let left = count - 1; left >= 0; left--) {
    // Off by 2^-32 at most: nothing that 100,000 disks show.
    const other = Math.floor((nextUint32(random) / 0x1_0000_0000) * (left + 1));
    const rate = rates[other]!;
    rates[other] = rates[left]!;
    rates[left] = rate * scale;
  }
  return rates;
}

function partsOf(kinds: readonly KindPlan[], diskCount: number): FleetPart[] {
  const parts: FleetPart[] = [];
  for (const { kind, disks, disksPerInstance, rates } of kinds) {
    const instances = Math.ceil(disks.count / disksPerInstance);
    const wanted = Math.max(1, Math.round((FLEET_PARTS * disks.count) / diskCount));
    const step = Math.ceil(instances / wanted) * disksPerInstance;
    for (let from = 0; from < disks.count; from += step) {
      const to = Math.min(disks.count, from + step);
      const weight = rates.subarray(from, to).reduce((sum, rate) => sum + rate, 0);
      parts.push({ index: parts.length, kind, from, to, weight });
    }
  }
  return parts;
}
