/**
 * What a job can be told: its settings, their defaults, and one setter per honoured option.
 *
 * A setter takes the value as written and changes the settings, or throws JobFileInvalid. The table
 * of setters is total over HONOURED_OPTIONS: the compiler refuses a row without a setter.
 * Defaults are fio's, except that a disk without a size is as large as the disk it names.
 */
import type { HonouredName } from './fio-options.ts';
import {
  byteCount,
  bytePattern,
  type Extent,
  extent,
  type OptionPlace,
  type PerDirection,
  perDirection,
  refuse,
  timeUs,
  wholeNumber,
} from './job-values.ts';
import {
  DEFAULT_WORKLOAD,
  type EngineName,
  readEngine,
  readVerify,
  readWorkload,
  type SetterContext,
  type VerifyKind,
  type Workload,
} from './job-words.ts';

/** What is written: random bytes stamped anew for each write, made anew, left as is, or zeros. */
export type PayloadKind = 'scramble' | 'refill' | 'same' | 'zero';

export interface JobSettings {
  name: string | null;
  description: string;
  /** filename: jobs that name the same disk share it. null: a disk for each clone. */
  diskName: string | null;
  /** filename_format: names the disk of a clone that has no filename. */
  diskNameFormat: string;
  engine: EngineName | null;
  workload: Workload;
  /** Share of reads in a mixed workload, 0 to 100. */
  readPercent: number;
  blockBytes: PerDirection;
  depth: number;
  clones: number;
  /** null: to the end of the disk. */
  size: Extent | null;
  /** Amount to transfer; null: size. */
  ioSize: Extent | null;
  offset: Extent;
  offsetIncrement: Extent;
  /** Size of the disk, bytes; null: as large as the jobs need. */
  diskBytes: number | null;
  /** 0: no limit. */
  requestsMax: number;
  loops: number;
  /** 0: no limit. */
  runtimeUs: number;
  isTimeBased: boolean;
  rampUs: number;
  /** null: derived from the job's number, the same on every run if isRepeatable. */
  seed: number | null;
  isRepeatable: boolean;
  /** false: random offsets may repeat before every block was visited. */
  hasRandomMap: boolean;
  /** Flush after this many writes; 0: never. */
  syncEvery: number;
  syncsAtEnd: boolean;
  verify: VerifyKind;
  verifyPattern: Uint8Array | null;
  /** Read everything back after writing. */
  verifiesAfter: boolean;
  verifyIsFatal: boolean;
  groupReporting: boolean;
  startsGroup: boolean;
  stonewall: boolean;
  isScrambled: boolean;
  isRefilled: boolean;
  isZeroed: boolean;
  /** Percentiles to report, 0 to 100. */
  percentiles: readonly number[];
  kbBase: 1000 | 1024;
}

const PERCENTILES = [1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.5, 99.9, 99.95, 99.99];

export function defaultSettings(): JobSettings {
  return {
    name: null,
    description: '',
    diskName: null,
    diskNameFormat: '$jobname.$jobnum.$filenum',
    engine: null,
    workload: DEFAULT_WORKLOAD,
    readPercent: 50,
    blockBytes: { read: 4096, write: 4096, trim: 4096 },
    depth: 1,
    clones: 1,
    size: null,
    ioSize: null,
    offset: { bytes: 0, percent: null },
    offsetIncrement: { bytes: 0, percent: null },
    diskBytes: null,
    requestsMax: 0,
    loops: 1,
    runtimeUs: 0,
    isTimeBased: false,
    rampUs: 0,
    seed: null,
    isRepeatable: true,
    hasRandomMap: true,
    syncEvery: 0,
    syncsAtEnd: false,
    verify: 'none',
    verifyPattern: null,
    verifiesAfter: true,
    verifyIsFatal: false,
    groupReporting: false,
    startsGroup: false,
    stonewall: false,
    isScrambled: true,
    isRefilled: false,
    isZeroed: false,
    percentiles: PERCENTILES,
    kbBase: 1024,
  };
}

/** @param value never null for kinds 'boolean' and 'value'; null for a bare switch */
type Setter = (settings: JobSettings, value: string, context: SetterContext) => void;

/** One setter per row of HONOURED_OPTIONS. */
export const SETTERS: Readonly<Record<HonouredName, Setter>> = {
  description: (job, value) => {
    job.description = value;
  },
  name: (job, value) => {
    job.name = value;
  },
  filename: (job, value, { place }) => {
    if (/(?<!\\):/.test(value))
      refuse(place, 'one disk (several, joined by :, are not yet)', value);
    job.diskName = value.replaceAll('\\:', ':');
  },
  filename_format: (job, value) => {
    job.diskNameFormat = value;
  },
  rw: (job, value, context) => {
    job.workload = readWorkload(value, context);
  },
  bs: (job, value, { place }) => {
    job.blockBytes = perDirection(value, job.blockBytes, (part) => size(place, part, job));
  },
  randrepeat: (job, value) => {
    job.isRepeatable = value === '1';
  },
  randseed: (job, value, { place }) => {
    job.seed = wholeNumber(place, value, 0);
  },
  norandommap: (job, value) => {
    job.hasRandomMap = value === '0';
  },
  ioengine: (job, value, context) => {
    job.engine = readEngine(value, context);
  },
  iodepth: (job, value, { place }) => {
    job.depth = wholeNumber(place, value, 1);
  },
  size: (job, value, { place }) => {
    const given = extent(place, value, job.kbBase);
    job.size = given.bytes === 0 ? null : given;
  },
  io_size: (job, value, { place }) => {
    job.ioSize = extent(place, value, job.kbBase);
  },
  filesize: (job, value, { place }) => {
    job.diskBytes = size(place, value, job);
  },
  offset: (job, value, { place }) => {
    job.offset = extent(place, value, job.kbBase);
  },
  offset_increment: (job, value, { place }) => {
    job.offsetIncrement = extent(place, value, job.kbBase);
  },
  number_ios: (job, value, { place }) => {
    job.requestsMax = wholeNumber(place, value, 0);
  },
  fsync: (job, value, { place }) => {
    job.syncEvery = wholeNumber(place, value, 0);
  },
  fdatasync: (job, value, { place }) => {
    job.syncEvery = wholeNumber(place, value, 0);
  },
  end_fsync: (job, value) => {
    job.syncsAtEnd = value === '1';
  },
  loops: (job, value, { place }) => {
    job.loops = Math.max(1, wholeNumber(place, value, 0));
  },
  numjobs: (job, value, { place }) => {
    job.clones = wholeNumber(place, value, 1);
  },
  runtime: (job, value, { place }) => {
    job.runtimeUs = timeUs(place, value);
  },
  time_based: (job, value) => {
    job.isTimeBased = value !== '0';
  },
  ramp_time: (job, value, { place }) => {
    job.rampUs = timeUs(place, value);
  },
  verify: (job, value, context) => {
    job.verify = readVerify(value, context);
  },
  do_verify: (job, value) => {
    job.verifiesAfter = value === '1';
  },
  verify_pattern: (job, value, { place }) => {
    job.verifyPattern = bytePattern(place, value);
  },
  verify_fatal: (job, value) => {
    job.verifyIsFatal = value === '1';
  },
  rwmixread: (job, value, { place }) => {
    job.readPercent = percent(place, value);
  },
  rwmixwrite: (job, value, { place }) => {
    job.readPercent = 100 - percent(place, value);
  },
  stonewall: (job, value) => {
    job.stonewall = value !== '0';
  },
  new_group: (job, value) => {
    job.startsGroup = value !== '0';
  },
  group_reporting: (job, value) => {
    job.groupReporting = value !== '0';
  },
  zero_buffers: (job, value) => {
    job.isZeroed = value !== '0';
  },
  refill_buffers: (job, value) => {
    job.isRefilled = value !== '0';
  },
  scramble_buffers: (job, value) => {
    job.isScrambled = value === '1';
  },
  percentile_list: (job, value, { place }) => {
    job.percentiles = percentileList(place, value);
  },
  kb_base: (job, value, { place }) => {
    if (value !== '1000' && value !== '1024') refuse(place, '1000 or 1024', value);
    job.kbBase = value === '1000' ? 1000 : 1024;
  },
};

/** What is to be written. Zeros win over refill, refill over scramble, as in fio. */
export function payloadKind(settings: Readonly<JobSettings>): PayloadKind {
  if (settings.isZeroed) return 'zero';
  if (settings.isRefilled) return 'refill';
  return settings.isScrambled ? 'scramble' : 'same';
}

function size(place: OptionPlace, value: string, job: JobSettings): number {
  const bytes = byteCount(place, value, job.kbBase);
  if (bytes === 0) refuse(place, 'a size above 0', value);
  return bytes;
}

function percent(place: OptionPlace, value: string): number {
  const number = wholeNumber(place, value, 0);
  if (number > 100) refuse(place, '0 to 100', value);
  return number;
}

function percentileList(place: OptionPlace, value: string): number[] {
  const list = value.split(':').map((part) => (/^\d+(\.\d+)?$/.test(part) ? Number(part) : -1));
  if (list.some((each) => each < 0 || each > 100)) refuse(place, '0 to 100, joined by :', value);
  return list.sort((left, right) => left - right);
}
