/**
 * From jobs to clones: who runs when, on which disk, over which bytes, from which seed.
 *
 * 1. Clones whose disks have the same name share one. filename gives the name; without it it is
 *    made by filename_format, which fio sets to a disk for each clone: <job>.<clone>.0. A target
 *    that is one disk is shared by all.
 * 2. A clone's region is [offset + clone * offset_increment, + size), whole blocks only, inside the
 *    disk. The disk is as large as the largest region needs, unless filesize says.
 * 3. Seeds: randseed if given; otherwise a function of the job's and the clone's number, the same
 *    on every run, unless randrepeat=0.
 */
import { PlaneError } from '../base/errors.ts';
import { GIB } from '../base/units.ts';
import { DISK_BYTES_MAX, LOAD_BUFFER_BYTES_MAX } from '../limits.ts';
import type { IoLog } from './io-log.ts';
import type { Job, JobFile } from './job.ts';
import type { Extent } from './job-values.ts';
import { UNIT_BYTES } from './version-map.ts';

export interface DiskPlan {
  /** Target and disk name, unique in the run. */
  readonly key: string;
  readonly diskName: string;
  readonly targetName: string;
  readonly sizeBytes: number;
}

export interface ClonePlan {
  readonly job: Job;
  /** From 0 among the clones of its job. */
  readonly cloneIndex: number;
  /** From 1 among all clones of the run. */
  readonly number: number;
  readonly disk: DiskPlan;
  readonly regionOffset: number;
  readonly regionBytes: number;
  /** Bytes to transfer before the clone ends, if nothing else ends it. */
  readonly transferBytes: number;
  readonly seed: number;
}

export interface RunPlan {
  readonly disks: readonly DiskPlan[];
  /** Clones by stage. Stages run one after the other, the clones of a stage together. */
  readonly stages: readonly (readonly ClonePlan[])[];
}

type PlannedRegion = Pick<ClonePlan, 'regionOffset' | 'regionBytes' | 'transferBytes'>;

/** The disk of a clone. */
type DiskNamer = (job: Job, cloneIndex: number) => string;

/** What the disk of a target that is one disk is called. */
const ONE_DISK = 'disk';

/** Where a disk's size comes from when nothing says: the smallest disk there is. */
const DISK_BYTES_UNSAID = GIB;

/**
 * Plans a job file.
 *
 * @param targetOf the target a job runs on: its ioengine, or what the command line chose
 * @param entropy a number that differs from run to run, for randrepeat=0
 * @param isOneDisk true of a target that is one disk, whatever it is called: jobs without a
 *   filename share it, as they share the uri of fio's nbd engine
 * @throws PlaneError JobFileInvalid: a region outside its disk, or too much memory for buffers
 */
export function planRun(
  file: JobFile,
  targetOf: (job: Job) => string,
  entropy: number,
  isOneDisk: (targetName: string) => boolean = () => false,
): RunPlan {
  const nameOf: DiskNamer = (job, cloneIndex) => {
    if (job.diskName !== null) return job.diskName;
    if (isOneDisk(targetOf(job))) return ONE_DISK;
    return job.ioLog?.diskName ?? madeDiskName(job, cloneIndex);
  };
  const sizes = diskSizes(file, targetOf, nameOf);
  const disks = new Map<string, DiskPlan>();
  const stages: ClonePlan[][] = Array.from({ length: file.jobs.at(-1)!.stage + 1 }, () => []);
  let number = 0;
  checkWaits(file);
  for (const job of file.jobs) {
    for (let cloneIndex = 0; cloneIndex < job.clones; cloneIndex++) {
      const diskName = nameOf(job, cloneIndex);
      const targetName = targetOf(job);
      const key = diskKey(targetName, diskName);
      const disk = disks.get(key) ?? { key, diskName, targetName, sizeBytes: sizes.get(key)! };
      disks.set(key, disk);
      const seed = seedOf(job, cloneIndex, number, entropy);
      number += 1;

      stages[job.stage]!.push({
        job,
        cloneIndex,
        number,
        disk,
        seed,
        ...regionOf(job, cloneIndex, disk, file.fileName),
      });
    }
  }
  for (const stage of stages) checkMemory(stage, file.fileName);
  return { disks: [...disks.values()], stages };
}

/** The largest block a job moves, bytes. */
export function largestBlock({ blockSizes, workload, sizesByOrder, ioLog }: Job): number {
  if (ioLog !== null) return Math.max(1, ioLog.longestBytes);
  if (sizesByOrder) return Math.max(blockSizes.read.most, blockSizes.write.most);
  if (workload.isMixed) return Math.max(blockSizes.read.most, blockSizes.write.most);
  return blockSizes[workload.direction].most;
}

function madeDiskName(job: Job, cloneIndex: number): string {
  return job.diskNameFormat
    .replaceAll('$jobname', job.name)
    .replaceAll('$jobnum', `${cloneIndex}`)
    .replaceAll('$filenum', '0');
}

function diskKey(targetName: string, diskName: string): string {
  return `${targetName}:${diskName}`;
}

function diskSizes(
  file: JobFile,
  targetOf: (job: Job) => string,
  nameOf: DiskNamer,
): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const job of file.jobs) {
    for (let cloneIndex = 0; cloneIndex < job.clones; cloneIndex++) {
      const key = diskKey(targetOf(job), nameOf(job, cloneIndex));
      const increment = (job.offsetIncrement.bytes ?? 0) * cloneIndex;
      const size = job.fillsDisk ? 0 : (job.size?.bytes ?? 0);
      const end = job.ioLog?.endBytes ?? (job.offset.bytes ?? 0) + increment + size;
      const needed = Math.max(job.diskBytes ?? end, job.ioLog?.endBytes ?? 0);
      sizes.set(key, Math.max(sizes.get(key) ?? 0, needed));
    }
  }
  for (const [key, needed] of sizes) {
    if (needed > DISK_BYTES_MAX) refuse(file.fileName, `disk ${key}: ${needed} bytes is too large`);
    sizes.set(key, needed === 0 ? DISK_BYTES_UNSAID : needed);
  }
  return sizes;
}

function regionOf(job: Job, cloneIndex: number, disk: DiskPlan, fileName: string): PlannedRegion {
  if (job.ioLog !== null) return regionOfLog(job.ioLog, disk);
  const blockBytes = largestBlock(job);
  const wholeBlocks = (bytes: number): number => bytes - (bytes % blockBytes);
  const bytesOf = ({ bytes, percent }: Extent): number =>
    bytes ?? wholeBlocks(Math.floor((disk.sizeBytes * percent!) / 100));
  const increment = cloneIndex * bytesOf(job.offsetIncrement);
  const start = alignedStart(job, disk, increment) ?? bytesOf(job.offset) + increment;
  const rest = disk.sizeBytes - start;
  const wanted = job.size === null || job.fillsDisk ? rest : bytesOf(job.size);
  if (rest < blockBytes || wanted > rest) {
    refuse(
      fileName,
      `job ${job.name}, clone ${cloneIndex}: expected offset + size within the disk's ` +
        `${disk.sizeBytes} bytes, got ${start} + ${Math.max(wanted, blockBytes)}`,
    );
  }
  const regionBytes = wholeBlocks(wanted);
  if (regionBytes === 0) refuse(fileName, `job ${job.name}: size is less than one block`);
  const transferBytes = job.ioSize === null ? regionBytes * job.loops : bytesOf(job.ioSize);
  return { regionOffset: start, regionBytes, transferBytes };
}

/** An offset in percent goes up to a multiple of offset_align, if that is set: fio filesetup.c. */
function alignedStart(
  { offset, offsetAlignBytes }: Job,
  { sizeBytes }: DiskPlan,
  increment: number,
): number | null {
  if (offset.percent === null || offsetAlignBytes === 0) return null;
  const exact = Math.floor((sizeBytes * offset.percent) / 100) + increment;
  return Math.ceil(exact / offsetAlignBytes) * offsetAlignBytes;
}

/** All of the disk that the log is about. */
function regionOfLog({ lengths }: IoLog, { sizeBytes }: DiskPlan): PlannedRegion {
  const transferBytes = lengths.reduce((sum, each) => sum + each, 0);
  return { regionOffset: 0, regionBytes: sizeBytes - (sizeBytes % UNIT_BYTES), transferBytes };
}

function seedOf(job: Job, cloneIndex: number, number: number, entropy: number): number {
  const base = job.seed ?? (job.isRepeatable ? 0x89 : entropy);
  const step = job.seed === null ? number : cloneIndex;
  return (base + Math.imul(step, 0x9e3779b9)) >>> 0;
}

/** A job waits for one before it: there is no circle. */
function checkWaits(file: JobFile): void {
  const before = new Set<string>();
  for (const { name, waitFor } of file.jobs) {
    if (waitFor !== null && !before.has(waitFor)) {
      refuse(file.fileName, `job ${name}: wait_for: expected a job before it, got '${waitFor}'`);
    }
    before.add(name);
  }
}

function checkMemory(stage: readonly ClonePlan[], fileName: string): void {
  // Two buffers a request: what is read must not become what is written next.
  const bytes = stage.reduce((sum, { job }) => sum + 2 * job.depth * largestBlock(job), 0);
  if (bytes > LOAD_BUFFER_BYTES_MAX) {
    refuse(
      fileName,
      `expected jobs that run together to need at most ${LOAD_BUFFER_BYTES_MAX} bytes of buffers ` +
        `(iodepth * bs * 2), got ${bytes}`,
    );
  }
}

function refuse(fileName: string, detail: string): never {
  throw new PlaneError('JobFileInvalid', `${fileName}: ${detail}`);
}
