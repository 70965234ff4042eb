/**
 * A process that writes to an encrypted disk, says so and waits to be killed (durability.ts).
 *
 * Arguments: the data directory, MiB to be written.
 */
import { createPrng } from '../../src/base/prng.ts';
import { MIB, SECTOR_BYTES } from '../../src/base/units.ts';
import { openPlane } from '../../src/index.ts';

const [dataDir = '', mib = ''] = process.argv.slice(2);
const IODEPTH = 64;
const plane = await openPlane({ dataDir, shards: 2 });
const { DiskId } = await plane.call('CreateDisk', { Size: 20, Encrypted: true });
const disk = await plane.attach(DiskId);
const random = createPrng(1);
const buffer = new Uint8Array(SECTOR_BYTES);
random.fill(buffer);
const spanSectors = (Number(mib) * MIB) / SECTOR_BYTES;
let left = spanSectors;
const caller = async (): Promise<void> => {
  while (left-- > 0) await disk.write(random.nextBelow(spanSectors) * SECTOR_BYTES, buffer);
};
await Promise.all(Array.from({ length: IODEPTH }, caller));
await disk.flush();
process.stdout.write('written\n');
setInterval(() => {}, 1_000);
