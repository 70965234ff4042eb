/**
 * Snapshots and clones taken under load, with and without a kill behind them.
 *
 * Each is the disk at one moment: not before the last request acknowledged when it was asked for,
 * before the first that was made after its answer (C5). And it stays so, whatever is written to the
 * disk, however often the process is killed, in whatever order snapshots are deleted.
 */
import { SECTOR_UNITS } from './content.ts';
import type { DiskHistory } from './disk-model.ts';
import { Ground, type GroundDisk, pause } from './ground.ts';
import { killAfter } from './kill-pass.ts';
import { type Round, ViolationError, violate } from './pass.ts';
import { VictimEnded, type VictimProcess } from './victim-process.ts';

const CYCLES = 10;
const LOAD_MS_MAX = 150;
const COPIES_MAX = 4;
/** Number of the disk a copy is looked at as: no disk of the ground has it. */
const LOOKED_AT = 1_000;

export interface Copy {
  /** Mark in the history, and the name of the resource. */
  readonly name: string;
  readonly source: GroundDisk;
  readonly kind: 'snapshot' | 'clone';
  isAnswered: boolean;
  /** Known from the first look on. */
  versions: readonly number[] | null;
}

export async function copyUnderLoad(round: Round): Promise<void> {
  const { prng } = round;
  const ground = new Ground(round, {
    shards: 1,
    disks: [{ Encrypted: true }, { Encrypted: false }],
    units: SECTOR_UNITS * (8 + prng.nextBelow(56)),
  });
  let victim = round.victim();
  await ground.open(victim);
  await ground.makeDisks(victim);
  let copies: Copy[] = [];
  for (let cycle = 0; ; cycle++) {
    const taken = await copyAndKill(ground, victim, cycle);
    const history = ground.takeHistory();
    victim = round.victim();
    await ground.open(victim);
    await ground.attachAll(victim);
    // Copies first: the history is on top of what the disks held before it.
    for (const copy of taken) await lookAtNew(ground, victim, copy, history);
    await ground.verify(victim, history);
    copies = [...copies, ...taken.filter(({ versions }) => versions !== null)];
    copies = await thinOut(ground, victim, copies);
    for (const copy of copies) await lookAgain(ground, victim, copy);
    if (cycle >= CYCLES || round.isOver()) break;
  }
  await ground.check(victim);
  await victim.ask('close', {});
  await victim.kill();
}

/** @returns the copies asked for */
async function copyAndKill(ground: Ground, victim: VictimProcess, cycle: number): Promise<Copy[]> {
  const { prng, figures } = ground.round;
  const loaded = ground.load(victim, {
    callers: 1 + prng.nextBelow(4),
    burst: 1 + prng.nextBelow(4),
  });
  const copies: Copy[] = [];
  const taking = async (): Promise<void> => {
    const count = 1 + prng.nextBelow(COPIES_MAX);
    for (let index = 0; index < count; index++) {
      await pause(prng.nextBelow(40));
      const source = ground.disks[prng.nextBelow(ground.disks.length)]!;
      const kind = prng.nextBelow(3) === 0 ? 'clone' : 'snapshot';
      const name = `copy-${cycle}-${index}`;
      const copy = copyOf(name, source, kind);
      copies.push(copy);
      await takeCopy(victim, copy);
      copy.isAnswered = true;
    }
  };
  const taken = taking().catch((error: unknown) => {
    if (!(error instanceof VictimEnded)) throw error;
  });
  // Half of them are killed while they take a copy, half when all are taken.
  if (prng.nextBelow(2) === 0) await taken;
  await killAfter(victim, prng.nextFloat() * LOAD_MS_MAX, loaded);
  await taken;
  figures.kill('kill while copying');
  return copies;
}

export function copyOf(name: string, source: GroundDisk, kind: Copy['kind']): Copy {
  return { name, source, kind, isAnswered: false, versions: null };
}

/** Asks for it, with its name as a mark in the history. */
export function takeCopy(victim: VictimProcess, { kind, name, source }: Copy): Promise<unknown> {
  const { diskId } = source;
  return kind === 'snapshot'
    ? victim.call('CreateSnapshot', { DiskId: diskId, SnapshotName: name }, name)
    : victim.call('CloneDisk', { SourceDiskId: diskId, DiskName: name }, name);
}

async function idOf(victim: VictimProcess, { kind, name }: Copy): Promise<string | null> {
  if (kind === 'clone') {
    const { Disks } = await victim.call('DescribeDisks', { DiskName: name, MaxResults: 10 });
    return (Disks as { DiskId: string }[])[0]?.DiskId ?? null;
  }
  const { Snapshots } = await victim.call('DescribeSnapshots', {
    SnapshotName: name,
    MaxResults: 10,
  });
  return (Snapshots as { SnapshotId: string }[])[0]?.SnapshotId ?? null;
}

/** What a copy holds; a snapshot by way of a disk made from it. */
async function readCopy(ground: Ground, victim: VictimProcess, copy: Copy, id: string) {
  const isClone = copy.kind === 'clone';
  const diskId = isClone
    ? id
    : String((await victim.call('CreateDisk', { SnapshotId: id })).DiskId);
  await victim.ask('attach', { diskId, disk: LOOKED_AT });
  const versions = await ground.read(victim, LOOKED_AT, copy.source);
  await victim.ask('detach', { disk: LOOKED_AT });
  if (!isClone) await victim.call('DeleteDisk', { DiskId: diskId });
  return versions;
}

/** Compares a copy with the history it was taken in, unless it was not made. */
export async function lookAtNew(
  ground: Ground,
  victim: VictimProcess,
  copy: Copy,
  history: DiskHistory,
): Promise<void> {
  const id = await idOf(victim, copy);
  const name = `${copy.kind} ${copy.name} of disk ${copy.source.number}`;
  if (id === null) {
    if (copy.isAnswered) violate([`${name} was answered for, and is not there`]);
    return;
  }
  const interval = history.marks.get(copy.name)?.get(copy.source.number);
  if (interval === undefined) throw new ViolationError(`${name} is there, and nobody asked for it`);
  copy.versions = await readCopy(ground, victim, copy, id);
  const model = history.disks.get(copy.source.number)!;
  const problem = model.snapshotProblem(copy.versions, interval);
  if (problem !== null) violate([`${name} (${id}): ${problem}`]);
}

async function lookAgain(ground: Ground, victim: VictimProcess, copy: Copy): Promise<void> {
  const name = `${copy.kind} ${copy.name} of disk ${copy.source.number}`;
  const id = await idOf(victim, copy);
  if (id === null) throw new ViolationError(`${name} was there, and is gone`);
  const versions = await readCopy(ground, victim, copy, id);
  const unit = versions.findIndex((version, at) => version !== copy.versions![at]);
  if (unit === -1) return;
  violate([`${name}: unit ${unit} was ${copy.versions![unit]}, is ${versions[unit]} now`]);
}

/** Deletes some, of any age. @returns those left */
async function thinOut(
  ground: Ground,
  victim: VictimProcess,
  copies: readonly Copy[],
): Promise<Copy[]> {
  const left = [...copies];
  while (left.length > COPIES_MAX) {
    const [copy] = left.splice(ground.round.prng.nextBelow(left.length), 1);
    const id = await idOf(victim, copy!);
    if (copy!.kind === 'clone') await victim.call('DeleteDisk', { DiskId: id });
    else await victim.call('DeleteSnapshot', { SnapshotId: id });
  }
  return left;
}
