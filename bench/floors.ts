/**
 * `npm run bench:floors -- [--quick] [--json] [--only PART,...]`: every figure the project is held
 * to, in one run.
 *
 * Ratios are to what is measured beside them in the same run: R (openssl speed on one core), the
 * naive baseline, or ourselves without the thing in question. --quick is long enough only to see
 * that everything runs. Exit code 1 if a floor is missed.
 */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { dataPathFloors, fileStoreFloors } from './floors/data-path.ts';
import { durabilityFloors } from './floors/durability.ts';
import { engineFloors } from './floors/engine.ts';
import { type Floor, isMet, renderFloors } from './floors/floor.ts';
import { metadataScaleFloors } from './floors/metadata-scale.ts';
import { pacingFloors } from './floors/pacing.ts';
import { reencryptionFloors } from './floors/reencryption.ts';
import {
  idleDiskFloor,
  mapMemoryFloors,
  snapshotChainFloor,
  snapshotCostFloor,
  tenThousandDisksFloor,
} from './floors/structure.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, only: { type: 'string' } },
});
const isQuick = values.quick === true;
const rounds = isQuick ? 1 : 5;
const milliseconds = isQuick ? 100 : 1000;
const tmpfs = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const PARTS: Readonly<Record<string, () => Promise<Floor | Floor[]>>> = {
  engine: () => engineFloors(rounds, milliseconds / 2),
  data: () => dataPathFloors(rounds, milliseconds),
  file: () => fileStoreFloors(tmpfs, rounds, milliseconds),
  durability: () =>
    durabilityFloors(
      new Map([
        ['tmpfs', tmpfs],
        ['the disk of the temporary folder', tmpdir()],
      ]),
      rounds,
      milliseconds,
      isQuick ? [8] : [64, 256, 1024],
    ),
  reencryption: () => reencryptionFloors(tmpfs, rounds, milliseconds, isQuick),
  pacing: () => pacingFloors(isQuick ? 300 : 10_000),
  snapshots: () => snapshotCostFloor(isQuick ? 3 : 25),
  chain: () => snapshotChainFloor(rounds, milliseconds),
  map: () => mapMemoryFloors(),
  idle: () => idleDiskFloor(isQuick ? 200 : 2000),
  disks: () => tenThousandDisksFloor(),
  metadata: () => metadataScaleFloors(isQuick ? [200, 1_000] : [1_000, 10_000, 100_000]),
};

/** Rows are printed as they come; a part that fails does not lose those of others. */
async function main(): Promise<void> {
  const names = values.only?.split(',') ?? Object.keys(PARTS);
  const floors: Floor[] = [];
  let hasFailed = false;
  for (const name of names) {
    const part = PARTS[name];
    if (part === undefined) {
      throw new Error(`--only: expected some of ${Object.keys(PARTS)}, got ${name}`);
    }
    try {
      const measured = [await part()].flat();
      if (values.json !== true) console.log(renderFloors(measured, floors.length === 0));
      floors.push(...measured);
    } catch (error) {
      console.error(`${name} failed:`, error);
      hasFailed = true;
    }
  }
  if (values.json === true) console.log(JSON.stringify(floors, null, 2));
  process.exitCode = !hasFailed && (isQuick || floors.every(isMet)) ? 0 : 1;
}

await main();
