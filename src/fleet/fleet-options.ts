/**
 * What a fleet is: its disks, the load on them, and what is counted; as a library user says it, and
 * as a YAML file does. Sizes and times may be written as people do (`4k`, `100G`, `1d`). What is
 * left out has the defaults below; a group of disks may have a load of its own.
 *
 *   seed: 1
 *   duration: 1d
 *   load: { iopsPerDisk: 5, zipf: 1, readPercent: 60 }
 *   disks:
 *     - { count: 800, category: cloud_essd, performanceLevel: PL1, size: 100G }
 *     - { count: 200, category: cloud_auto, size: 40G, bursting: true, load: { iopsPerDisk: 20 } }
 *   encryption: { nanosecondsPerByte: 0.25 }
 */
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';
import {
  FLEET_DISKS_MAX,
  FLEET_INSTANCE_DISKS_MAX,
  FLEET_QUEUE_DEPTH_MAX,
  FLEET_SECONDS_MAX,
  REQUEST_BYTES_MAX,
} from '../limits.ts';
import { MIX_VALUES_MAX } from './alias-table.ts';

const BYTE_UNITS = { '': 1, k: 1024, m: 1024 * 1024, g: 1024 * 1024 * 1024 };
const SECOND_UNITS = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };
const GIB_UNITS = { '': 1, g: 1, t: 1024 };

const bytes = quantity(BYTE_UNITS, 'bytes, as in 4096, 4k or 1M');
const seconds = quantity(SECOND_UNITS, 'a time, as in 90, 90s, 1h or 1d');
const gibibytes = quantity(GIB_UNITS, 'whole GiB, as in 100, 100G or 2T');

const number = (least: number, most: number) =>
  v.pipe(v.number(), v.minValue(least), v.maxValue(most));
const whole = (least: number, most: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));
const RATE_MAX = 1e12;

const blockSizes = v.pipe(
  v.array(
    v.strictObject({
      size: v.pipe(bytes, v.safeInteger(), v.minValue(1), v.maxValue(REQUEST_BYTES_MAX)),
      percent: number(0.0001, 100),
    }),
  ),
  v.minLength(1),
  v.maxLength(MIX_VALUES_MAX),
  v.check(
    (sizes) => Math.abs(sizes.reduce((sum, each) => sum + each.percent, 0) - 100) < 1e-6,
    'expected percentages that add up to 100',
  ),
);

const load = v.partial(
  v.strictObject({
    /** Requests a second of a disk: the mean over disks and time. */
    iopsPerDisk: number(0, 1e7),
    /** How uneven disks are: the k-th busiest of a group has a share of 1/k^zipf. 0: all alike. */
    zipf: number(0, 3),
    /** bursty: on and off by turns; poisson: requests that know nothing of each other. */
    arrivals: v.picklist(['bursty', 'poisson']),
    /** bursty: the share of the time in which a disk is asked for anything. */
    onShare: number(0.0001, 0.9999),
    /** bursty: how long it is on at a time, on average. */
    onDuration: v.pipe(seconds, v.minValue(0.001), v.maxValue(FLEET_SECONDS_MAX)),
    /** bursty: exponent of the Pareto lengths; 0: they are exponential. */
    tail: v.union([v.literal(0), number(1.1, 10)]),
    /** How far the rate swings about its mean over a day. The simulation begins at midnight. */
    diurnal: number(0, 1),
    peakHour: number(0, 24),
    /** Requests of a disk in flight at once; beyond it their source waits. 0: no bound. */
    queueDepth: whole(0, FLEET_QUEUE_DEPTH_MAX),
    readPercent: number(0, 100),
    blockSizes,
  }),
);

export const LOAD_DEFAULTS: FleetLoad = {
  iopsPerDisk: 5,
  zipf: 0,
  arrivals: 'bursty',
  onShare: 0.1,
  onDuration: 1,
  tail: 1.5,
  diurnal: 0,
  peakHour: 14,
  queueDepth: 128,
  readPercent: 50,
  blockSizes: [
    { size: 4096, percent: 60 },
    { size: 16_384, percent: 25 },
    { size: 65_536, percent: 10 },
    { size: 262_144, percent: 5 },
  ],
};

const limits = {
  iops: v.optional(number(0.001, RATE_MAX)),
  bytesPerSecond: v.optional(v.pipe(bytes, v.minValue(1), v.maxValue(RATE_MAX))),
};

const disks = v.strictObject({
  name: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(64))),
  count: whole(1, FLEET_DISKS_MAX),
  /** A category of the cloud; `unlimited` has no limits and no latency but what is said here. */
  category: v.optional(v.string(), 'cloud_essd'),
  /** @default PL1 for cloud_essd */
  performanceLevel: v.optional(v.string()),
  size: v.optional(v.pipe(gibibytes, v.safeInteger(), v.minValue(1)), 100),
  provisionedIops: v.optional(whole(0, RATE_MAX), 0),
  bursting: v.optional(v.boolean(), false),
  /** In place of the category's own figures. */
  ...limits,
  latencyMicroseconds: v.optional(number(0, 1e9)),
  /** documented: even, about the published figure; constant; exponential. */
  latency: v.optional(v.picklist(['documented', 'constant', 'exponential']), 'documented'),
  /** The disk does one request at a time: what is its latency otherwise is its service time. */
  serial: v.optional(v.boolean(), false),
  encrypted: v.optional(v.boolean(), true),
  /** Under a key of the user's own, whose calls are billed, or under the service key. */
  key: v.optional(v.picklist(['service', 'user']), 'service'),
  /** So many disks, one after the other, share an instance, and what it has at the most. */
  instance: v.optional(
    v.strictObject({
      disks: whole(1, FLEET_INSTANCE_DISKS_MAX),
      /** Its published limits, but for those that are said here. */
      type: v.optional(v.string()),
      ...limits,
    }),
  ),
  load: v.optional(load, {}),
});

const price = v.optional(number(0, RATE_MAX));

const fleetSchema = v.strictObject({
  seed: v.optional(whole(0, 0xffff_ffff), 1),
  duration: v.optional(v.pipe(seconds, v.minValue(0.001), v.maxValue(FLEET_SECONDS_MAX)), 3600),
  /** Of the time series. @default the shortest of 1 s to 1 d that makes no more than 1,440 */
  step: v.optional(v.pipe(seconds, v.minValue(0.001))),
  load: v.optional(load, {}),
  disks: v.pipe(v.array(disks), v.minLength(1), v.maxLength(256)),
  /** What encrypting costs the host. The default is 4 GB/s on one core: bench/README.md. */
  encryption: v.optional(
    v.strictObject({
      nanosecondsPerByte: v.optional(number(0, 1e6), 0.25),
      nanosecondsPerRequest: v.optional(number(0, 1e9), 0),
    }),
    {},
  ),
  /** On each disk, besides being created and attached once. */
  operations: v.optional(
    v.strictObject({
      attachesPerDay: v.optional(number(0, 1e6), 0),
      snapshotsPerDay: v.optional(number(0, 1e6), 0),
    }),
    {},
  ),
  /** In a currency of yours; what has no price is counted and not priced. */
  prices: v.optional(
    v.strictObject({
      kmsCalls10000: price,
      keyDay: price,
      gibibyteMonth: price,
      provisionedIopsHour: price,
      burstRequests10000: price,
    }),
    {},
  ),
});

/** A fleet as it is said. */
export type FleetInput = DeepReadonly<v.InferInput<typeof fleetSchema>>;
/** A fleet with its defaults. */
export type FleetOptions = v.InferOutput<typeof fleetSchema>;
export type FleetDisks = FleetOptions['disks'][number];
type SaidLoad = FleetOptions['load'];
export type FleetLoad = { readonly [Key in keyof SaidLoad]-?: Exclude<SaidLoad[Key], undefined> };

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** A number, or a string of one and a unit. */
function quantity(units: Readonly<Record<string, number>>, expected: string) {
  const read = (text: string): number => {
    const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) *([a-z]?)(?:i?b)?$/i.exec(text) ?? [];
    return Number(digits || Number.NaN) * (units[unit.toLowerCase()] ?? Number.NaN);
  };
  return v.union(
    [
      v.number(),
      v.pipe(
        v.string(),
        v.transform(read),
        v.check((value) => Number.isFinite(value), `expected ${expected}`),
      ),
    ],
    `expected ${expected}`,
  );
}

/**
 * Checks a fleet and fills its defaults in.
 *
 * @param name of the file or the call, for messages
 * @throws PlaneError InvalidArgument; the message names the place
 */
export function readFleet(input: unknown, name: string): FleetOptions {
  const checked = v.safeParse(fleetSchema, input);
  if (checked.success) return checked.output;
  const [issue] = checked.issues;
  const path = v.getDotPath(issue)?.replace(/\.(\d+)/g, '[$1]');
  const place = path === undefined ? name : `${name}: ${path}`;
  const expected = issue.message.startsWith('expected')
    ? `${issue.message}, got ${issue.received}`
    : issue.message
        .replace(/^Invalid [^:]*: Expected/, 'expected')
        .replace(' but received', ', got');
  throw new PlaneError('InvalidArgument', `${place}: ${expected}`);
}
