/**
 * Replaying a block trace: many devices on many disks, in the order of the trace, at a depth.
 *
 * One loop serves all disks, so at most depth requests are in flight together, and the requests of
 * a disk are made in the order of the trace. With verify, each read is judged by the model of its
 * disk (disk-verifier.ts).
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PlaneError } from '../base/errors.ts';
import { KIB } from '../base/units.ts';
import { DISK_BYTES_MAX } from '../limits.ts';
import { DiskVerifier, MismatchLog } from './disk-verifier.ts';
import { costOf, type JobProgress, type StageCost, saltOf } from './job-run.ts';
import { activityOf, type LoadActivity } from './live-activity.ts';
import type { LoadDisk } from './load-disk.ts';
import { LoadStats } from './load-stats.ts';
import { RequestLoop } from './request-loop.ts';
import type { Target } from './target.ts';
import { TraceFile } from './trace-file.ts';
import { type DeviceSizes, readDeviceSizes, scanDeviceSizes } from './trace-sizes.ts';
import { TraceSource } from './trace-source.ts';
import { createStampContent } from './unit-content.ts';

export interface TraceRunOptions {
  readonly fileName: string;
  /** device_size.csv; null: the one beside the trace if there is one, else a first pass. */
  readonly sizesFileName: string | null;
  readonly target: Target;
  readonly depth: number;
  /** 1: at recorded speed, 2: twice as fast; 0: as fast as the depth allows. */
  readonly speed: number;
  readonly isVerified: boolean;
  /** 0: no limit. */
  readonly runtimeMs: number;
  /** 0: no limit. */
  readonly requestsMax: number;
}

export interface TraceResult {
  readonly stats: LoadStats;
  readonly log: MismatchLog;
  /** What ended the replay early; null: nothing did. */
  readonly error: unknown;
  readonly cost: StageCost;
  readonly devices: number;
  readonly requests: number;
}

const WRITE_SEED = 0x7ace;

export class TraceRun {
  readonly stats = new LoadStats();
  readonly #options: TraceRunOptions;
  #phase: JobProgress['phase'] = 'opening';
  #scanShare = 0;
  #loop: RequestLoop | null = null;
  #source: TraceSource | null = null;
  #isStopped = false;

  constructor(options: TraceRunOptions) {
    this.#options = options;
  }

  /**
   * Replays to the end. A failed request, or a line that cannot be parsed, is in the result.
   *
   * @throws PlaneError TraceInvalid: not a trace, or its first pass found a bad line
   */
  async run(): Promise<TraceResult> {
    const { fileName } = this.#options;
    const sizes = await this.#sizes();
    const file = await TraceFile.open(fileName);
    const source = this.#openSource(file, sizes);
    this.#source = source;
    const log = new MismatchLog();
    try {
      let error: unknown = null;
      const cost = await costOf(async () => {
        if (!this.#isStopped) error = await this.#replay(source, log);
      });
      if (log.count > 0 && error === null) error = mismatch(log);
      const { stats } = this;
      return { stats, log, error, cost, devices: source.disks().length, requests: source.requests };
    } finally {
      source.cancel();
      await file.close();
      for (const { disk } of source.disks()) await disk.close();
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#loop?.stop();
  }

  progress(): JobProgress {
    return {
      phase: this.#phase,
      share: this.#phase === 'opening' ? this.#scanShare : (this.#loop?.progress() ?? 0),
      requests: this.stats.requests(),
      bytes: this.stats.bytes(),
    };
  }

  /** What the replay does just now. */
  activities(): LoadActivity[] {
    const inFlight = this.#loop?.inFlight() ?? 0;
    const disks = this.#source?.disks().map(({ disk }) => disk) ?? [];
    return [activityOf(basename(this.#options.fileName), 'all', this.stats, inFlight, disks)];
  }

  async #sizes(): Promise<DeviceSizes> {
    const { fileName, sizesFileName } = this.#options;
    const beside = join(dirname(fileName), 'device_size.csv');
    if (sizesFileName !== null) return readDeviceSizes(sizesFileName);
    if (existsSync(beside)) return readDeviceSizes(beside);
    const onProgress = (share: number): void => {
      this.#scanShare = share;
    };
    const sizes = await scanDeviceSizes(fileName, onProgress, () => this.#isStopped);
    for (const [device, sizeBytes] of sizes) {
      if (sizeBytes > DISK_BYTES_MAX) {
        throw new PlaneError(
          'TraceInvalid',
          `${fileName}: device ${device} reaches ${sizeBytes} bytes, expected at most ` +
            `${DISK_BYTES_MAX}`,
        );
      }
    }
    return sizes;
  }

  #openSource(file: TraceFile, sizes: DeviceSizes): TraceSource {
    const { target, speed, isVerified, requestsMax } = this.#options;
    const openDisk = async (device: number, sizeBytes: number): Promise<LoadDisk> => {
      const diskName = `trace.${device}`;
      const disk = await target.openDisk(diskName, sizeBytes);
      if (!isVerified) return { disk, verifier: null };
      const { isFresh } = disk;
      const content = createStampContent(saltOf(diskName));
      const verifier = new DiskVerifier({ diskName, isFresh, isStrict: false, content });
      return { disk, verifier };
    };
    const limit = requestsMax === 0 ? Number.POSITIVE_INFINITY : requestsMax;
    return new TraceSource({ file, sizes, openDisk, speed, isVerified, requestsMax: limit });
  }

  async #replay(source: TraceSource, log: MismatchLog): Promise<unknown> {
    this.#phase = 'running';
    this.#loop = new RequestLoop({
      source,
      depth: this.#options.depth,
      stats: this.stats,
      log,
      payload: 'scramble',
      seed: WRITE_SEED,
      bufferBytes: 64 * KIB,
      runtimeMs: this.#options.runtimeMs,
    });
    const { error } = await this.#loop.run();
    return error;
  }
}

function mismatch(log: MismatchLog): PlaneError {
  const detail = `${log.count} units of 512 bytes are not what was last written`;
  return new PlaneError('VerifyMismatch', detail);
}
