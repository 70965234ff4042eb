/**
 * Which thread runs which clone: a plan dealt into parts.
 *
 * 1. Clones that have to do with each other stay in one part: those that share a disk that cannot
 *    be opened twice or that is verified, that wait for one another (wait_for), end each other
 *    (exitall), share a flow, or are watched together until they are steady.
 * 2. The rest is dealt so that the parts have alike many requests in flight, the largest first.
 * 3. A part has the stages of the whole plan: some may be empty.
 */
import type { Job } from './job.ts';
import type { ClonePlan, DiskPlan, RunPlan } from './job-plan.ts';

export interface DealtPlan {
  readonly parts: readonly RunPlan[];
  /** Disks that clones of several parts use. */
  readonly spread: readonly DiskPlan[];
}

/**
 * @param count of parts at most; fewer if there is not as much to deal
 * @param opensTwice true of a target whose disks several threads may open
 */
export function dealPlan(
  plan: RunPlan,
  count: number,
  opensTwice: (targetName: string) => boolean,
): DealtPlan {
  const clones = plan.stages.flat();
  const bundles = bundle(clones, (clone) => tiesOf(clone, clones, opensTwice));
  const weightOf = (bundled: readonly ClonePlan[]): number =>
    bundled.reduce((sum, { job }) => sum + job.depth, 0);
  const hands = Array.from({ length: Math.min(count, bundles.length) }, () => ({
    clones: new Set<ClonePlan>(),
    weight: 0,
  }));
  const heaviestFirst = bundles.toSorted((left, right) => weightOf(right) - weightOf(left));
  for (const bundled of heaviestFirst) {
    const hand = hands.reduce((least, each) => (each.weight < least.weight ? each : least));
    for (const clone of bundled) hand.clones.add(clone);
    hand.weight += weightOf(bundled);
  }
  const parts = hands.map((hand) => partOf(plan, hand.clones));
  const isSpread = ({ key }: DiskPlan): boolean =>
    parts.filter(({ disks }) => disks.some((disk) => disk.key === key)).length > 1;
  return { parts, spread: plan.disks.filter(isSpread) };
}

/** The clones of a plan that are in a set, with their disks. */
export function partOf(plan: RunPlan, clones: ReadonlySet<ClonePlan>): RunPlan {
  const stages = plan.stages.map((stage) => stage.filter((clone) => clones.has(clone)));
  const keys = new Set(stages.flat().map(({ disk }) => disk.key));
  return { disks: plan.disks.filter(({ key }) => keys.has(key)), stages };
}

/** What ties a clone to others: clones with a tie in common stay together. */
function tiesOf(
  { job, disk }: ClonePlan,
  all: readonly ClonePlan[],
  opensTwice: (targetName: string) => boolean,
): string[] {
  const onDisk = all.filter((other) => other.disk.key === disk.key);
  const isVerified = onDisk.some((other) => other.job.verify !== 'none');
  const ties: string[] = [];
  if (isVerified || !opensTwice(disk.targetName)) ties.push(`disk ${disk.key}`);
  if (job.flowWeight > 0) ties.push(`flow ${job.flowId}`);
  if (job.steadyTimes.windowMs > 0 && job.groupReporting) ties.push(`group ${job.groupId}`);
  const stage = all.filter((other) => other.job.stage === job.stage).map((other) => other.job);
  if (stage.some(({ waitFor }) => waitFor === job.name)) ties.push(`wait ${job.name}`);
  if (job.waitFor !== null) ties.push(`wait ${job.waitFor}`);
  return [...ties, ...exitTies(job, all)];
}

/** What ends together, whoever of them says so. */
function exitTies(job: Job, all: readonly ClonePlan[]): string[] {
  const says = (what: Job['exitsWhat'], isNear: (other: Job) => boolean): boolean =>
    all.some(({ job: o }) => o.exitsOthers && o.exitsWhat === what && isNear(o));
  const ties: string[] = [];
  const endsAll = all.some((other) => other.job.exitsOthersOnError);
  if (endsAll || says('all', () => true)) ties.push('exit all');
  if (says('stonewall', ({ stage }) => stage === job.stage)) ties.push(`exit stage ${job.stage}`);
  if (says('group', ({ groupId }) => groupId === job.groupId)) {
    ties.push(`exit group ${job.groupId}`);
  }
  return ties;
}

/** Joins what has a tie in common, directly or by others. */
function bundle<Item>(
  items: readonly Item[],
  tiesFor: (item: Item) => readonly string[],
): Item[][] {
  let bundles: { ties: Set<string>; items: Item[] }[] = [];
  for (const item of items) {
    const ties = new Set(tiesFor(item));
    const touched = bundles.filter((each) => [...each.ties].some((tie) => ties.has(tie)));
    bundles = bundles.filter((each) => !touched.includes(each));
    bundles.push({
      ties: new Set([...ties, ...touched.flatMap((each) => [...each.ties])]),
      items: [...touched.flatMap((each) => each.items), item],
    });
  }
  return bundles.map((each) => each.items);
}
