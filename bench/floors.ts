/**
 * `npm run bench:floors -- [--quick] [--json]`: every figure the project is held to, in one run.
 *
 * Ratios are to what is measured beside them in the same run: R (openssl speed on one core), the
 * naive baseline, or ourselves without the thing in question. --quick is long enough only to see
 * that everything runs. Exit code 1 if a floor is missed.
 */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { dataPathFloors, fileStoreFloors } from './floors/data-path.ts';
import { engineFloors } from './floors/engine.ts';
import { type Floor, isMet, renderFloors } from './floors/floor.ts';
import { metadataScaleFloors } from './floors/metadata-scale.ts';
import { reencryptionFloors } from './floors/reencryption.ts';
import {
  idleDiskFloor,
  mapMemoryFloors,
  snapshotChainFloor,
  snapshotCostFloor,
  tenThousandDisksFloor,
} from './floors/structure.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' } },
});
const isQuick = values.quick === true;
const rounds = isQuick ? 1 : 5;
const milliseconds = isQuick ? 100 : 1000;
const tmpfs = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const parts: readonly (() => Promise<Floor | Floor[]>)[] = [
  () => engineFloors(rounds, milliseconds / 2),
  () => dataPathFloors(rounds, milliseconds),
  () => fileStoreFloors(tmpfs, rounds, milliseconds),
  () => reencryptionFloors(tmpfs, rounds, milliseconds, isQuick),
  () => snapshotCostFloor(isQuick ? 3 : 25),
  () => snapshotChainFloor(rounds, milliseconds),
  () => mapMemoryFloors(),
  () => idleDiskFloor(isQuick ? 200 : 2000),
  () => tenThousandDisksFloor(),
  () => metadataScaleFloors(isQuick ? [200, 1_000] : [1_000, 10_000, 100_000]),
];

const floors: Floor[] = [];
for (const part of parts) floors.push(...[await part()].flat());
console.log(values.json === true ? JSON.stringify(floors, null, 2) : renderFloors(floors));
process.exitCode = isQuick || floors.every(isMet) ? 0 : 1;
