/**
 * One setter per honoured option: it takes the value as written and changes the settings, or throws
 * JobFileInvalid. The table is total over HONOURED_OPTIONS: the compiler refuses a row without a
 * setter. What shapes the load over offsets and time is in load-setters.ts.
 */
import type { HonouredName } from './fio-options.ts';
import { GOAL_SETTERS } from './goal-setters.ts';
import type { JobSettings } from './job-settings.ts';
import {
  byteCount,
  bytePattern,
  extent,
  type OptionPlace,
  refuse,
  timeUs,
  wholeNumber,
} from './job-values.ts';
import { readEngine, readVerify, readWorkload } from './job-words.ts';
import { LOAD_SETTERS, type Setter, size } from './load-setters.ts';
import { REQUEST_SETTERS } from './request-setters.ts';

/** One setter per row of HONOURED_OPTIONS. */
export const SETTERS: Readonly<Record<HonouredName, Setter>> = {
  ...LOAD_SETTERS,
  ...GOAL_SETTERS,
  ...REQUEST_SETTERS,
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
    const [name = '', modifier] = value.split(':');
    job.workload = readWorkload(name, context);
    job.randomRun = 1;
    job.sequentialStep = 0;
    if (modifier === undefined) return;
    if (job.workload.isRandom) job.randomRun = wholeNumber(context.place, modifier, 1);
    else job.sequentialStep = step(context.place, modifier, job);
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
  sync: (job, value, { place }) => {
    const known = ['none', '0', 'sync', '1', 'dsync'];
    if (!known.includes(value)) refuse(place, `one of ${known.join(', ')}`, value);
    job.syncsWrites = value !== 'none' && value !== '0';
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

/** Bytes, which may be negative. */
function step(place: OptionPlace, value: string, job: JobSettings): number {
  const isNegative = value.startsWith('-');
  const bytes = byteCount(place, isNegative ? value.slice(1) : value, job.kbBase);
  return isNegative ? -bytes : bytes;
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
