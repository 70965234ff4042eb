/**
 * The layer table: which place stands in which layer, on which thread, and what it may import.
 *
 * It is data. layer-rules.ts holds the source to it, docs.test.ts holds src/README.md to it.
 */
import { isIn } from './tree.ts';

/** load: a thread of the load generator. It is a customer of the library, as main is. */
export type Thread = 'any' | 'main' | 'shard' | 'kms' | 'load';

export interface LayerRow {
  /** Lower is nearer to the ground. Imports go down only. */
  readonly layer: number;
  /** Names under src/: a folder, or a file with its ending; otherwise paths from the root. */
  readonly places: readonly string[];
  readonly thread: Thread;
  /** Places of other rows. `base` and `limits.ts` need not be said. */
  readonly mayImport: readonly string[];
  readonly what: string;
}

/** Free to every row above them. */
export const FREE: readonly string[] = ['base', 'limits.ts'];

export const LAYERS: readonly LayerRow[] = [
  {
    layer: 0,
    places: ['base'],
    thread: 'any',
    mayImport: [],
    what: 'the words everything else is written in',
  },
  {
    layer: 0,
    places: ['limits.ts'],
    thread: 'any',
    mayImport: [],
    what: 'every size, count and timeout',
  },
  {
    layer: 1,
    places: ['cipher'],
    thread: 'any',
    mayImport: [],
    what: 'sectors in, sectors out: no files, no ids, no state',
  },
  {
    layer: 1,
    places: ['record'],
    thread: 'any',
    mayImport: [],
    what: 'every shape that is stored or crosses threads, and the one codec',
  },
  {
    layer: 1,
    places: ['kv'],
    thread: 'any',
    mayImport: [],
    what: 'a small ordered key-value store, on LMDB and in memory',
  },
  {
    layer: 1,
    places: ['performance'],
    thread: 'any',
    mayImport: [],
    what: 'how fast a disk of each kind is, and when it may do what: no clock of its own',
  },
  {
    layer: 2,
    places: ['fleet'],
    thread: 'any',
    mayImport: ['performance'],
    what: 'fleets of disks in virtual time: no waiting, no bytes, one result from one seed',
  },
  {
    layer: 2,
    places: ['segment'],
    thread: 'shard',
    mayImport: ['record'],
    what: 'ciphertext segments, and the chunk map that points into them',
  },
  {
    layer: 2,
    places: ['kms'],
    thread: 'kms',
    mayImport: ['record', 'kv'],
    what: 'master keys; wraps and unwraps data keys',
  },
  {
    layer: 2,
    places: ['meta'],
    thread: 'main',
    mayImport: ['record', 'kv'],
    what: 'the metadata service: disks, snapshots, lineage',
  },
  {
    layer: 3,
    places: ['shard'],
    thread: 'shard',
    mayImport: ['record', 'cipher', 'segment'],
    what: 'what one shard does: volumes, data keys, the request loop',
  },
  {
    layer: 3,
    places: ['threads'],
    thread: 'main',
    mayImport: ['record', 'fleet'],
    what: 'starts, watches, introduces and stops threads',
  },
  {
    layer: 4,
    places: ['router'],
    thread: 'main',
    mayImport: ['record', 'threads', 'performance'],
    what: 'disk I/O on main: validate, place, stage, await',
  },
  {
    layer: 5,
    places: ['control'],
    thread: 'main',
    mayImport: ['record', 'meta', 'router', 'threads', 'performance'],
    what: 'the verbs, and the rules they ask, as tables',
  },
  {
    layer: 6,
    places: [
      'plane.ts',
      'plane-options.ts',
      'plane-shards.ts',
      'plane-volumes.ts',
      'check-directory.ts',
      'simulate-fleet.ts',
      'types.ts',
      'index.ts',
    ],
    thread: 'main',
    mayImport: ['record', 'kv', 'meta', 'fleet', 'threads', 'router', 'control'],
    what: 'the composition root, and the library as its users see it',
  },
  {
    layer: 7,
    places: ['front'],
    thread: 'main',
    mayImport: ['index.ts', 'types.ts'],
    what: 'doors: ordinary customers of the library',
  },
  {
    layer: 7,
    places: ['load'],
    thread: 'main',
    mayImport: ['index.ts', 'types.ts'],
    what: 'the load generator: an ordinary customer of the library',
  },
  {
    layer: 8,
    places: ['testing.ts'],
    thread: 'main',
    mayImport: ['index.ts', 'types.ts', 'front'],
    what: 'sealdisk/testing: a server in the process of a test',
  },
  {
    layer: 8,
    places: ['bench/naive'],
    thread: 'main',
    mayImport: ['load'],
    what: 'the baseline a load is compared with: one piscina task per I/O',
  },
  {
    layer: 8,
    places: ['gate'],
    thread: 'main',
    mayImport: ['load'],
    what: 'the regression gate: turns, statistics, verdicts',
  },
  {
    layer: 9,
    places: ['vitest.ts'],
    thread: 'main',
    mayImport: ['gate'],
    what: 'sealdisk/vitest: throughput that the tests of others hold',
  },
  {
    layer: 9,
    places: ['cli'],
    thread: 'main',
    mayImport: ['index.ts', 'types.ts', 'load', 'gate', 'front', 'bench/naive'],
    what: 'the command line',
  },
  {
    layer: 4,
    places: ['workers/shard.ts'],
    thread: 'shard',
    mayImport: ['shard', 'record', 'cipher', 'segment'],
    what: 'entry of a shard thread',
  },
  {
    layer: 4,
    places: ['workers/kms.ts'],
    thread: 'kms',
    mayImport: ['kms', 'record', 'kv'],
    what: 'entry of the KMS thread',
  },
  {
    layer: 4,
    places: ['workers/alarm.ts'],
    thread: 'any',
    mayImport: ['record'],
    what: 'entry of the alarm thread, which sleeps and wakes main',
  },
  {
    layer: 4,
    places: ['workers/check.ts'],
    thread: 'shard',
    mayImport: ['record', 'segment'],
    what: 'entry of a thread that checks shard directories nobody has open',
  },
  {
    layer: 4,
    places: ['workers/fleet.ts'],
    thread: 'any',
    mayImport: ['fleet'],
    what: 'entry of a thread that simulates parts of a fleet',
  },
  {
    layer: 10,
    places: ['workers/load.ts'],
    thread: 'load',
    mayImport: ['load', 'cli'],
    what: 'entry of a thread that makes load',
  },
];

/** Files that may import types only, and from where: the public types have no code behind them. */
export const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = {
  'src/types.ts': ['src/control/verbs.ts', 'src/control/access/world.ts', 'src/base/'],
};

/** Code that can hold a plaintext key: no file main can load may reach it, however far away. */
export const KEY_HOLDERS: readonly string[] = ['src/cipher/', 'src/kms/', 'src/shard/'];

/** The place of a path, null for files outside the table (tests, benchmarks, settings). */
export function placeOf(path: string, rows: readonly LayerRow[] = LAYERS): string | null {
  const places = rows.flatMap((row) => row.places);
  return places.find((place) => isIn(path, [asPath(place)])) ?? null;
}

export function rowOf(place: string, rows: readonly LayerRow[] = LAYERS): LayerRow {
  const row = rows.find((candidate) => candidate.places.includes(place));
  if (row === undefined) throw new Error(`no row of the layer table has the place ${place}`);
  return row;
}

/** A place as it begins a path: `src/kms/`, `src/plane.ts`, `bench/naive/`. */
export function asPath(place: string): string {
  const path = place.includes('/') ? place : `src/${place}`;
  return path.endsWith('.ts') ? path : `${path}/`;
}

/** The table as src/README.md shows it. */
export function renderLayerTable(rows: readonly LayerRow[] = LAYERS): string {
  const lines = ['| layer | place | thread | may import | what it is |', '|---|---|---|---|---|'];
  for (const row of rows) {
    const places = row.places.map((place) => `\`${place}\``).join(' ');
    const may = row.mayImport.map((place) => `\`${place}\``).join(' ') || '–';
    lines.push(`| ${row.layer} | ${places} | ${row.thread} | ${may} | ${row.what} |`);
  }
  return lines.join('\n');
}
