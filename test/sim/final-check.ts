/**
 * What has to hold whenever a plane is at rest: every disk and snapshot, all of it, is what the
 * model says; holes are holes; metadata and stores are sound, and name the same trees.
 */
import { GIB } from '../../src/base/units.ts';
import { SECTOR } from '../support/sector-pattern.ts';
import { codeOf } from './causes.ts';
import { versionsOf } from './io-caller.ts';
import { HOLE } from './model.ts';
import type { PlaneProcess } from './plane-process.ts';
import type { Attachment, Resource, World } from './world.ts';

export interface CheckSeams {
  readonly spanSectors: number;
  /** Something failed half way: what it left is removed by the next opening. */
  readonly mayHaveLeftovers: boolean;
  readonly violation: (text: string) => void;
  readonly refused: (what: string, error: unknown) => void;
}

/** Whether every re-encryption has ended. */
export function isReencrypted({ threads, metadata }: PlaneProcess): boolean {
  return threads.every((_, index) => metadata.idsOfSeveralTrees(index).length === 0);
}

/** Reads every disk and snapshot: by what has it open, or by a volume of its own. */
export async function checkContents(
  process: PlaneProcess,
  world: World,
  seams: CheckSeams,
): Promise<void> {
  for (const resource of [...world.resources.values()]) {
    const { attachment } = resource;
    if (attachment !== null) await checkContent(resource, attachment.disk, seams);
    else await checkUnattached(process, resource, seams);
  }
}

async function checkUnattached(
  process: PlaneProcess,
  resource: Resource,
  seams: CheckSeams,
): Promise<void> {
  const { id, isStuck } = resource;
  try {
    const disk = await process.look(id);
    if (disk === null) {
      // A deletion that failed half way may have done this half.
      if (!isStuck) seams.violation(`${id} has no record`);
      return;
    }
    await checkContent(resource, disk, seams);
    await disk.close();
  } catch (error) {
    seams.refused(`look at ${id}`, error);
  }
}

async function checkContent(
  resource: Resource,
  disk: Attachment['disk'],
  seams: CheckSeams,
): Promise<void> {
  const { spanSectors, violation, refused } = seams;
  const what = `content of ${resource.id}`;
  try {
    const versions = versionsOf(await disk.read(0, spanSectors * SECTOR), 0);
    const wrong = resource.volume.read(0, versions);
    if (wrong !== null) violation(`${what}: ${wrong}`);
    const mapped = versions.map((version) => version !== HOLE);
    const found = await mappedSectors(disk, spanSectors);
    const differs = found.findIndex((isMapped, index) => isMapped !== (mapped[index] ?? false));
    if (differs >= 0) violation(`${what}: allocation of sector ${differs} is wrong`);
  } catch (error) {
    if (codeOf(error) === '') violation(`${what}: ${String(error)}`);
    else refused(what, error);
  }
}

/** By sector whether it is allocated; one more stands for all behind the span. */
async function mappedSectors(disk: Attachment['disk'], spanSectors: number): Promise<boolean[]> {
  const mapped: boolean[] = [];
  for (const { length, isHole } of await disk.allocation(0, spanSectors * SECTOR)) {
    for (let done = 0; done < length; done += SECTOR) mapped.push(!isHole);
  }
  const behind = await disk.allocation(spanSectors * SECTOR, GIB - spanSectors * SECTOR);
  mapped.push(behind.some(({ isHole }) => !isHole));
  return mapped;
}

/** Metadata and stores are sound, and no tree is there that nobody names. Nothing is under way. */
export function checkStores(process: PlaneProcess, seams: CheckSeams): void {
  for (const problem of process.metadata.check()) seams.violation(`metadata: ${problem}`);
  for (const [index, { disk, store }] of process.threads.entries()) {
    if (store === null) continue;
    const named = new Set(process.metadata.treeNamesOfShard(index));
    for (const name of store.treeNames()) {
      if (!named.has(name) && !seams.mayHaveLeftovers)
        seams.violation(`shard ${index}: nobody names tree ${name}`);
    }
    const isDamaged = disk.scars.isDamaged || disk.scars.hasLostPages;
    try {
      const { problems } = store.check();
      if (!isDamaged && problems[0] !== undefined)
        seams.violation(`shard ${index}: ${problems[0]}`);
    } catch (error) {
      seams.refused(`check of shard ${index}`, error);
    }
  }
}
