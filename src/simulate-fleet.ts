/**
 * A fleet of disks in virtual time: options checked, parts simulated on threads, figures made, and
 * what the cloud would count and bill, by the rules of the ledger.
 *
 * The same options give the same report, to the last bit: on any number of threads, any machine,
 * any version of Node. How long it took is not in it.
 *
 * **Thread:** main; the simulation itself on threads of its own.
 */
import { availableParallelism } from 'node:os';
import { invariant } from './base/invariant.ts';
import { isCounted } from './control/billing/billing-rules.ts';
import {
  busiestDisks,
  type DiskFigures,
  digestOf,
  diskFigures,
  type LoadFigures,
  loadFigures,
  type SeriesStep,
  type Spread,
  seriesOf,
  spreadOf,
} from './fleet/fleet-figures.ts';
import { type FleetInput, type FleetOptions, readFleet } from './fleet/fleet-options.ts';
import { type FleetPlan, type KindPlan, planFleet } from './fleet/fleet-plan.ts';
import { FleetTotals } from './fleet/fleet-totals.ts';
import { DONE, REQUESTS, RESULT_COLUMNS, THROTTLED } from './fleet/instance-run.ts';
import { runFleetThreads } from './threads/fleet-threads.ts';

/** Calls of one operation that count against the quota of KMS API calls. */
export interface FleetCalls {
  readonly operation: string;
  readonly calls: number;
  /** Those on disks under a key of the user's own. */
  readonly billedCalls: number;
}

export interface FleetCost {
  readonly item: string;
  readonly quantity: number;
  readonly unit: string;
  /** null: no price was given. */
  readonly price: number | null;
  readonly amount: number | null;
}

export interface FleetKind extends LoadFigures {
  readonly name: string;
  /** Limits of one disk; null: none. */
  readonly limits: { readonly iops: number | null; readonly bytesPerSecond: number | null };
}

export interface FleetReport {
  readonly seed: number;
  readonly durationSeconds: number;
  readonly options: FleetOptions;
  readonly fleet: LoadFigures;
  readonly kinds: readonly FleetKind[];
  /** How figures of single disks spread over the fleet. */
  readonly overDisks: {
    readonly iops: Spread;
    readonly p99Microseconds: Spread;
    readonly throttledShare: Spread;
  };
  readonly busiest: readonly DiskFigures[];
  readonly kmsCalls: readonly FleetCalls[];
  readonly cost: readonly FleetCost[];
  /** Of what has a price; null: nothing has. */
  readonly totalCost: number | null;
  /** Differs if any figure of any disk does. */
  readonly digest: string;
}

export interface FleetSimulation {
  readonly report: FleetReport;
  readonly series: readonly SeriesStep[];
  /** One of report.fleet.disks. */
  disk(number: number): DiskFigures;
}

export interface SimulateFleetOptions {
  /** @default as many as there are cores */
  readonly threads?: number;
  /** What is simulated so far, of 1, and the requests in it. */
  readonly onProgress?: (share: number, requests: number) => void;
  readonly signal?: AbortSignal;
  /** What to call the input in messages. @default 'fleet' */
  readonly name?: string;
}

const BUSIEST = 10;
const SECONDS_A_DAY = 86_400;
/** The cloud's month of a subscription. */
const HOURS_A_MONTH = 720;

/**
 * Simulates a fleet of disks, without waiting and without bytes.
 *
 * @throws PlaneError InvalidArgument: the input makes no sense; the message names the place
 */
export async function simulateFleet(
  input: FleetInput,
  run: SimulateFleetOptions = {},
): Promise<FleetSimulation> {
  const options = readFleet(input, run.name ?? 'fleet');
  const plan = planFleet(options);
  const totals = new FleetTotals(plan);
  const weight = plan.parts.reduce((sum, part) => sum + part.weight, 0);
  let done = 0;
  let requests = 0;
  await runFleetThreads({
    options,
    threads: run.threads ?? availableParallelism(),
    parts: plan.parts.length,
    signal: run.signal,
    onResult: (result) => {
      done += plan.parts[result.index]!.weight;
      for (const counts of [result.reads, result.writes]) {
        for (const count of counts) requests += count;
      }
      totals.add(result);
      run.onProgress?.(weight === 0 ? 1 : done / weight, requests);
    },
  });
  invariant(totals.isComplete(), 'every part has come');
  return {
    report: reportOf(plan, totals),
    series: seriesOf(plan, totals),
    disk: (number) => diskFigures(plan, totals, number),
  };
}

/** What a fleet came to. */
export function reportOf(plan: FleetPlan, totals: FleetTotals): FleetReport {
  const { options } = plan;
  const fleet = loadFigures(plan, totals, plan.kinds);
  const seconds = options.duration;
  const cost = costOf(plan, fleet);
  const amounts = cost.flatMap(({ amount }) => (amount === null ? [] : [amount]));
  return {
    seed: options.seed,
    durationSeconds: seconds,
    options,
    fleet,
    kinds: plan.kinds.map((kind) => kindOf(plan, totals, kind)),
    overDisks: {
      iops: spreadOf(totals, (row) => row[DONE]! / seconds),
      p99Microseconds: spreadOf(totals, (row) => row[RESULT_COLUMNS + 1]!),
      throttledShare: spreadOf(totals, (row) =>
        row[REQUESTS] === 0 ? 0 : row[THROTTLED]! / row[REQUESTS]!,
      ),
    },
    busiest: busiestDisks(totals, BUSIEST).map((disk) => diskFigures(plan, totals, disk)),
    kmsCalls: callsOf(plan),
    cost,
    totalCost: amounts.length === 0 ? null : amounts.reduce((sum, amount) => sum + amount, 0),
    digest: digestOf(totals),
  };
}

function kindOf(plan: FleetPlan, totals: FleetTotals, kind: KindPlan): FleetKind {
  const { name, category, performanceLevel, size } = kind.disks;
  const level = category === 'cloud_essd' ? ` ${performanceLevel ?? 'PL1'}` : '';
  const sized = category === 'unlimited' ? category : `${category}${level} ${size} GiB`;
  const rates = kind.profile?.burst ?? kind.profile;
  const finite = (rate = Number.POSITIVE_INFINITY) => (Number.isFinite(rate) ? rate : null);
  return {
    name: name ?? sized,
    limits: { iops: finite(rates?.iops), bytesPerSecond: finite(rates?.bytesPerSecond) },
    ...loadFigures(plan, totals, [kind]),
  };
}

/** What is done to encrypted disks, as the ledger counts it: once for each disk. */
function callsOf({ options, kinds }: FleetPlan): FleetCalls[] {
  const days = options.duration / SECONDS_A_DAY;
  const { attachesPerDay, snapshotsPerDay } = options.operations;
  const timesADisk: readonly (readonly [string, number])[] = [
    ['CreateDisk', 1],
    ['AttachDisk', 1 + attachesPerDay * days],
    ['DetachDisk', attachesPerDay * days],
    ['CreateSnapshot', snapshotsPerDay * days],
  ];
  const encrypted = kinds.filter(({ disks }) => disks.encrypted);
  const countOf = (which: readonly KindPlan[], times: number): number =>
    which.reduce((sum, { disks }) => sum + Math.round(disks.count * times), 0);
  return timesADisk
    .filter(([operation]) => isCounted(operation))
    .map(([operation, times]) => ({
      operation,
      calls: countOf(encrypted, times),
      billedCalls: countOf(
        encrypted.filter(({ disks }) => disks.key === 'user'),
        times,
      ),
    }));
}

function costOf(plan: FleetPlan, fleet: LoadFigures): FleetCost[] {
  const { options, kinds } = plan;
  const { prices, duration } = options;
  const hours = duration / 3600;
  const sum = (quantityOf: (kind: KindPlan) => number): number =>
    kinds.reduce((total, kind) => total + quantityOf(kind), 0);
  const userKeys = kinds.filter(({ disks }) => disks.encrypted && disks.key === 'user').length;
  const billedCalls = callsOf(plan).reduce((total, calls) => total + calls.billedCalls, 0);
  const gibHours = sum(({ disks }) => disks.count * disks.size) * hours;
  const provisioned = sum(({ disks }) => disks.count * disks.provisionedIops) * hours;
  const line = (item: string, quantity: number, unit: string, per: number, price?: number) => ({
    item,
    quantity,
    unit,
    price: price ?? null,
    amount: price === undefined ? null : (quantity / per) * price,
  });
  return [
    line('capacity', gibHours, 'GiB hours', HOURS_A_MONTH, prices.gibibyteMonth),
    line('provisioned IOPS', provisioned, 'IOPS hours', 1, prices.provisionedIopsHour),
    line('burst requests', fleet.burstRequests, 'requests', 10_000, prices.burstRequests10000),
    line('calls of the KMS API, billed', billedCalls, 'calls', 10_000, prices.kmsCalls10000),
    // Begun days count; one key for each kind of disk that has one of the user's.
    line('master keys, billed', userKeys * Math.ceil(hours / 24), 'key days', 1, prices.keyDay),
  ];
}
