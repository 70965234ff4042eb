/**
 * Setters of the options that shape a load: lengths of requests, where they go, when they are made,
 * and what is kept of them.
 */
import { fixedSize, rangeOfSizes, splitOfSizes } from './block-sizes.ts';
import { readDistribution } from './distribution.ts';
import type { JobSettings } from './job-settings.ts';
import {
  byteCount,
  bytePattern,
  everyDirection,
  type OptionPlace,
  perDirection,
  realNumber,
  refuse,
  timeUs,
  wholeNumber,
} from './job-values.ts';
import type { SetterContext } from './job-words.ts';

/** @param value never null for kinds 'boolean' and 'value'; "1" for a bare switch */
export type Setter = (settings: JobSettings, value: string, context: SetterContext) => void;

export const LOAD_SETTERS = {
  bs: (job, value, { place }) => {
    job.blockSizes = perDirection(value, job.blockSizes, (part) =>
      fixedSize(size(place, part, job)),
    );
  },
  bsrange: (job, value, { place }) => {
    job.blockSizes = perDirection(value, job.blockSizes, (part) =>
      rangeOfSizes(place, part, (each) => size(place, each, job)),
    );
  },
  bssplit: (job, value, { place }) => {
    job.blockSizes = perDirection(value, job.blockSizes, (part) =>
      splitOfSizes(place, part, (each) => size(place, each, job)),
    );
  },
  ba: (job, value, { place }) => {
    const previous = job.alignBytes ?? everyDirection(4096);
    job.alignBytes = perDirection(value, previous, (part) => size(place, part, job));
  },
  random_distribution: (job, value, { place }) => {
    job.distribution = perDirection(value, job.distribution, (part) =>
      readDistribution(place, part, (each) => size(place, each, job)),
    );
  },
  percentage_random: (job, value, { place }) => {
    job.randomPercent = perDirection(value, job.randomPercent, (part) =>
      realNumber(place, part, 0, 100),
    );
  },
  rate: (job, value, { place }) => {
    job.rateBytes = perDirection(value, job.rateBytes, (part) =>
      byteCount(place, part, job.kbBase),
    );
  },
  rate_iops: (job, value, { place }) => {
    job.rateRequests = perDirection(value, job.rateRequests, (part) => wholeNumber(place, part, 0));
  },
  rate_min: (job, value, { place }) => {
    job.leastRateBytes = perDirection(value, job.leastRateBytes, (part) =>
      byteCount(place, part, job.kbBase),
    );
  },
  rate_iops_min: (job, value, { place }) => {
    job.leastRateRequests = perDirection(value, job.leastRateRequests, (part) =>
      wholeNumber(place, part, 0),
    );
  },
  rate_process: (job, value, { place }) => {
    if (value !== 'linear' && value !== 'poisson') refuse(place, 'linear or poisson', value);
    job.isPoisson = value === 'poisson';
  },
  rate_cycle: (job, value, { place }) => {
    job.rateCycleMs = wholeNumber(place, value, 1);
  },
  rate_ignore_thinktime: (job, value) => {
    job.rateIgnoresThinkTime = value === '1';
  },
  thinktime: (job, value, { place }) => {
    job.thinkUs = timeUs(place, value, 1);
  },
  thinktime_spin: (job, value, { place }) => {
    job.thinkSpinUs = timeUs(place, value, 1);
  },
  thinktime_blocks: (job, value, { place }) => {
    job.thinkBlocks = wholeNumber(place, value, 1);
  },
  thinktime_blocks_type: (_job, value, { place }) => {
    // What was issued has completed when a job thinks: it waits for that first, as fio does.
    if (value !== 'complete' && value !== 'issue') refuse(place, 'complete or issue', value);
  },
  max_latency: (job, value, { place }) => {
    job.latencyMostUs = timeUs(place, value, 1);
  },
  startdelay: (job, value, { place }) => {
    job.startDelayUs = timeUs(place, value);
  },
  wait_for: (job, value) => {
    job.waitFor = value;
  },
  exitall: (job, value) => {
    job.exitsOthers = value !== '0';
  },
  exit_what: (job, value, { place }) => {
    if (value !== 'group' && value !== 'stonewall' && value !== 'all') {
      refuse(place, 'group, stonewall or all', value);
    }
    job.exitsWhat = value;
  },
  verify_backlog: (job, value, { place }) => {
    job.verifyBacklog = wholeNumber(place, value, 0);
  },
  verify_backlog_batch: (job, value, { place }) => {
    job.verifyBacklogBatch = wholeNumber(place, value, 0);
  },
  buffer_pattern: (job, value, { place }) => {
    job.bufferPattern = bytePattern(place, value);
  },
  write_bw_log: (job, value) => {
    job.logs = { ...job.logs, bw: value };
  },
  write_lat_log: (job, value) => {
    job.logs = { ...job.logs, lat: value };
  },
  write_iops_log: (job, value) => {
    job.logs = { ...job.logs, iops: value };
  },
  log_avg_msec: (job, value, { place }) => {
    job.logAverageMs = wholeNumber(place, value, 0);
  },
  significant_figures: (job, value, { place }) => {
    job.significantFigures = wholeNumber(place, value, 1);
    if (job.significantFigures > 10) refuse(place, '1 to 10', value);
  },
  zonemode: (job, value, { place }) => {
    if (value !== 'none' && value !== 'strided') {
      refuse(place, 'none or strided: a disk here is no zoned block device', value);
    }
    job.zoneMode = value;
  },
  zonesize: (job, value, { place }) => {
    job.zones = { ...job.zones, sizeBytes: byteCount(place, value, job.kbBase) };
  },
  zonerange: (job, value, { place }) => {
    job.zones = { ...job.zones, rangeBytes: byteCount(place, value, job.kbBase) };
  },
  zoneskip: (job, value, { place }) => {
    job.zones = { ...job.zones, skipBytes: byteCount(place, value, job.kbBase) };
  },
} as const satisfies Readonly<Record<string, Setter>>;

/** Bytes, more than none. */
export function size(place: OptionPlace, value: string, job: JobSettings): number {
  const bytes = byteCount(place, value, job.kbBase);
  if (bytes === 0) refuse(place, 'a size above 0', value);
  return bytes;
}
