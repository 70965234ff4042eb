/**
 * Options of fio's that would shape block I/O on a disk and do not here, each with the reason that
 * is said on stderr when a job asks for one.
 */
import type { OptionKind } from './fio-options.ts';

/** An option that is named and left out. */
export interface LaterOption {
  readonly kind: OptionKind;
  /** The value that asks for nothing. */
  readonly fioDefault: string;
  readonly because: string;
}

function row(kind: OptionKind, fioDefault: string, because: string): LaterOption {
  return { kind, fioDefault, because };
}

const IN_PROCESS = 'requests are made by the thread that counts them';
const OWN_FORMAT = 'units of 512 bytes carry what is verified, in a form of their own';
const NO_STATE = 'what was written is known while the run lasts';
const ONE_DISK = 'a job is on one disk';
const NO_TRIM_LIST = 'trims are verified, and made by rw=trim, trimwrite and randtrimwrite';
const ONE_LATENCY = 'submission takes no time of its own, so there is one latency';
const NO_POOL = 'only dedupe_mode=repeat has duplicates';
const SAMPLED = 'rates are sampled each half second';
const NO_HISTOGRAM_LOG = '--output-format=json+ has the histogram, --json its course over time';

export const LATER_OPTIONS: Readonly<Record<string, LaterOption>> = {
  ignore_error: row('value', '', 'continue_on_error is honoured'),
  io_submit_mode: row('value', 'inline', IN_PROCESS),
  nrfiles: row('value', '1', ONE_DISK),
  file_service_type: row('value', 'roundrobin', ONE_DISK),
  write_barrier: row('value', '0', 'a disk has flushes, no barriers: fsync=N is every Nth write'),
  sync_file_range: row('value', '', 'a disk is flushed as a whole: fsync=N is every Nth write'),
  atomic: row('boolean', '0', 'each sector of 4,096 bytes is atomic, longer writes are not'),
  verify_only: row('switch', '', NO_STATE),
  verify_state_load: row('boolean', '', NO_STATE),
  experimental_verify: row('boolean', '', OWN_FORMAT),
  verify_header_seed: row('boolean', '', OWN_FORMAT),
  verify_write_sequence: row('boolean', '', OWN_FORMAT),
  verify_pattern_interval: row('boolean', '', OWN_FORMAT),
  trim_percentage: row('value', '0', NO_TRIM_LIST),
  trim_verify_zero: row('boolean', '1', 'what was trimmed is always verified to be zeros'),
  trim_backlog: row('value', '', NO_TRIM_LIST),
  trim_backlog_batch: row('value', '', NO_TRIM_LIST),
  num_range: row('value', '1', 'a trim is of one range'),
  merge_blktrace_scalars: row('value', '', 'a blktrace file is not read'),
  merge_blktrace_iters: row('value', '', 'a blktrace file is not read'),
  create_only: row('boolean', '0', 'a disk is made by the run that uses it'),
  bwavgtime: row('value', '500', SAMPLED),
  iopsavgtime: row('value', '500', SAMPLED),
  log_hist_msec: row('value', '0', NO_HISTOGRAM_LOG),
  log_hist_coarseness: row('value', '0', NO_HISTOGRAM_LOG),
  write_hist_log: row('value', '', NO_HISTOGRAM_LOG),
  log_prio: row('boolean', '0', 'requests have no priority'),
  log_compression: row('value', '', 'logs are plain text'),
  log_compression_cpus: row('value', '', 'logs are plain text'),
  log_store_compressed: row('boolean', '', 'logs are plain text'),
  dedupe_mode: row('value', 'repeat', NO_POOL),
  dedupe_working_set_percentage: row('value', '5', NO_POOL),
  dedupe_global: row('boolean', '0', NO_POOL),
  lat_percentiles: row('boolean', '0', ONE_LATENCY),
  slat_percentiles: row('boolean', '0', ONE_LATENCY),
  unified_rw_reporting: row('value', 'none', 'reads and writes are reported each by itself'),
  ramp_size: row('value', '', 'ramp_time is honoured'),
  thinkcycles: row('value', '0', 'thinktime_spin is honoured'),
  random_sequence_stride: row('value', '', 'rw=read:STEP is honoured'),
  flow_watermark: row('value', '', 'jobs of a flow are looked at before every request'),
};
