/**
 * What a seed decides before anything happens: how large the world is, what its callers like to do,
 * and how hard each fault strikes. Most histories have few kinds of faults, some have none, some
 * have all: what hides behind a common fault is found where that fault is off ("swarm testing").
 */
import type { Prng } from '../../src/base/prng.ts';
import type { StoreGeometry } from '../../src/segment/geometry.ts';
import type { DiskFaultRates } from './simulated-disk.ts';

export const FAULT_KINDS = [
  'powerCut',
  'kill',
  'shardCrash',
  'kmsCrash',
  'keyDisabled',
  'commitError',
  'writeError',
  'syncError',
  'readError',
  'full',
  'rot',
  'lostWrite',
  'misdirectedWrite',
  'clockJump',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export type IoKind = 'write' | 'fuaWrite' | 'read' | 'flush' | 'zero';

export type VerbKind =
  | 'attach'
  | 'detach'
  | 'openSnapshot'
  | 'createDisk'
  | 'createSnapshot'
  | 'diskFromSnapshot'
  | 'resetDisk'
  | 'rekeyDisk'
  | 'deleteDisk'
  | 'deleteSnapshot'
  | 'check';

export interface Swarm {
  readonly geometryIndex: number;
  readonly shardCount: number;
  /** Sectors of each disk that are used: the first ones. */
  readonly spanSectors: number;
  readonly sectorsMax: number;
  readonly depth: number;
  readonly operations: number;
  /** How eager callers are, against what is under way. */
  readonly callerWeight: number;
  /** Of all that callers do, the part that is verbs. */
  readonly verbPart: number;
  readonly ioWeights: Readonly<Record<IoKind, number>>;
  readonly verbWeights: Readonly<Record<VerbKind, number>>;
  /** Chance of each event, per step. */
  readonly eventRates: Readonly<Partial<Record<FaultKind, number>>>;
  readonly diskRates: DiskFaultRates;
  readonly commitErrorRate: number;
  /** Part of what was not forced that a power cut keeps. */
  readonly keptPart: number;
  /** How uneven lanes are: 0 all alike. */
  readonly unevenness: number;
}

export const GEOMETRIES: readonly StoreGeometry[] = [
  { segmentSectors: 4, logBytesMax: 700, reserveBytes: 4096 },
  { segmentSectors: 8, logBytesMax: 1500, reserveBytes: 4096 },
  { segmentSectors: 16, logBytesMax: 4000, reserveBytes: 16384 },
  { segmentSectors: 8, logBytesMax: 100_000, reserveBytes: 4096 },
];

const IO_WEIGHTS: Readonly<Record<IoKind, number>> = {
  write: 10,
  fuaWrite: 1.5,
  read: 4,
  flush: 1.5,
  zero: 2,
};

export const VERB_WEIGHTS: Readonly<Record<VerbKind, number>> = {
  attach: 8,
  detach: 1,
  openSnapshot: 1,
  createDisk: 0.5,
  createSnapshot: 2,
  diskFromSnapshot: 1,
  resetDisk: 0.7,
  rekeyDisk: 1.2,
  deleteDisk: 0.4,
  deleteSnapshot: 1,
  check: 0.3,
};

/** Chance per step at full intensity. */
const EVENT_RATES: Readonly<Partial<Record<FaultKind, number>>> = {
  powerCut: 0.01,
  kill: 0.01,
  shardCrash: 0.006,
  kmsCrash: 0.006,
  keyDisabled: 0.006,
  full: 0.006,
  rot: 0.01,
  clockJump: 0.01,
};

export function drawSwarm(prng: Prng): Swarm {
  const isCalm = prng.nextBelow(8) === 0;
  /** 0 for most kinds; else from a tenth of full intensity up. */
  const intensity = (part: number): number =>
    isCalm || prng.nextFloat() > part ? 0 : 10 ** -prng.nextFloat();
  const eventRates: Partial<Record<FaultKind, number>> = {};
  for (const [kind, rate] of Object.entries(EVENT_RATES) as [FaultKind, number][]) {
    const part = kind === 'powerCut' || kind === 'kill' ? 0.5 : 0.15;
    eventRates[kind] = rate * intensity(part);
  }
  return {
    geometryIndex: prng.nextBelow(GEOMETRIES.length),
    shardCount: prng.nextBelow(4) === 0 ? 2 : 1,
    spanSectors: [6, 12, 24, 48][prng.nextBelow(4)]!,
    sectorsMax: [1, 3, 8, 16][prng.nextBelow(4)]!,
    depth: 1 + prng.nextBelow(prng.nextBelow(2) === 0 ? 2 : 12),
    operations: 10 + prng.nextBelow(prng.nextBelow(4) === 0 ? 150 : 50),
    callerWeight: 0.1 + prng.nextFloat() * 0.6,
    verbPart: [0.02, 0.08, 0.2][prng.nextBelow(3)]!,
    ioWeights: drawWeights(prng, IO_WEIGHTS, ['write']),
    verbWeights: drawWeights(prng, VERB_WEIGHTS, ['attach']),
    eventRates,
    diskRates: {
      writeError: 0.02 * intensity(0.1),
      syncError: 0.05 * intensity(0.1),
      readError: 0.05 * intensity(0.1),
      lostWrite: 0.05 * intensity(0.07),
      misdirectedWrite: 0.05 * intensity(0.07),
    },
    commitErrorRate: 0.02 * intensity(0.1),
    keptPart: [0, 0.5, 0.5, 0.9][prng.nextBelow(4)]!,
    unevenness: prng.nextBelow(2) === 0 ? 0 : prng.nextFloat(),
  };
}

/** Some kinds are never done, others much more often. */
function drawWeights<K extends string>(
  prng: Prng,
  weights: Readonly<Record<K, number>>,
  always: readonly NoInfer<K>[],
): Record<K, number> {
  const drawn: Record<K, number> = { ...weights };
  for (const kind of Object.keys(weights) as K[]) {
    const chance = prng.nextBelow(6);
    if (chance === 0 && !always.includes(kind)) drawn[kind] = 0;
    if (chance === 1) drawn[kind] *= 4;
  }
  return drawn;
}

/** Draws one of the kinds by their weights. */
export function drawKind<K extends string>(prng: Prng, weights: Readonly<Record<K, number>>): K {
  const kinds = Object.keys(weights) as K[];
  let total = 0;
  for (const kind of kinds) total += weights[kind];
  let at = prng.nextFloat() * total;
  for (const kind of kinds) {
    at -= weights[kind];
    if (at < 0) return kind;
  }
  return kinds[0]!;
}
