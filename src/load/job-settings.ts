/**
 * What a job can be told: its settings and their defaults; job-setters.ts reads them.
 *
 * Defaults are fio's, except that a disk without a size is as large as the disk it names.
 */
import { type BlockSizes, fixedSize } from './block-sizes.ts';
import type { Distribution } from './distribution.ts';
import { DEFAULT_REPLAY, type IoLog, type ReplaySettings } from './io-log.ts';
import { type Extent, everyDirection, type OptionPlace, type PerDirection } from './job-values.ts';
import { DEFAULT_WORKLOAD, type EngineName, type VerifyKind, type Workload } from './job-words.ts';
import type { SteadyCriterion, SteadyTimes } from './steady-state.ts';
import type { ZoneShape } from './strided-zones.ts';

/**
 * What is written: random bytes stamped anew for each write, made anew, left as is, zeros, or what
 * write-content.ts makes for compression and deduplication.
 */
export type PayloadKind = 'scramble' | 'refill' | 'same' | 'zero' | 'reducible';

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
  /** The largest is what buffers are made for: largestBlock() in job-plan.ts. */
  blockSizes: PerDirection<BlockSizes>;
  /** Offsets are multiples of this; null: of the least block size. */
  alignBytes: PerDirection | null;
  /** Bytes skipped after each sequential request; negative goes backwards (rw=read:-8k). */
  sequentialStep: number;
  /** Lengths within the range of any number of bytes, not multiples of the least. */
  hasOddLengths: boolean;
  /** Block sizes of reads are those of sequential requests, of writes those of random ones. */
  sizesByOrder: boolean;
  /** The run of requests goes to one offset again and again (rw_sequencer=identical). */
  repeatsOffset: boolean;
  /** Requests from one random offset on, one behind the other (rw=randread:8). */
  randomRun: number;
  distribution: PerDirection<Distribution>;
  /** Share of a random workload that is random; the rest is sequential. */
  randomPercent: PerDirection;
  /** null: strided if there is a zone size. */
  zoneMode: 'none' | 'strided' | null;
  zones: ZoneShape;
  /** Bytes a second; 0: no limit. */
  rateBytes: PerDirection;
  /** Requests a second; 0: no limit. */
  rateRequests: PerDirection;
  isPoisson: boolean;
  /** Less than this over rateCycleMs ends the job; 0: nothing does. */
  leastRateBytes: PerDirection;
  leastRateRequests: PerDirection;
  rateCycleMs: number;
  /** A schedule waits while the job thinks. */
  rateIgnoresThinkTime: boolean;
  /** A pause after each thinkBlocks requests; 0: none. */
  thinkUs: number;
  /** What of the pause is spent in a busy loop. */
  thinkSpinUs: number;
  /** null: 1, or any number where there is thinkEveryUs. */
  thinkBlocks: number | null;
  /** A pause after so long; 0: by requests alone. */
  thinkEveryUs: number;
  /** A request that takes longer ends the job; 0: none does. */
  latencyMostUs: number;
  /** As many requests in flight as keep this latency, up to depth; 0: depth. */
  latencyTargetUs: number;
  latencyWindowUs: number;
  /** Of the requests of a window that must keep it. */
  latencyPercent: number;
  /** The search goes on when the depth is found. */
  latencyGoesOn: boolean;
  /** Share of the requests of all jobs with this flowId; 0: as many as it likes. */
  flowWeight: number;
  flowId: number;
  flowSleepUs: number;
  /** What a rate is judged by; ends the job when it is steady, if the window is not empty. */
  steadyCriterion: SteadyCriterion;
  steadyTimes: SteadyTimes;
  startDelayUs: number;
  /** The job whose end is waited for; null: none. */
  waitFor: string | null;
  /** Other jobs end when this one does: those of its group, of its stage, or all. */
  exitsOthers: boolean;
  exitsWhat: 'group' | 'stonewall' | 'all';
  exitsOthersOnError: boolean;
  /** A job goes on after requests that failed, of these. Trims and flushes count as writes. */
  continuesAfter: readonly ('read' | 'write')[];
  depth: number;
  /** More requests are made when so many can be; when so many completed; when so few are left. */
  submitBatch: number;
  completeBatch: number;
  /** null: depth. */
  depthLow: number | null;
  clones: number;
  /** null: to the end of the disk. */
  size: Extent | null;
  /** Amount to transfer; null: size. */
  ioSize: Extent | null;
  offset: Extent;
  offsetIncrement: Extent;
  /** An offset in percent begins at a multiple of this; 0: of the block size. */
  offsetAlignBytes: number;
  /** Up to the end of the disk, whatever size says. */
  fillsDisk: boolean;
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
  /** A write is done when it is on stable storage: O_SYNC. */
  syncsWrites: boolean;
  verify: VerifyKind;
  verifyPattern: Uint8Array | null;
  /** Read everything back after writing. */
  verifiesAfter: boolean;
  verifyIsFatal: boolean;
  /** Blocks written before they are read back, beside the read-back at the end; 0: never. */
  verifyBacklog: number;
  /** How many of them are; 0: all. */
  verifyBacklogBatch: number;
  groupReporting: boolean;
  startsGroup: boolean;
  stonewall: boolean;
  isScrambled: boolean;
  isRefilled: boolean;
  isZeroed: boolean;
  /** What buffers hold; null: random bytes. */
  bufferPattern: Uint8Array | null;
  /** Of each chunk of a buffer this much is zeros, or the pattern. */
  compressPercent: number;
  compressChunkBytes: number;
  /** Share of the buffers that are as the one before. */
  dedupePercent: number;
  /** A log to replay, until it is read; null: none. */
  ioLogFile: { readonly fileName: string; readonly place: OptionPlace } | null;
  replay: ReplaySettings;
  /** What is replayed in place of a pattern. */
  ioLog: IoLog | null;
  /** File the requests are written to, as they are made; null: none. */
  writesIoLog: string | null;
  /** File name prefixes of the logs; null: no log. */
  logs: { readonly bw: string | null; readonly lat: string | null; readonly iops: string | null };
  /** A log line is the mean over this long; 0: one a request. */
  logAverageMs: number;
  /** A line is the greatest latency of the interval, not the mean. */
  logsGreatest: boolean;
  logsOffset: boolean;
  significantFigures: number;
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
    ...defaultShape(),
    exitsOthersOnError: false,
    continuesAfter: [],
    depth: 1,
    submitBatch: 1,
    completeBatch: 1,
    depthLow: null,
    clones: 1,
    size: null,
    ioSize: null,
    offset: { bytes: 0, percent: null },
    offsetIncrement: { bytes: 0, percent: null },
    offsetAlignBytes: 0,
    fillsDisk: false,
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
    syncsWrites: false,
    verify: 'none',
    verifyPattern: null,
    verifiesAfter: true,
    verifyIsFatal: false,
    verifyBacklog: 0,
    verifyBacklogBatch: 0,
    groupReporting: false,
    startsGroup: false,
    stonewall: false,
    ...defaultContent(),
    kbBase: 1024,
  };
}

/** What is to be written. Zeros win over refill, refill over scramble, as in fio. */
export function payloadKind(settings: Readonly<JobSettings>): PayloadKind {
  if (settings.isZeroed) return 'zero';
  if (settings.compressPercent > 0 || settings.dedupePercent > 0) return 'reducible';
  if (settings.bufferPattern !== null) return 'same';
  if (settings.isRefilled) return 'refill';
  return settings.isScrambled ? 'scramble' : 'same';
}

/** Where requests go, how long they are, and when they are made. */
function defaultShape() {
  return {
    blockSizes: everyDirection(fixedSize(4096)),
    alignBytes: null,
    sequentialStep: 0,
    hasOddLengths: false,
    sizesByOrder: false,
    repeatsOffset: false,
    randomRun: 1,
    distribution: everyDirection<Distribution>({ kind: 'random' }),
    randomPercent: everyDirection(100),
    zoneMode: null,
    zones: { sizeBytes: 0, rangeBytes: 0, skipBytes: 0 },
    rateBytes: everyDirection(0),
    rateRequests: everyDirection(0),
    isPoisson: false,
    leastRateBytes: everyDirection(0),
    leastRateRequests: everyDirection(0),
    rateCycleMs: 1000,
    rateIgnoresThinkTime: false,
    thinkUs: 0,
    thinkSpinUs: 0,
    thinkBlocks: null,
    thinkEveryUs: 0,
    latencyMostUs: 0,
    ...defaultGoals(),
    startDelayUs: 0,
    waitFor: null,
    exitsOthers: false,
    exitsWhat: 'group',
  } satisfies Partial<JobSettings>;
}

/** What is written, replayed, logged and reported. */
function defaultContent() {
  return {
    isScrambled: true,
    isRefilled: false,
    isZeroed: false,
    bufferPattern: null,
    compressPercent: 0,
    compressChunkBytes: 512,
    dedupePercent: 0,
    ioLogFile: null,
    replay: DEFAULT_REPLAY,
    ioLog: null,
    writesIoLog: null,
    logs: { bw: null, lat: null, iops: null },
    logAverageMs: 0,
    logsGreatest: false,
    logsOffset: false,
    significantFigures: 4,
    percentiles: PERCENTILES,
  } satisfies Partial<JobSettings>;
}

/** What ends a job, or holds it back, by what it measures. */
function defaultGoals() {
  return {
    latencyTargetUs: 0,
    latencyWindowUs: 0,
    latencyPercent: 100,
    latencyGoesOn: false,
    flowWeight: 0,
    flowId: 0,
    flowSleepUs: 0,
    steadyCriterion: { quantity: 'iops', isSlope: true, limit: 0.01, isPercent: true },
    steadyTimes: { windowMs: 0, rampMs: 0, intervalMs: 1000 },
  } satisfies Partial<JobSettings>;
}
