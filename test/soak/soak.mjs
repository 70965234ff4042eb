// Rounds of attach, load, snapshot, clone, rekey, detach and delete on one plane, for as long as asked;
// what a leak would make grow is measured between the rounds, when nothing is attached.
//
//   npm run soak -- [--seconds N] [--json] [--leak]       (60; --leak leaks on purpose)
//
// Growth is a slope, by least squares over the rounds after the first quarter. stdout is the result,
// stderr is talk, a line a minute. Exit code 1: something grows.
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openPlane } from 'sealdisk';

const KIB = 1024;
const MIB = 1024 * KIB;
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    leak: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) {
  console.error(`--seconds: expected a positive number, got ${values.seconds}`);
  process.exit(2);
}

// What is measured, and how much of it a round may add. Zero growth is the aim; the bounds leave room
// for caches that fill, and stand far below what a leak of anything a round makes would add.
const MEASURES = [
  { name: 'anonymousBytes', boundPerRound: 256 * KIB, measure: anonymousBytes },
  { name: 'heapBytes', boundPerRound: 64 * KIB, measure: () => process.memoryUsage().heapUsed },
  { name: 'bufferBytes', boundPerRound: 64 * KIB, measure: () => process.memoryUsage().arrayBuffers },
  { name: 'descriptors', boundPerRound: 0.25, measure: () => readdirSync('/proc/self/fd').length },
  { name: 'threads', boundPerRound: 0.1, measure: () => readdirSync('/proc/self/task').length },
  { name: 'resources', boundPerRound: 0.1, measure: () => process.getActiveResourcesInfo().length },
  { name: 'heldKeys', boundPerRound: 0.01, measure: sumOf('heldKeys') },
  { name: 'openVolumes', boundPerRound: 0.01, measure: sumOf('openVolumes') },
  { name: 'trees', boundPerRound: 0.01, measure: sumOf('trees') },
  { name: 'liveSectors', boundPerRound: 0.1, measure: sumOf('liveSectors') },
  { name: 'segments', boundPerRound: 0.25, measure: sumOf('segments') },
];

/** Memory of the process that is no file's: LMDB's pages are not memory that leaks. */
function anonymousBytes() {
  return Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * KIB;
}

function sumOf(field) {
  return (stats) => stats.shards.reduce((sum, shard) => sum + shard[field], 0);
}

const directory = mkdtempSync(join(tmpdir(), 'sealdisk-soak-'));
const plane = await openPlane({ dataDir: join(directory, 'plane') });
const bytes = new Uint8Array(MIB).fill(0x37);

async function finished(taskId) {
  for (;;) {
    const { Tasks } = await plane.call('DescribeTasks', { TaskIds: [taskId] });
    if (Tasks[0].TaskStatus !== 'Processing') return;
    await wait(5);
  }
}

const leaked = [];
/** What must be found: memory, a descriptor, and a disk that nobody detaches. */
async function leak() {
  const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
  leaked.push(new Uint8Array(MIB), openSync('/dev/null'), await plane.attach(DiskId));
}

async function round() {
  const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
  const disk = await plane.attach(DiskId);
  const shared = await plane.registerBuffer(new SharedArrayBuffer(4 * KIB));
  await Promise.all([0, 1, 2, 3].map((part) => disk.write(part * MIB + 512 * part, bytes)));
  await disk.write(8 * MIB, new Uint8Array(shared.buffer), { fua: true });
  const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
  await disk.read(0, 2 * MIB);
  await disk.read(-1, 1).catch(() => {});
  await finished((await plane.call('RekeyDisk', { DiskId })).TaskId);
  const clone = await plane.call('CreateDisk', { SnapshotId });
  const attached = await plane.attach(clone.DiskId);
  await attached.write(4096, bytes.subarray(0, 9000));
  await attached.close();
  await shared.close();
  await disk.close();
  for (const id of [DiskId, clone.DiskId]) await plane.call('DeleteDisk', { DiskId: id });
  await plane.call('DeleteSnapshot', { SnapshotId });
}

/** Waits until the shards have given back what the round used, then measures. */
async function sample() {
  let stats = await plane.stats();
  for (let count = 0; count < 100 && sumOf('liveSectors')(stats) > 0; count++) {
    await wait(10);
    stats = await plane.stats();
  }
  globalThis.gc?.();
  return Object.fromEntries(MEASURES.map(({ name, measure }) => [name, measure(stats)]));
}

function slopeOf(numbers) {
  const middle = (numbers.length - 1) / 2;
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  let [above, below] = [0, 0];
  for (const [index, number] of numbers.entries()) {
    above += (index - middle) * (number - mean);
    below += (index - middle) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

const samples = [];
const started = performance.now();
let told = started;
try {
  while (performance.now() - started < seconds * 1_000) {
    await round();
    if (values.leak) await leak();
    samples.push(await sample());
    if (performance.now() - told < 60_000) continue;
    told = performance.now();
    console.error(`${samples.length} rounds, ${JSON.stringify(samples.at(-1))}`);
  }
} finally {
  await plane.close();
  rmSync(directory, { recursive: true });
}

const settled = samples.slice(Math.floor(samples.length / 4));
const rows = MEASURES.map(({ name, boundPerRound }) => {
  const numbers = settled.map((each) => each[name]);
  return { name, first: numbers[0], last: numbers.at(-1), perRound: slopeOf(numbers), boundPerRound };
});
const growing = rows.filter(({ perRound, boundPerRound }) => perRound > boundPerRound);
const result = {
  schema: 'sealdisk-soak/1',
  seconds,
  rounds: samples.length,
  measured: settled.length,
  violations: growing.length,
  rows,
};
if (values.json) {
  console.log(JSON.stringify(result, null, 2));
} else {
  console.log(`${result.rounds} rounds, the last ${result.measured} measured`);
  for (const { name, first, last, perRound, boundPerRound } of rows) {
    const growth = `${perRound.toFixed(3)} a round (at most ${boundPerRound})`;
    console.log(`${perRound > boundPerRound ? 'GROWS' : 'ok   '}  ${name}: ${first} to ${last}, ${growth}`);
  }
}
process.exitCode = growing.length > 0 ? 1 : 0;
