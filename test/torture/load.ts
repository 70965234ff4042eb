/**
 * A victim's load: callers that make random requests, and write down each and what became of it.
 */
import { createPrng, type Prng } from '../../src/base/prng.ts';
import type { Disk } from '../../src/index.ts';
import { bytesOf, type Owner, SECTOR_UNITS, UNIT_BYTES, versionsOf } from './content.ts';
import type { History } from './history.ts';
import type { LoadOptions, OperationKind } from './protocol.ts';

interface Load {
  readonly options: LoadOptions;
  readonly history: History;
  readonly prng: Prng;
  readonly isEnded: () => boolean;
  next: number;
}

/** @returns operations made */
export async function runLoad(
  options: LoadOptions,
  disks: ReadonlyMap<number, Disk>,
  history: History,
  isStopped: () => boolean,
): Promise<number> {
  const end = options.firstVersion + (options.operations ?? 2 ** 31);
  const load: Load = {
    options,
    history,
    prng: createPrng(options.seed),
    isEnded: () => isStopped() || load.next >= end,
    next: options.firstVersion,
  };
  const callers: Promise<void>[] = [];
  for (const disk of options.disks) {
    for (let index = 0; index < options.callers; index++) {
      callers.push(runCaller(load, disk, disks.get(disk)!));
    }
  }
  await Promise.all(callers);
  history.write();
  return load.next - options.firstVersion;
}

async function runCaller(load: Load, number: number, disk: Disk): Promise<void> {
  const { burst, endsOnError } = load.options;
  while (!load.isEnded()) {
    const outcomes: Promise<boolean>[] = [];
    const count = 1 + load.prng.nextBelow(burst);
    for (let made = 0; made < count && !load.isEnded(); made++) {
      outcomes.push(makeRequest(load, number, disk));
    }
    const areDone = await Promise.all(outcomes);
    if (endsOnError && areDone.includes(false)) return;
  }
}

/** @returns false if it failed */
async function makeRequest(load: Load, number: number, disk: Disk): Promise<boolean> {
  const { history, options } = load;
  const operation = load.next++;
  const kind = drawKind(load);
  const [unit, count] = kind === 'f' ? ([0, 0] as const) : drawRange(load);
  history.say(['i', operation, kind, number, unit, count]);
  try {
    const owner = { seed: options.contentSeed, disk: number };
    const versions = await request(disk, kind, unit, count, operation, owner);
    history.note(versions === null ? ['a', operation] : ['s', operation, versions]);
    return true;
  } catch (error) {
    history.note(['e', operation, String((error as { code?: unknown }).code)]);
    return false;
  }
}

async function request(
  disk: Disk,
  kind: OperationKind,
  unit: number,
  count: number,
  version: number,
  owner: Owner,
): Promise<number[] | null> {
  const offset = unit * UNIT_BYTES;
  const length = count * UNIT_BYTES;
  switch (kind) {
    case 'w':
    case 'W':
      await disk.write(offset, bytesOf(owner, unit, count, version), { fua: kind === 'W' });
      return null;
    case 't':
      await disk.trim(offset, length);
      return null;
    case 'z':
      await disk.writeZeroes(offset, length);
      return null;
    case 'f':
      await disk.flush();
      return null;
    case 'r':
      return versionsOf(await disk.read(offset, length), owner, unit);
  }
}

function drawKind({ options, prng }: Load): OperationKind {
  const weights = Object.entries(options.mix) as [OperationKind, number][];
  let at = prng.nextBelow(weights.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [kind, weight] of weights) {
    if (at < weight) return kind;
    at -= weight;
  }
  return 'w';
}

function drawRange({ options, prng }: Load): [unit: number, count: number] {
  const { isAligned, units, unitsMax } = options;
  const step = isAligned || prng.nextBelow(4) > 0 ? SECTOR_UNITS : 1;
  const count = step * (1 + prng.nextBelow(Math.max(1, unitsMax / step)));
  const unit = step * prng.nextBelow(Math.floor((units - count) / step) + 1);
  return [unit, count];
}
