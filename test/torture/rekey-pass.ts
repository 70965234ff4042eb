/**
 * A disk on its way to another key, killed again and again: every byte stays what it was or became
 * what was written since; the task goes on after each opening; and when it has ended nothing needs
 * the old key any more.
 */
import { SECTOR_UNITS } from './content.ts';
import { Ground, pause } from './ground.ts';
import { killAfter } from './kill-pass.ts';
import { type Round, violate } from './pass.ts';
import { VictimEnded, type VictimProcess } from './victim-process.ts';

const KILLS_MAX = 8;
const LOAD_MS_MAX = 120;
/** Fills most of the disk before it is moved. */
const FILL_OPERATIONS = 300;
/** So slow that the task outlives some kills. */
const SLOW_BYTES_PER_SECOND: number = 512 * 1024;
const LOOKS_MAX = 1_000;

interface Task {
  readonly TaskId: string;
  readonly TaskStatus: string;
  readonly Code: string;
}

export async function rekeyUnderKills(round: Round): Promise<void> {
  const { prng } = round;
  let victim = round.victim();
  const ground = new Ground(round, { shards: 1, disks: [], units: SECTOR_UNITS * 192 });
  await ground.open(victim);
  const keys = [await newKey(victim), await newKey(victim)];
  ground.options.disks.push({ Encrypted: true, KMSKeyId: keys[0]! });
  await ground.makeDisks(victim);
  const { diskId } = ground.disks[0]!;
  await ground.load(victim, { operations: FILL_OPERATIONS, mix: { w: 1 } });
  await ground.verify(victim, ground.takeHistory());
  const kills = 1 + prng.nextBelow(KILLS_MAX);
  for (let kill = 0; kill < kills && !round.isOver(); kill++) {
    const loaded = ground.load(victim, { callers: 1, mix: { w: 6, t: 2, z: 1, f: 1 } });
    const asked = begin(victim, diskId, keys[1]!).catch(ifEnded);
    await killAfter(victim, prng.nextFloat() * LOAD_MS_MAX, loaded);
    await asked;
    round.figures.kill('kill in re-encryption');
    const history = ground.takeHistory();
    victim = round.victim();
    await ground.open(victim);
    await ground.attachAll(victim);
    await ground.verify(victim, history);
  }
  await begin(victim, diskId, keys[1]!);
  const load = ground.load(victim, { callers: 1, operations: 200 });
  await finish(victim, diskId);
  await load;
  await ground.verify(victim, ground.takeHistory());
  await withoutOldKey(ground, victim, keys[0]!);
  await victim.ask('close', {});
  await victim.kill();
}

async function newKey(victim: VictimProcess): Promise<string> {
  const { KeyMetadata } = await victim.call('CreateKey', {});
  return (KeyMetadata as { KeyId: string }).KeyId;
}

function ifEnded(error: unknown): void {
  if (!(error instanceof VictimEnded)) throw error;
}

async function tasksOf(victim: VictimProcess, diskId: string): Promise<Task[]> {
  const { Tasks } = await victim.call('DescribeTasks', { ResourceIds: [diskId] });
  return Tasks as Task[];
}

/** Unless it has begun: then there is a task, whether or not that was answered. */
async function begin(victim: VictimProcess, diskId: string, keyId: string): Promise<void> {
  if ((await tasksOf(victim, diskId)).length > 0) return;
  const pace = { BytesPerSecond: SLOW_BYTES_PER_SECOND };
  await victim.call('RekeyDisk', { DiskId: diskId, KMSKeyId: keyId, ...pace });
}

/** Lets the task go as fast as it can, and waits for its end. */
async function finish(victim: VictimProcess, diskId: string): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const [task, ...others] = await tasksOf(victim, diskId);
    if (others.length > 0) violate([`${diskId} has ${1 + others.length} tasks, one was asked for`]);
    if (task?.TaskStatus === 'Finished') return;
    const isWrong = task === undefined || !['Processing', 'Paused'].includes(task.TaskStatus);
    if (isWrong) violate([`the task of ${diskId} is ${task?.TaskStatus}: ${task?.Code}`]);
    const resumed = victim.call('ResumeTask', { TaskId: task!.TaskId, BytesPerSecond: 0 });
    // It may have ended meanwhile.
    await resumed.catch(() => undefined);
    await pause(20);
  }
  violate([`the task of ${diskId} did not end`]);
}

/** The old key is disabled, then the disk is opened anew and read. */
async function withoutOldKey(ground: Ground, victim: VictimProcess, keyId: string): Promise<void> {
  const [disk] = ground.disks;
  await victim.ask('detach', { disk: disk!.number });
  await victim.call('DisableKey', { KeyId: keyId });
  await ground.attach(victim, disk!);
  await ground.verify(victim, ground.takeHistory());
  await ground.check(victim);
}
