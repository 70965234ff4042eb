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
import { INSTANCE_FIGURES, instanceRatesOf } from '../performance/instance-figures.ts';
import {
  type PerformanceProfile,
  profileOf,
  provisionedIopsMax,
  stageOf,
} from '../performance/profile.ts';
import { type AliasTable, createAliasTable } from './alias-table.ts';
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

export interface KindPlan {
  readonly kind: number;
  readonly disks: FleetDisks;
  readonly load: FleetLoad;
  readonly firstDisk: number;
  readonly disksPerInstance: number;
  readonly arrivals: ArrivalPlan;
  readonly sizes: AliasTable;
  /** For each value of the mix: the size, and what its encryption takes. */
  readonly bytes: Float64Array;
  readonly encryptionUs: Float64Array;
  /** Below it, of 2^32, a request is a read. */
  readonly readThreshold: number;
  /** null: a disk without limits, whose latency is latencyUs. */
  readonly profile: PerformanceProfile | null;
  /** null: no instance, or one without limits. */
  readonly instanceProfile: PerformanceProfile | null;
  /** The mean, and of a disk without limits each. */
  readonly latencyUs: number;
  readonly isExponential: boolean;
  /** The end of a request is what the pacer says. */
  readonly isPlain: boolean;
  /** Requests a microsecond, for each disk of the kind. */
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
  readonly endUs: number;
  readonly stepUs: number;
  readonly steps: number;
  readonly diskCount: number;
  readonly kinds: readonly KindPlan[];
  readonly parts: readonly FleetPart[];
}

const UNLIMITED = Number.POSITIVE_INFINITY;
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
    endUs: options.duration * 1e6,
    stepUs: stepSeconds * 1e6,
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
  const published = publishedProfile(disks, `disks[${kind}]`);
  const profile = kindProfile(disks, published);
  const isExponential = disks.latency === 'exponential';
  const { nanosecondsPerByte, nanosecondsPerRequest } = options.encryption;
  const perSize = (costOf: (bytes: number) => number): Float64Array =>
    Float64Array.from(load.blockSizes, ({ size }) => costOf(size));
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
        onUs: load.onDuration * 1e6,
        tail: load.tail,
        diurnal: load.diurnal,
        peakHour: load.peakHour,
      },
      options.duration * 1e6,
    ),
    sizes: createAliasTable(load.blockSizes.map(({ percent }) => percent)),
    bytes: perSize((bytes) => bytes),
    encryptionUs: perSize((bytes) =>
      disks.encrypted ? (nanosecondsPerRequest + nanosecondsPerByte * bytes) / 1e3 : 0,
    ),
    readThreshold: (load.readPercent / 100) * 0x1_0000_0000,
    profile,
    instanceProfile: instanceProfile(disks, `disks[${kind}]`),
    latencyUs: disks.latencyMicroseconds ?? published?.latencyMicroseconds.average ?? 0,
    isExponential,
    isPlain: profile !== null && !isExponential && !disks.serial,
    rates: ratesOf(options.seed, kind, disks.count, load),
  };
}

/** The published figures, with what the options say in their place. */
function kindProfile(
  disks: FleetDisks,
  published: PerformanceProfile | null,
): PerformanceProfile | null {
  const { iops, bytesPerSecond, latencyMicroseconds } = disks;
  const isLimited = iops !== undefined || bytesPerSecond !== undefined;
  if (published === null && !isLimited) return null;
  const latency = published?.latencyMicroseconds ?? { average: 0, spread: 0 };
  const isEven = disks.latency === 'documented' && latencyMicroseconds === undefined;
  return {
    iops: iops ?? published?.iops ?? UNLIMITED,
    bytesPerSecond: bytesPerSecond ?? published?.bytesPerSecond ?? UNLIMITED,
    latencyMicroseconds: isEven
      ? latency
      : { average: latencyMicroseconds ?? latency.average, spread: 0 },
    burst: isLimited ? null : (published?.burst ?? null),
    blockSizes: iops === undefined ? (published?.blockSizes ?? []) : [],
  };
}

/** @param place for messages */
function instanceProfile({ instance }: FleetDisks, place: string): PerformanceProfile | null {
  const type = instance?.type;
  const published = type === undefined ? null : instanceRatesOf(type);
  if (type !== undefined && published === null) {
    const names = INSTANCE_FIGURES.map(({ instanceType }) => instanceType).join(', ');
    throw new PlaneError(
      'InvalidArgument',
      `${place}: instance.type: expected ${names}, got '${type}'`,
    );
  }
  const iops = instance?.iops ?? published?.iops ?? UNLIMITED;
  const bytesPerSecond = instance?.bytesPerSecond ?? published?.bytesPerSecond ?? UNLIMITED;
  if (iops === UNLIMITED && bytesPerSecond === UNLIMITED) return null;
  return stageOf({ iops, bytesPerSecond });
}

/** @param place for messages */
function publishedProfile(disks: FleetDisks, place: string): PerformanceProfile | null {
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

/** The mean of all is iopsPerDisk, whatever the exponent. */
function ratesOf(seed: number, kind: number, count: number, load: FleetLoad): Float64Array {
  const rates = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    rates[rank] = load.zipf === 0 ? 1 : power(rank + 1, -load.zipf);
    sum += rates[rank]!;
  }
  const scale = (load.iopsPerDisk * count) / sum / 1e6;
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
