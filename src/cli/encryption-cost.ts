/**
 * What encrypting a byte costs on this machine: the time of all threads of the process for writes
 * to an encrypted disk, less that for the same writes to a plain one.
 *
 * Processor time, not the clock's: what else the machine does is not in it, and a shard that
 * encrypts while main copies is not hidden by it.
 */
import { MIB } from '../base/units.ts';
import type { Disk } from '../types.ts';
import type { OpenPlane } from './load-targets.ts';

const REQUEST_BYTES = 131_072;
const DEPTH = 8;
const TURN_BYTES: number = 128 * MIB;
const TURNS = 15;

/** @returns nanoseconds: the median of some turns, to three figures; never below 0 */
export async function measureEncryption(openPlane: OpenPlane): Promise<number> {
  await using plane = await openPlane({ memory: true, shards: 1 });
  const open = async (Encrypted: boolean): Promise<Disk> => {
    const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted });
    return plane.attach(DiskId);
  };
  await using encrypted = await open(true);
  await using plain = await open(false);
  const costs: number[] = [];
  // The first turns lay the disks out.
  for (let turn = 0; turn <= TURNS; turn++) {
    const cost = (await turnCost(encrypted)) - (await turnCost(plain));
    if (turn > 0) costs.push(cost);
  }
  const median = costs.sort((a, b) => a - b)[Math.floor(TURNS / 2)]!;
  return Number(Math.max(0, median).toPrecision(3));
}

/** Processor time of a turn of writes, nanoseconds a byte. */
async function turnCost(disk: Disk): Promise<number> {
  const bytes = new Uint8Array(REQUEST_BYTES).fill(0x5a);
  const before = process.cpuUsage();
  let offset = 0;
  const write = async (): Promise<void> => {
    while (offset < TURN_BYTES) {
      const at = offset;
      offset += REQUEST_BYTES;
      await disk.write(at, bytes);
    }
  };
  await Promise.all(Array.from({ length: DEPTH }, write));
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1e3) / TURN_BYTES;
}
