// A process that is killed: it moves a disk to another key and writes to it meanwhile, and says each
// write on stdout when it is acknowledged. Parameters: data directory, disk, seed.
import { openPlane } from 'sealdisk';

const [dataDir, diskId, seed] = process.argv.slice(2);
const SECTOR = 4096;
const SECTORS = 1024;

const plane = await openPlane({ dataDir });
const disk = await plane.attach(diskId);
const { Tasks } = await plane.call('DescribeTasks', { ResourceIds: [diskId] });
if (!Tasks.some(({ TaskStatus }) => TaskStatus === 'Processing')) {
  await plane.call('RekeyDisk', { DiskId: diskId, BytesPerSecond: 4 << 20 });
}
console.log('begun');
const bytes = new Uint8Array(SECTOR);
let state = Number(seed);
for (let version = Number(seed); ; version++) {
  // Park and Miller's generator.
  state = (state * 48271) % 2147483647;
  const sector = state % SECTORS;
  const isTrim = version % 5 === 0;
  if (isTrim) await disk.trim(sector * SECTOR, SECTOR);
  else {
    new DataView(bytes.buffer).setUint32(0, version);
    await disk.write(sector * SECTOR, bytes);
  }
  console.log(`${sector} ${isTrim ? 0 : version}`);
}
