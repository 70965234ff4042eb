/**
 * The canonical comparison: one job file on encrypted disks, on plain ones, and on a naive
 * baseline.
 *
 * 1. Encrypted and plain run in short turns, one after the other, in an order that flips each turn:
 *    a machine that is slower for a while is slower for both. The spread of the ratio over turns
 *    says how far to trust it: paired-overhead.ts makes one figure with an interval of it.
 * 2. Disks are laid out before anything is measured, all variants.
 * 3. The baseline runs last and once, over less of the disk and for a shorter time: it is there for
 *    the order of magnitude.
 */
import type { CloneRun } from './clone-run.ts';
import type { JobFile } from './job.ts';
import { planRun } from './job-plan.ts';
import { costOf, type JobProgress, JobRun, type StageCost } from './job-run.ts';
import { joinActivities, type LoadActivity } from './live-activity.ts';
import { READ, WRITE } from './operation-source.ts';
import { type Overhead, overheadOf, overheadOfAll } from './paired-overhead.ts';
import { type ComparisonRow, mergeStats, type Rate, type Ratio, type ReportJob } from './report.ts';
import type { Target } from './target.ts';

export interface Variant {
  readonly name: 'encrypted' | 'plain' | 'naive';
  readonly file: JobFile;
  readonly target: Target;
}

export interface ComparisonOptions {
  readonly encrypted: Variant;
  readonly plain: Variant;
  /** null: not to be had. */
  readonly naive: Variant | null;
  /** Turns of encrypted and plain for each workload. */
  readonly turns: number;
  /** Called when the disks of both are open, before anything is measured. */
  readonly onOpen?: () => Promise<void>;
}

export interface ComparisonResult {
  readonly rows: readonly ComparisonRow[];
  readonly jobs: readonly ReportJob[];
  /** Over all workloads; null: too few turns. */
  readonly overhead: Overhead | null;
}

/** One variant, open, and what its turns of each stage came to. */
interface OpenVariant {
  readonly variant: Variant;
  readonly run: JobRun;
  readonly stages: readonly (readonly CloneRun[])[];
  readonly turns: TurnRates[];
  readonly costs: StageCost[];
}

/** Requests per second of each turn of a stage. */
type TurnRates = number[];

export class ComparisonRun {
  readonly #options: ComparisonOptions;
  readonly #runs: JobRun[] = [];
  readonly #opened: OpenVariant[] = [];
  #stage = 0;
  #turnsDone = 0;
  #turnsTotal = 1;
  #isStopped = false;
  #phase: JobProgress['phase'] = 'opening';

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  async run(): Promise<ComparisonResult> {
    const { encrypted, plain, naive, turns } = this.#options;
    const stageCount = stagesOf(encrypted.file);
    this.#turnsTotal = stageCount * (2 * turns + (naive === null ? 0 : 1));
    const opened = this.#opened;
    try {
      const pair = [await this.#open(encrypted), await this.#open(plain)] as const;
      opened.push(...pair);
      await this.#options.onOpen?.();
      for (let stage = 0; stage < stageCount; stage++) {
        for (let turn = 0; turn < turns; turn++) {
          const [first, second] = turn % 2 === 0 ? pair : [pair[1], pair[0]];
          await this.#turn(first, stage);
          await this.#turn(second, stage);
        }
      }
      if (naive !== null && !this.#isStopped) {
        const baseline = await this.#open(naive);
        opened.push(baseline);
        for (let stage = 0; stage < stageCount; stage++) await this.#turn(baseline, stage);
      }
      return compare(opened, stageCount);
    } finally {
      for (const run of this.#runs) await run.close();
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const run of this.#runs) run.stop();
  }

  progress(): JobProgress {
    const parts = this.#runs.map((run) => run.progress());
    return {
      phase: this.#phase,
      share: this.#turnsDone / this.#turnsTotal,
      requests: parts.reduce((sum, { requests }) => sum + requests, 0),
      bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** What the clones of the stage do just now, of all variants. */
  activities(): LoadActivity[] {
    return joinActivities(
      this.#opened.flatMap(({ variant, stages }) =>
        (stages[this.#stage] ?? []).map((run) => {
          const activity = run.activity();
          return { ...activity, job: `${activity.job}/${variant.name}` };
        }),
      ),
    );
  }

  async #open(variant: Variant): Promise<OpenVariant> {
    this.#phase = 'layout';
    const plan = planRun(variant.file, () => variant.name, 0);
    const run = new JobRun(plan, async () => variant.target);
    this.#runs.push(run);
    const stages = await run.open();
    return { variant, run, stages, turns: stages.map(() => []), costs: [] };
  }

  async #turn({ stages, turns, costs }: OpenVariant, stage: number): Promise<void> {
    const clones = stages[stage] ?? [];
    this.#phase = 'running';
    this.#stage = stage;
    if (this.#isStopped || clones.some(({ error }) => error !== null)) return;
    const before = clones.reduce((sum, { stats }) => sum + stats.requests(), 0);
    const cost = await costOf(() => Promise.all(clones.map((clone) => clone.run())));
    const made = clones.reduce((sum, { stats }) => sum + stats.requests(), 0) - before;
    turns[stage]!.push((made * 1e3) / cost.elapsedMs);
    costs[stage] = joinCosts(costs[stage], cost);
    this.#turnsDone += 1;
  }
}

function stagesOf(file: JobFile): number {
  return file.jobs.at(-1)!.stage + 1;
}

function joinCosts(before: StageCost | undefined, turn: StageCost): StageCost {
  if (before === undefined) return turn;
  const elapsedMs = before.elapsedMs + turn.elapsedMs;
  const mean = (key: 'userPercent' | 'systemPercent'): number =>
    (before[key] * before.elapsedMs + turn[key] * turn.elapsedMs) / elapsedMs;
  return {
    elapsedMs,
    userPercent: mean('userPercent'),
    systemPercent: mean('systemPercent'),
    contextSwitches: before.contextSwitches + turn.contextSwitches,
  };
}

function compare(opened: readonly OpenVariant[], stageCount: number): ComparisonResult {
  const rows: ComparisonRow[] = [];
  const jobs: ReportJob[] = [];
  const pairs: { encrypted: TurnRates; plain: TurnRates }[] = [];
  for (let stage = 0; stage < stageCount; stage++) {
    const cells = new Map<Variant['name'], ReportJob>();
    for (const variant of opened) {
      if (variant.stages.length === 0) continue;
      const job = jobOf(variant, stage);
      jobs.push(job);
      cells.set(variant.variant.name, job);
    }
    const turnsOf = (name: Variant['name']): TurnRates =>
      opened.find(({ variant }) => variant.name === name)?.turns[stage] ?? [];
    const pair = { encrypted: turnsOf('encrypted'), plain: turnsOf('plain') };
    pairs.push(pair);
    const encrypted = rateOf(cells.get('encrypted'));
    const plain = rateOf(cells.get('plain'));
    const naive = rateOf(cells.get('naive'));
    const workload = opened[0]!.variant.file.jobs.find((job) => job.stage === stage)!.name;
    rows.push({
      workload,
      encrypted,
      plain,
      naive,
      ratioToPlain: ratioOf(encrypted, plain, pair.encrypted, pair.plain),
      overhead: overheadOf(pair.encrypted, pair.plain),
      ratioToNaive:
        encrypted === null || naive === null
          ? null
          : encrypted.requestsPerSecond / naive.requestsPerSecond,
    });
  }
  return { rows, jobs, overhead: overheadOfAll(pairs) };
}

function jobOf({ variant, stages, costs }: OpenVariant, stage: number): ReportJob {
  const clones = stages[stage] ?? [];
  const { job, seed } = clones[0]!.plan;
  return {
    name: `${job.name}/${variant.name}`,
    groupId: stage,
    options: job.options,
    percentiles: job.percentiles,
    significantFigures: job.significantFigures,
    stats: mergeStats(clones.map(({ stats }) => stats)),
    error: clones.find(({ error }) => error !== null)?.error ?? null,
    cost: costs[stage] ?? { elapsedMs: 0, userPercent: 0, systemPercent: 0, contextSwitches: 0 },
    target: variant.name,
    disks: clones.map(({ plan }) => plan.disk.diskName),
    depth: job.depth,
    clones: clones.length,
    seed,
    verified: null,
    isPaced: false,
  };
}

/** null if nothing was done. Reads and writes of a mixed workload are counted together. */
function rateOf(job: ReportJob | undefined): Rate | null {
  if (job === undefined || job.stats.requests() === 0) return null;
  const { stats } = job;
  const directions = [stats.direction(READ), stats.direction(WRITE)];
  const busier =
    directions[0]!.requests >= directions[1]!.requests ? directions[0]! : directions[1]!;
  const perSecond = 1e3 / busier.runtimeMs;
  return {
    requestsPerSecond: directions.reduce((sum, { requests }) => sum + requests, 0) * perSecond,
    bytesPerSecond: directions.reduce((sum, { bytes }) => sum + bytes, 0) * perSecond,
    p50Ns: busier.latency.percentile(50),
    p99Ns: busier.latency.percentile(99),
  };
}

function ratioOf(
  encrypted: Rate | null,
  plain: Rate | null,
  encryptedTurns: TurnRates,
  plainTurns: TurnRates,
): Ratio | null {
  if (encrypted === null || plain === null) return null;
  const turns = encryptedTurns.flatMap((rate, turn) => {
    const beside = plainTurns[turn];
    return beside === undefined || beside === 0 ? [] : [rate / beside];
  });
  const all = encrypted.requestsPerSecond / plain.requestsPerSecond;
  return { all, least: Math.min(all, ...turns), most: Math.max(all, ...turns) };
}
