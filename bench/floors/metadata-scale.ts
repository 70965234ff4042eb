/**
 * What a metadata query costs among how many resources: what it does not ask for must not count.
 *
 * A family of one key, a few disks and their snapshots stands beside ever more disks under another
 * key, three snapshots each. Asked is for the family, and for the first page of the crowd.
 *
 *   node dist/bench/floors/metadata-scale.js [--disks 1000,10000,100000] prints the curve
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Metadata, openMetadata } from '../../src/meta/metadata.ts';
import type { DiskRecord, EncryptionRecord, SnapshotRecord } from '../../src/record/resource.ts';
import { median } from '../reference.ts';
import { sampleDisk, sampleSnapshot } from '../sample-records.ts';
import type { Floor } from './floor.ts';

const SNAPSHOTS_PER_DISK = 3;
const FAMILY_DISKS = 5;
// As verbs commit, a few at a time: a transaction of thousands of records leaves LMDB a list of
// free pages that later ones pay for (milliseconds a commit, for some hundreds of commits).
const BATCH_DISKS = 5;
const REPEATS = 30;
const scope = { accountId: '1000000000000001', regionId: 'cn-hangzhou' };
const familyScope = { ...scope, regionId: 'cn-beijing' };
const CROWD_KEY = keyId(1);
const FAMILY_KEY = keyId(2);
const FAMILY_FIRST = 90_000_000;
/** Disks within the crowd's scope that have a name, a tag and a state of their own. */
const MARKED_FIRST = 80_000_000;
const MARK = { name: 'marked', tags: { team: 'marked' }, status: 'In_use' } as const;

/** Median milliseconds of each query among so many disks. */
interface ScaleRow {
  readonly disks: number;
  readonly snapshots: number;
  readonly milliseconds: Readonly<Record<string, number>>;
}

async function metadataScale(diskCounts: readonly number[]): Promise<ScaleRow[]> {
  // In memory: what is measured is the work, not this machine's fsync.
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const directory = mkdtempSync(join(base, 'sealdisk-scale-'));
  const metadata = await openMetadata(directory);
  try {
    await addDisks(metadata, FAMILY_FIRST, FAMILY_DISKS, FAMILY_KEY);
    const marked = Array.from({ length: FAMILY_DISKS }, (_, index) => ({
      ...diskRecord(diskId(MARKED_FIRST + index), CROWD_KEY),
      ...MARK,
    }));
    await metadata.commit({ putDisks: marked });
    const rows: ScaleRow[] = [];
    let disks = 0;
    for (const count of diskCounts) {
      for (; disks < count; disks += BATCH_DISKS) {
        await addDisks(metadata, disks, Math.min(BATCH_DISKS, count - disks), CROWD_KEY);
      }
      disks = count;
      const milliseconds = await measureAll(metadata);
      rows.push({ disks: count, snapshots: count * SNAPSHOTS_PER_DISK, milliseconds });
    }
    return rows;
  } finally {
    await metadata.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** For the list of floors: among the most disks, against among the fewest. */
export async function metadataScaleFloors(diskCounts: readonly number[]): Promise<Floor[]> {
  const rows = await metadataScale(diskCounts);
  const [few, many] = [rows[0]!, rows.at(-1)!];
  return Object.keys(few.milliseconds).map((name) => {
    const [before, after] = [few.milliseconds[name]!, many.milliseconds[name]!];
    return {
      name: `metadata: ${name}, among ${many.disks} disks to ${few.disks}`,
      measured: after / before,
      unit: 'x',
      kind: 'most',
      bound: 3,
      note: `${before.toFixed(3)} ms and ${after.toFixed(3)} ms`,
    };
  });
}

async function measureAll(metadata: Metadata): Promise<Record<string, number>> {
  const member = diskId(FAMILY_FIRST);
  const page = { accountId: scope.accountId, cursor: null, limit: 100 };
  let made = 0;
  const created: string[] = [];
  let skip = 0;
  const queries: Record<string, () => unknown> = {
    'create a disk': async () => {
      made++;
      const id = diskId(95_000_000 + made);
      created.push(id);
      await metadata.commit({ putDisks: [diskRecord(id, CROWD_KEY)] });
    },
    'describe by key': () => metadata.listDisks({ scope: familyScope, keyId: FAMILY_KEY }, 0, 10),
    'describe, first page': () => metadata.listDisks({ scope }, 0, 10),
    'describe, a page behind another': () => {
      skip += 10;
      return metadata.listDisks({ scope }, skip, 10);
    },
    'describe by name': () => metadata.listDisks({ scope, name: MARK.name }, 0, 10),
    'describe by state': () => metadata.listDisks({ scope, status: MARK.status }, 0, 10),
    'describe by state, encrypted and tag': () => {
      const tags = [{ key: 'team', value: MARK.tags.team }];
      const filter = { scope, status: MARK.status, isEncrypted: true, tags };
      return metadata.listDisks(filter, 0, 10);
    },
    'snapshots of a disk': () =>
      metadata.listSnapshots({ scope: familyScope, diskId: member }, 0, 10),
    'lineage of a disk': () =>
      metadata.lineagePage({ ...page, subject: { kind: 'resource', id: member } }),
    'impact of a key': () => {
      metadata.countsOfKey(FAMILY_KEY);
      return metadata.lineagePage({ ...page, subject: { kind: 'key', keyId: FAMILY_KEY } });
    },
    'impact of the crowd, a page': () => {
      metadata.countsOfKey(CROWD_KEY);
      return metadata.lineagePage({ ...page, subject: { kind: 'key', keyId: CROWD_KEY } });
    },
  };
  const measured: Record<string, number> = {};
  for (const [name, query] of Object.entries(queries)) {
    const costs: number[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const start = performance.now();
      await query();
      costs.push(performance.now() - start);
    }
    measured[name] = median(costs);
  }
  await metadata.commit({ removeDisks: created });
  return measured;
}

async function addDisks(
  metadata: Metadata,
  first: number,
  count: number,
  key: string,
): Promise<void> {
  const disks = Array.from({ length: count }, (_, index) => diskRecord(diskId(first + index), key));
  const snapshots = disks.flatMap((disk, index) =>
    Array.from({ length: SNAPSHOTS_PER_DISK }, (_, each) =>
      snapshotRecord(snapshotId((first + index) * SNAPSHOTS_PER_DISK + each), disk),
    ),
  );
  await metadata.commit({ putDisks: disks, putSnapshots: snapshots });
}

function diskRecord(id: string, key: string): DiskRecord {
  const owner = key === FAMILY_KEY ? familyScope : scope;
  const encryption: EncryptionRecord = {
    ...owner,
    keyId: key,
    wrappedKey: new Uint8Array(90).fill(1),
    lineageId: id,
  };
  const layers = [{ tree: id, encryption }];
  return { ...sampleDisk(id), ...owner, encryption, layers };
}

function snapshotRecord(id: string, disk: DiskRecord): SnapshotRecord {
  const { accountId, regionId, encryption } = disk;
  const layers = [{ tree: id, encryption }];
  return { ...sampleSnapshot(id, disk.diskId), accountId, regionId, encryption, layers };
}

/** In no order of their making, as drawn ones are. */
function digits(number: number): string {
  return String((number * 7_919_777) % 1_000_000_007).padStart(20, '0');
}

function diskId(number: number): string {
  return `d-${digits(number)}`;
}

function snapshotId(number: number): string {
  return `s-${digits(number)}`;
}

function keyId(number: number): string {
  return `key-${String(number).padStart(20, '0')}`;
}

function render(rows: readonly ScaleRow[]): string {
  const names = Object.keys(rows[0]?.milliseconds ?? {});
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const head = [
    'median ms',
    ...rows.map((row) => `${row.disks} disks, ${row.snapshots} snapshots`),
  ];
  const body = names.map((name) => [
    name,
    ...rows.map((row) => row.milliseconds[name]!.toFixed(3)),
  ]);
  return [head, head.map(() => '---'), ...body].map(line).join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({ options: { disks: { type: 'string' } } });
  const counts = (values.disks ?? '1000,10000,100000').split(',').map(Number);
  console.log(render(await metadataScale(counts)));
}
