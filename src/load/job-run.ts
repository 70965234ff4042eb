/**
 * A planned job file as it runs: opens the disks, lays out what will be read, runs stage after
 * stage.
 *
 * 1. Disks are opened before anything runs, and closed after everything has.
 * 2. Layout: a fresh disk that a job reads is written first, over the ranges that are read, outside
 *    of any measurement (fio: "Laying out IO file"). Otherwise reads would find holes, which cost
 *    next to nothing. A disk that existed before is left as it is.
 * 3. A clone that fails ends by itself; the others go on.
 * 4. stop() ends everything at once; what was measured until then is the result.
 */
import { resolve } from 'node:path';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import { MIB } from '../base/units.ts';
import { CloneRun, type FinishedClone } from './clone-run.ts';
import { DiskVerifier, MismatchLog } from './disk-verifier.ts';
import { Flow } from './flow.ts';
import { IoLogWriter } from './io-log-writer.ts';
import type { Job } from './job.ts';
import { type ClonePlan, type DiskPlan, largestBlock, type RunPlan } from './job-plan.ts';
import { joinActivities, type LoadActivity } from './live-activity.ts';
import type { LoadDisk } from './load-disk.ts';
import { LoadStats } from './load-stats.ts';
import { WRITE } from './operation-source.ts';
import { RequestLog } from './request-log.ts';
import { RequestLoop } from './request-loop.ts';
import { SteadyWatch } from './steady-state.ts';
import type { Target } from './target.ts';
import {
  createDigestContent,
  createPatternContent,
  createStampContent,
  type UnitContent,
} from './unit-content.ts';
import { UNIT_BYTES } from './version-map.ts';
import { joinRanges, RangeWalk } from './walk.ts';

const LAYOUT_BLOCK_BYTES = MIB;
const LAYOUT_DEPTH = 8;

/** What the process spent while a stage ran. */
export interface StageCost {
  readonly elapsedMs: number;
  /** Share of one core, percent. */
  readonly userPercent: number;
  readonly systemPercent: number;
  readonly contextSwitches: number;
}

export interface CloneResult {
  readonly run: FinishedClone;
  /** Of the whole process: threads are shared by all jobs of a stage. */
  readonly cost: StageCost;
}

export interface JobProgress {
  /** What is being done: opening, laying out, running, verifying. */
  readonly phase: 'opening' | 'layout' | 'running' | 'verifying';
  /** Share of the whole run, 0 to 1; NaN if no end is known. */
  readonly share: number;
  readonly requests: number;
  readonly bytes: number;
}

/** Opens a target by name, once: asked again, it gives the same one. */
export type TargetOpener = (targetName: string) => Promise<Target>;

/** Asked before each stage: it begins when the promise resolves. */
export type StageGate = (stage: number) => Promise<void>;

export class JobRun {
  readonly #plan: RunPlan;
  readonly #openTarget: TargetOpener;
  readonly #logDirectory: string;
  readonly #gate: StageGate;
  readonly #disks = new Map<string, LoadDisk>();
  readonly #runs: CloneRun[][] = [];
  readonly #logs: { close(nowMs: number): void }[] = [];
  readonly #flows = new Map<number, Flow>();
  #phase: JobProgress['phase'] = 'opening';
  #stage = 0;
  #layout: RequestLoop | null = null;
  #isStopped = false;

  /**
   * @param logDirectory where logs go that job files ask for; the working directory by default
   * @param gate open by default
   */
  constructor(
    plan: RunPlan,
    openTarget: TargetOpener,
    logDirectory = '.',
    gate: StageGate = async () => {},
  ) {
    this.#gate = gate;
    this.#logDirectory = logDirectory;
    this.#plan = plan;
    this.#openTarget = openTarget;
  }

  /**
   * Runs everything. Failures of requests are in the results; failures to begin are thrown.
   *
   * @throws PlaneError what opening a target or a disk throws; JobFileInvalid: two ways to verify
   *   one disk
   */
  async run(): Promise<CloneResult[]> {
    try {
      await this.open();
      const results: CloneResult[] = [];
      for (const [stage, runs] of this.#runs.entries()) {
        this.#stage = stage;
        await this.#gate(stage);
        this.#phase = 'running';
        if (this.#isStopped) break;
        const cost = await costOf(() => this.#runStage(runs));
        results.push(...runs.map((run) => ({ run, cost })));
      }
      return results;
    } finally {
      await this.close();
    }
  }

  /** Runs the clones of a stage together, but for those that wait for a job (wait_for). */
  async #runStage(runs: readonly CloneRun[]): Promise<void> {
    const ended = new Map<string, Promise<void>[]>();
    const watches = steadyWatches(runs);
    for (const { watch } of watches) watch.begin();
    for (const run of runs) {
      const { name, waitFor } = run.plan.job;
      const before = waitFor === null ? undefined : ended.get(waitFor);
      const running = Promise.all(before ?? [])
        .then(() => run.run())
        .then(() => endWatches(watches, run))
        .then(() => this.#endWith(run, runs));
      ended.set(name, [...(ended.get(name) ?? []), running]);
    }
    await Promise.all([...ended.values()].flat());
  }

  /** exitall, exitall_on_error: what ends because a job did. */
  #endWith(run: CloneRun, stage: readonly CloneRun[]): void {
    const { job } = run.plan;
    if (run.error !== null && job.exitsOthersOnError) this.stop();
    if (!job.exitsOthers) return;
    if (job.exitsWhat === 'all') this.stop();
    for (const other of stage) {
      if (job.exitsWhat === 'stonewall' || other.plan.job.groupId === job.groupId) other.stop();
    }
  }

  /** Opens disks and lays them out. Part of run(); by itself for turns. */
  async open(): Promise<readonly (readonly CloneRun[])[]> {
    for (const plan of this.#plan.disks) {
      if (this.#isStopped) return [];
      this.#disks.set(plan.key, await this.#openDisk(plan));
    }
    this.#phase = 'layout';
    const failures = new Map<string, unknown>();
    for (const plan of this.#plan.disks) {
      const error = await this.#layOut(plan);
      if (error !== null) failures.set(plan.key, error);
    }
    for (const stage of this.#plan.stages) {
      const runs = stage.map((clone) => this.#openClone(clone));
      for (const run of runs) {
        run.error = failures.get(run.plan.disk.key) ?? null;
        if (run.error !== null || this.#isStopped) run.stop();
      }
      this.#runs.push(runs);
    }
    return this.#runs;
  }

  /** Closes the disks. Part of run(); by itself for turns. */
  async close(): Promise<void> {
    for (const log of this.#logs.splice(0)) log.close(performance.now());
    for (const { disk } of this.#disks.values()) await disk.close();
    this.#disks.clear();
  }

  /** Ends everything: run() resolves with what was measured. */
  stop(): void {
    this.#isStopped = true;
    this.#layout?.stop();
    for (const run of this.#runs.flat()) run.stop();
  }

  progress(): JobProgress {
    const running = this.#runs[this.#stage] ?? [];
    const shares = running.map((run) => run.progress());
    const least = this.#phase === 'layout' ? (this.#layout?.progress() ?? 0) : Math.min(...shares);
    const isVerifying = running.some((run) => run.isReadingBack());
    const stages = this.#plan.stages.length;
    const all = this.#runs.flat();
    return {
      phase: isVerifying ? 'verifying' : this.#phase,
      share: this.#phase === 'layout' ? least : (this.#stage + Math.min(1, least)) / stages,
      requests: all.reduce((sum, { stats }) => sum + stats.requests(), 0),
      bytes: all.reduce((sum, { stats }) => sum + stats.bytes(), 0),
    };
  }

  /** What the jobs of the stage do on their disks just now. */
  activities(): LoadActivity[] {
    return joinActivities((this.#runs[this.#stage] ?? []).map((run) => run.activity()));
  }

  #openClone(clone: ClonePlan): CloneRun {
    const { job, number } = clone;
    const named = (prefix: string | null): string | null =>
      prefix === null ? null : resolve(this.#logDirectory, prefix === '' ? job.name : prefix);
    const { bw, lat, iops } = job.logs;
    const prefixes = { bw: named(bw), lat: named(lat), iops: named(iops) };
    const isLogged = Object.values(prefixes).some((prefix) => prefix !== null);
    const shape = {
      averageMs: job.logAverageMs,
      isGreatest: job.logsGreatest,
      hasOffset: job.logsOffset,
    };
    const requestLog = isLogged ? new RequestLog(prefixes, number, shape) : null;
    const ioLog = this.#openIoLog(clone);
    for (const log of [requestLog, ioLog]) if (log !== null) this.#logs.push(log);
    const disk = this.#disks.get(clone.disk.key)!;
    return new CloneRun(clone, disk, { requestLog, ioLog }, this.#flowOf(job));
  }

  /** write_iolog: a file for each clone, .N behind the name from the second on. */
  #openIoLog({ job, cloneIndex, disk }: ClonePlan): IoLogWriter | null {
    if (job.writesIoLog === null) return null;
    const name = cloneIndex === 0 ? job.writesIoLog : `${job.writesIoLog}.${cloneIndex}`;
    return new IoLogWriter(resolve(this.#logDirectory, name), disk.diskName);
  }

  #flowOf({ flowWeight, flowId }: Job): Flow | null {
    if (flowWeight === 0) return null;
    const flow = this.#flows.get(flowId) ?? new Flow();
    this.#flows.set(flowId, flow);
    return flow;
  }

  async #openDisk(plan: DiskPlan): Promise<LoadDisk> {
    const target = await this.#openTarget(plan.targetName);
    const disk = await target.openDisk(plan.diskName, plan.sizeBytes);
    const clones = this.#clonesOn(plan);
    const isVerified = clones.some(({ job }) => job.verify !== 'none');
    if (!isVerified || !target.keepsBytes) return { disk, verifier: null };
    const content = contentFor(plan, clones);
    const { isFresh } = disk;
    const options = { diskName: plan.diskName, isFresh, isStrict: true, content };
    return { disk, verifier: new DiskVerifier(options) };
  }

  /** @returns why it failed, null if it did not */
  async #layOut(plan: DiskPlan): Promise<unknown> {
    const disk = this.#disks.get(plan.key)!;
    const target = await this.#openTarget(plan.targetName);
    const reading = this.#clonesOn(plan).filter(({ job }) => readsDisk(job));
    if (!disk.disk.isFresh || !target.keepsBytes || this.#isStopped) return null;
    const ranges = joinRanges(
      reading.map(({ regionOffset, regionBytes }) => ({
        startBytes: regionOffset,
        endBytes: regionOffset + regionBytes,
      })),
    );
    if (ranges.length === 0) return null;
    const stats = new LoadStats();
    this.#layout = new RequestLoop({
      source: new RangeWalk(WRITE, disk, ranges, LAYOUT_BLOCK_BYTES),
      depth: LAYOUT_DEPTH,
      stats,
      log: new MismatchLog(),
      payload: 'scramble',
      seed: reading[0]!.seed,
      bufferBytes: LAYOUT_BLOCK_BYTES,
    });
    const { error } = await this.#layout.run();
    stats.release();
    return error;
  }

  #clonesOn(plan: DiskPlan): ClonePlan[] {
    return this.#plan.stages.flat().filter((clone) => clone.disk.key === plan.key);
  }
}

/** Runs something and says what the process spent on it. */
export async function costOf(work: () => Promise<unknown>): Promise<StageCost> {
  const beganAtMs = performance.now();
  const cpu = process.cpuUsage();
  const before = process.resourceUsage();
  await work();
  const elapsedMs = performance.now() - beganAtMs;
  const { user, system } = process.cpuUsage(cpu);
  const after = process.resourceUsage();
  return {
    elapsedMs,
    userPercent: user / 10 / elapsedMs,
    systemPercent: system / 10 / elapsedMs,
    contextSwitches:
      after.voluntaryContextSwitches -
      before.voluntaryContextSwitches +
      after.involuntaryContextSwitches -
      before.involuntaryContextSwitches,
  };
}

/** Clones watched together, and those of them that run. */
interface WatchedClones {
  readonly watch: SteadyWatch;
  readonly running: Set<CloneRun>;
}

/** One for each clone with a window; one for a group that reports together. */
function steadyWatches(runs: readonly CloneRun[]): WatchedClones[] {
  const parts = new Map<unknown, CloneRun[]>();
  for (const run of runs) {
    const { groupReporting, groupId, steadyTimes } = run.plan.job;
    if (steadyTimes.windowMs === 0) continue;
    const key = groupReporting ? groupId : run;
    parts.set(key, [...(parts.get(key) ?? []), run]);
  }
  return [...parts.values()].map((clones) => {
    const { steadyCriterion, steadyTimes } = clones[0]!.plan.job;
    const stop = (): void => {
      for (const clone of clones) clone.stop();
    };
    const stats = clones.map((clone) => clone.stats);
    const watch = new SteadyWatch(stats, steadyCriterion, steadyTimes, stop);
    for (const clone of clones) clone.watchedBy = watch.state;
    return { watch, running: new Set(clones) };
  });
}

/** Ends the watch over clones of which the last has ended. */
function endWatches(watches: readonly WatchedClones[], ended: CloneRun): void {
  for (const { watch, running } of watches) {
    running.delete(ended);
    if (running.size === 0) watch.end();
  }
}

/** What a replayed log reads is not laid out: it may reach far, and read little of the way. */
function readsDisk({ workload, readPercent, ioLog }: Job): boolean {
  if (ioLog !== null) return false;
  return workload.isMixed ? readPercent > 0 : workload.direction === 'read';
}

/** How a disk that some job verifies is filled, by whichever job writes to it. */
function contentFor(plan: DiskPlan, clones: readonly ClonePlan[]): UnitContent {
  const { verify, verifyPattern } = clones.find(({ job }) => job.verify !== 'none')!.job;
  invariant(verify !== 'none', 'only a verified disk has content');
  for (const { job, regionOffset } of clones) {
    const isAlike =
      job.verify === 'none' ||
      (job.verify === verify &&
        Buffer.compare(job.verifyPattern ?? Buffer.of(), verifyPattern ?? Buffer.of()) === 0);
    if (!isAlike) refuseDisk(plan, `job ${job.name} verifies it in another way than a job before`);
    if (regionOffset % UNIT_BYTES !== 0 || largestBlock(job) % UNIT_BYTES !== 0) {
      refuseDisk(plan, `it is verified: expected job ${job.name} to use multiples of 512 bytes`);
    }
  }
  if (verify === 'pattern') return createPatternContent(verifyPattern!);
  const salt = saltOf(plan.diskName);
  return verify === 'meta' ? createStampContent(salt) : createDigestContent(verify, salt);
}

function refuseDisk(plan: DiskPlan, detail: string): never {
  throw new PlaneError('JobFileInvalid', `disk ${plan.diskName}: ${detail}`);
}

/** A number that differs from disk to disk, the same for the same name on every run. */
export function saltOf(diskName: string): number {
  let salt = 0x811c9dc5;
  for (const character of diskName) salt = Math.imul(salt ^ character.codePointAt(0)!, 0x01000193);
  return salt >>> 0;
}
