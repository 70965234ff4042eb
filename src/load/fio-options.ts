/**
 * Every job file option fio has, and what becomes of it here.
 *
 * Names, aliases, kinds and defaults are those of fio 3.33 (`fio --cmdhelp=all` and
 * `--cmdhelp=<name>`), with the names later versions added, so that a job file written for any fio
 * is read without a change. Four classes:
 *
 * - honoured: does here what it does in fio; job-setters.ts has one setter per row
 * - later: shapes block I/O on a disk, but is not honoured: named once on stderr, with the reason
 *   in fio-later-options.ts, when its value is not fio's default, and the job runs without it
 * - refused: asks for something that is not block I/O on a disk: a job file that has it is not run
 * - quiet: about files, processes, CPUs, logs, zoned devices (zonemode=zbd is refused) or another
 *   engine, or true here anyway, as serialize_overlap: nothing is left for it to do to a disk in
 *   this process, so it is accepted without a word
 */
import { LATER_OPTIONS } from './fio-later-options.ts';

export type OptionClass = 'honoured' | 'later' | 'quiet' | 'refused';

/**
 * switch: may stand alone; boolean: 0 or 1, required; value: anything, required; optional:
 * anything, may stand alone.
 */
export type OptionKind = 'switch' | 'boolean' | 'value' | 'optional';

export interface FioOption {
  readonly optionClass: OptionClass;
  readonly kind: OptionKind;
  /** fio's second name for it, or ''. */
  readonly alias: string;
}

function honoured(kind: OptionKind, alias = ''): FioOption & { optionClass: 'honoured' } {
  return { optionClass: 'honoured', kind, alias };
}

function quiet(kind: OptionKind, alias = ''): FioOption {
  return { optionClass: 'quiet', kind, alias };
}

function refused(kind: OptionKind): FioOption {
  return { optionClass: 'refused', kind, alias: '' };
}

/** fio's second names for options of fio-later-options.ts. */
const LATER_ALIASES: Readonly<Record<string, string>> = { nrfiles: 'nr_files' };

/** The options job-setters.ts sets. */
export const HONOURED_OPTIONS = {
  description: honoured('value'),
  name: honoured('value'),
  filename: honoured('value'),
  filename_format: honoured('value'),
  rw: honoured('value', 'readwrite'),
  bs: honoured('value', 'blocksize'),
  randrepeat: honoured('boolean'),
  randseed: honoured('value'),
  norandommap: honoured('switch'),
  ioengine: honoured('value'),
  iodepth: honoured('value'),
  size: honoured('value'),
  io_size: honoured('value', 'io_limit'),
  filesize: honoured('value'),
  offset: honoured('value', 'fileoffset'),
  offset_increment: honoured('value'),
  number_ios: honoured('value'),
  fsync: honoured('value'),
  fdatasync: honoured('value'),
  sync: honoured('value'),
  loops: honoured('value'),
  numjobs: honoured('value'),
  runtime: honoured('value', 'timeout'),
  time_based: honoured('switch'),
  ramp_time: honoured('value'),
  verify: honoured('value'),
  do_verify: honoured('boolean'),
  verify_pattern: honoured('value'),
  verify_fatal: honoured('boolean'),
  rwmixread: honoured('value'),
  rwmixwrite: honoured('value'),
  end_fsync: honoured('boolean'),
  stonewall: honoured('switch', 'wait_for_previous'),
  new_group: honoured('switch'),
  group_reporting: honoured('switch'),
  zero_buffers: honoured('switch'),
  refill_buffers: honoured('switch'),
  scramble_buffers: honoured('boolean'),
  percentile_list: honoured('value'),
  kb_base: honoured('value'),
  zonemode: honoured('value'),
  zonesize: honoured('value'),
  zonerange: honoured('value'),
  zoneskip: honoured('value'),
  ba: honoured('value', 'blockalign'),
  bsrange: honoured('value', 'blocksize_range'),
  bssplit: honoured('value'),
  random_distribution: honoured('value'),
  percentage_random: honoured('value'),
  rate: honoured('value'),
  rate_iops: honoured('value'),
  rate_min: honoured('value', 'ratemin'),
  rate_iops_min: honoured('value'),
  rate_process: honoured('value'),
  rate_cycle: honoured('value', 'ratecycle'),
  rate_ignore_thinktime: honoured('boolean'),
  thinktime: honoured('value'),
  thinktime_spin: honoured('value'),
  thinktime_blocks: honoured('value'),
  thinktime_blocks_type: honoured('value'),
  max_latency: honoured('value'),
  startdelay: honoured('value'),
  wait_for: honoured('value'),
  exitall: honoured('switch'),
  exit_what: honoured('value'),
  verify_backlog: honoured('value'),
  verify_backlog_batch: honoured('value'),
  buffer_pattern: honoured('value'),
  write_bw_log: honoured('optional'),
  write_lat_log: honoured('optional'),
  write_iops_log: honoured('optional'),
  log_avg_msec: honoured('value'),
  significant_figures: honoured('value'),
  latency_target: honoured('value'),
  latency_window: honoured('value'),
  latency_percentile: honoured('value'),
  latency_run: honoured('boolean'),
  flow: honoured('value'),
  bs_unaligned: honoured('switch', 'blocksize_unaligned'),
  bs_is_seq_rand: honoured('boolean'),
  rw_sequencer: honoured('value'),
  random_generator: honoured('value'),
  offset_align: honoured('value'),
  fill_device: honoured('boolean', 'fill_fs'),
  exitall_on_error: honoured('switch'),
  continue_on_error: honoured('value'),
  thinktime_iotime: honoured('value'),
  iodepth_batch: honoured('value', 'iodepth_batch_submit'),
  iodepth_batch_complete_min: honoured('value', 'iodepth_batch_complete'),
  iodepth_batch_complete_max: honoured('value'),
  iodepth_low: honoured('value'),
  buffer_compress_percentage: honoured('value'),
  buffer_compress_chunk: honoured('value'),
  dedupe_percentage: honoured('value'),
  log_max_value: honoured('boolean'),
  log_offset: honoured('boolean'),
  read_iolog: honoured('value'),
  write_iolog: honoured('value'),
  replay_no_stall: honoured('boolean'),
  replay_redirect: honoured('value'),
  replay_scale: honoured('value'),
  replay_align: honoured('value'),
  replay_time_scale: honoured('value'),
  replay_skip: honoured('value'),
  flow_id: honoured('value'),
  flow_sleep: honoured('value'),
  steadystate: honoured('value', 'ss'),
  steadystate_duration: honoured('value', 'ss_dur'),
  steadystate_ramp_time: honoured('value', 'ss_ramp'),
  steadystate_check_interval: honoured('value', 'ss_interval'),
} as const satisfies Record<string, FioOption>;

export type HonouredName = keyof typeof HONOURED_OPTIONS;

/** What they ask for: directories, commands, file life, binary traces, SCSI commands. */
const REFUSED_OPTIONS: Record<string, FioOption> = {
  opendir: refused('value'),
  exec_prerun: refused('value'),
  exec_postrun: refused('value'),
  profile: refused('value'),
  unlink_each_loop: refused('boolean'),
  merge_blktrace_file: refused('value'),
  sprandom: refused('boolean'),
  sg_write_mode: refused('value'),
};

const QUIET_OPTIONS: Record<string, FioOption> = {
  lockfile: quiet('value'),
  directory: quiet('value'),
  unique_filename: quiet('boolean'),
  allrandrepeat: quiet('boolean'),
  openfiles: quiet('value'),
  fallocate: quiet('value'),
  fadvise_hint: quiet('value'),
  direct: quiet('boolean'),
  buffered: quiet('boolean'),
  overwrite: quiet('boolean'),
  clocksource: quiet('value'),
  mem: quiet('value', 'iomem'),
  verify_async: quiet('value'),
  verify_state_save: quiet('boolean'),
  ioscheduler: quiet('value'),
  lockmem: quiet('value'),
  nice: quiet('value'),
  prio: quiet('value'),
  prioclass: quiet('value'),
  invalidate: quiet('boolean'),
  write_hint: quiet('value'),
  create_serialize: quiet('boolean'),
  create_fsync: quiet('boolean'),
  create_on_open: quiet('boolean'),
  allow_file_create: quiet('boolean'),
  allow_mounted_write: quiet('boolean'),
  pre_read: quiet('boolean'),
  cpumask: quiet('value'),
  cpus_allowed: quiet('value'),
  cpus_allowed_policy: quiet('value'),
  numa_cpu_nodes: quiet('value'),
  numa_mem_policy: quiet('value'),
  fsync_on_close: quiet('boolean'),
  unlink: quiet('boolean'),
  thread: quiet('switch'),
  threads: quiet('switch'),
  per_job_logs: quiet('boolean'),
  log_unix_epoch: quiet('boolean'),
  log_alternate_epoch: quiet('boolean'),
  log_alternate_epoch_clock_id: quiet('value'),
  block_error_percentiles: quiet('boolean'),
  stats: quiet('boolean'),
  clat_percentiles: quiet('boolean'),
  disk_util: quiet('boolean'),
  gtod_reduce: quiet('boolean'),
  disable_lat: quiet('boolean'),
  disable_clat: quiet('boolean'),
  disable_slat: quiet('boolean'),
  disable_bw_measurement: quiet('boolean', 'disable_bw'),
  gtod_cpu: quiet('value'),
  error_dump: quiet('boolean'),
  cgroup: quiet('value'),
  cgroup_nodelete: quiet('boolean'),
  cgroup_weight: quiet('value'),
  uid: quiet('value'),
  gid: quiet('value'),
  unit_base: quiet('value'),
  'hugepage-size': quiet('value'),
  iomem_align: quiet('value', 'mem_align'),
  softrandommap: quiet('boolean'),
  serialize_overlap: quiet('boolean'),
  log_entries: quiet('value'),
  read_iolog_chunked: quiet('boolean'),
  file_append: quiet('boolean'),
  zonecapacity: quiet('value'),
  read_beyond_wp: quiet('boolean'),
  max_open_zones: quiet('value'),
  job_max_open_zones: quiet('value'),
  ignore_zone_limits: quiet('boolean'),
  zone_reset_threshold: quiet('value'),
  zone_reset_frequency: quiet('value'),
  write_zone_remainder: quiet('boolean'),
  recover_zbd_write_error: quiet('boolean'),
  verify_async_cpus: quiet('value'),
  verify_interval: quiet('value'),
  verify_offset: quiet('value'),
  verify_dump: quiet('boolean'),
  rwmixcycle: quiet('value'),
  verifysort: quiet('boolean'),
  verifysort_nr: quiet('value'),
  priohint: quiet('value'),
  end_syncfs: quiet('boolean'),
  filetype: quiet('value'),
  job_start_clock_id: quiet('value'),
  log_issue_time: quiet('boolean'),
  fdp: quiet('boolean'),
  plids: quiet('value'),
  plid_select: quiet('value'),
  dataplacement: quiet('value'),
  dp_scheme: quiet('value'),
  comm: quiet('value'),
};

/** Options of single fio engines (`fio --enghelp=<engine>`): the engine itself is noted instead. */
const ENGINE_OPTIONS: readonly string[] = (
  'userspace_reap cmdprio_percentage cmdprio_class cmdprio cmdprio_bssplit nowait hipri ' +
  'hipri_percentage fixedbufs registerfiles sqthread_poll sqthread_poll_cpu nonvectored uncached ' +
  'force_async cmd_type uri clustername rbdname pool clientname busy_poll thp conf skip_bad ' +
  'gpu_dev_ids cuda_io rocm_io libblkio_driver libblkio_path nfs_url readfua writefua'
).split(' ');

/** Every option by its proper name. */
export const FIO_OPTIONS: ReadonlyMap<string, FioOption> = new Map([
  ...Object.entries<FioOption>(HONOURED_OPTIONS),
  ...Object.entries(LATER_OPTIONS).map(([name, { kind }]): [string, FioOption] => [
    name,
    { optionClass: 'later', kind, alias: LATER_ALIASES[name] ?? '' },
  ]),
  ...Object.entries(QUIET_OPTIONS),
  ...Object.entries(REFUSED_OPTIONS),
  ...ENGINE_OPTIONS.map((name): [string, FioOption] => [name, quiet('optional')]),
]);

const PROPER_NAMES: ReadonlyMap<string, string> = new Map(
  [...FIO_OPTIONS].flatMap(([name, { alias }]): [string, string][] =>
    alias === ''
      ? [[name, name]]
      : [
          [name, name],
          [alias, name],
        ],
  ),
);

/** Names and aliases, for suggestions. */
export const FIO_OPTION_NAMES: readonly string[] = [...PROPER_NAMES.keys()];

/** The proper name behind a name or an alias, or null if fio has no such option. */
export function properName(written: string): string | null {
  return PROPER_NAMES.get(written) ?? null;
}

/** True if job-setters.ts has a setter for it. */
export function isHonoured(name: string): name is HonouredName {
  return Object.hasOwn(HONOURED_OPTIONS, name);
}
