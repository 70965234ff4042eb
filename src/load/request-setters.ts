/** Setters of the options that say how requests are put together, submitted and recorded. */
import { DEFAULT_REPLAY } from './io-log.ts';
import { byteCount, realNumber, refuse, timeUs, wholeNumber } from './job-values.ts';
import type { Setter } from './load-setters.ts';
import { FLUSH, READ, TRIM, WRITE } from './operation-source.ts';

/** fio's generators. Offsets are visited in an order of ours, each block once, with any of them. */
const GENERATORS: readonly string[] = ['tausworthe', 'lfsr', 'tausworthe64'];
const SKIPPABLE = { read: READ, write: WRITE, trim: TRIM, sync: FLUSH } as const;
const CONTINUES: Readonly<Record<string, readonly ('read' | 'write')[]>> = {
  none: [],
  '0': [],
  // Reads that are wrong end a job only with verify_fatal.
  verify: [],
  read: ['read'],
  write: ['write'],
  io: ['read', 'write'],
  all: ['read', 'write'],
  '1': ['read', 'write'],
};

export const REQUEST_SETTERS = {
  bs_unaligned: (job, value) => {
    job.hasOddLengths = value !== '0';
  },
  bs_is_seq_rand: (job, value) => {
    job.sizesByOrder = value === '1';
  },
  rw_sequencer: (job, value, { place }) => {
    if (value !== 'sequential' && value !== 'identical') {
      refuse(place, 'sequential or identical', value);
    }
    job.repeatsOffset = value === 'identical';
  },
  random_generator: (_job, value, { place }) => {
    if (!GENERATORS.includes(value)) refuse(place, `one of ${GENERATORS.join(', ')}`, value);
  },
  offset_align: (job, value, { place }) => {
    job.offsetAlignBytes = byteCount(place, value, job.kbBase);
  },
  fill_device: (job, value) => {
    job.fillsDisk = value === '1';
  },
  exitall_on_error: (job, value) => {
    job.exitsOthersOnError = value !== '0';
  },
  continue_on_error: (job, value, { place }) => {
    const known = CONTINUES[value];
    job.continuesAfter =
      known ?? refuse(place, `one of ${Object.keys(CONTINUES).join(', ')}`, value);
  },
  thinktime_iotime: (job, value, { place }) => {
    job.thinkEveryUs = timeUs(place, value, 1);
  },
  iodepth_batch: (job, value, { place }) => {
    job.submitBatch = wholeNumber(place, value, 1);
  },
  iodepth_batch_complete_min: (job, value, { place }) => {
    job.completeBatch = wholeNumber(place, value, 0);
  },
  iodepth_batch_complete_max: (_job, value, { place }) => {
    // How many completions are taken at once at most: here it is as many as there are.
    wholeNumber(place, value, 0);
  },
  iodepth_low: (job, value, { place }) => {
    job.depthLow = wholeNumber(place, value, 1);
  },
  buffer_compress_percentage: (job, value, { place }) => {
    job.compressPercent = realNumber(place, value, 0, 100);
  },
  buffer_compress_chunk: (job, value, { place }) => {
    job.compressChunkBytes = byteCount(place, value, job.kbBase);
    if (job.compressChunkBytes === 0) refuse(place, 'a size above 0', value);
  },
  dedupe_percentage: (job, value, { place }) => {
    job.dedupePercent = realNumber(place, value, 0, 100);
  },
  log_max_value: (job, value) => {
    job.logsGreatest = value === '1';
  },
  log_offset: (job, value) => {
    job.logsOffset = value === '1';
  },
  read_iolog: (job, value, { place }) => {
    job.ioLogFile = { fileName: value, place };
  },
  write_iolog: (job, value) => {
    job.writesIoLog = value;
  },
  replay_no_stall: (job, value) => {
    job.replay = { ...job.replay, isUnstalled: value === '1' };
  },
  replay_redirect: (job, value) => {
    job.replay = { ...job.replay, redirect: value };
  },
  replay_scale: (job, value, { place }) => {
    job.replay = { ...job.replay, scale: wholeNumber(place, value, 0) || DEFAULT_REPLAY.scale };
  },
  replay_align: (job, value, { place }) => {
    job.replay = { ...job.replay, alignBytes: byteCount(place, value, job.kbBase) };
  },
  replay_time_scale: (job, value, { place }) => {
    job.replay = { ...job.replay, timeScale: wholeNumber(place, value, 1) };
  },
  replay_skip: (job, value, { place }) => {
    const skipped = value.split(',').map((word) => {
      const name = word.trim() as keyof typeof SKIPPABLE;
      return SKIPPABLE[name] ?? refuse(place, 'read, write, trim or sync, joined by ,', value);
    });
    job.replay = { ...job.replay, skipped };
  },
} as const satisfies Readonly<Record<string, Setter>>;
