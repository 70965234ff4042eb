/** What a fleet came to, as text for people, and as CSV for what draws curves. */
import type { FleetReport, FleetSimulation } from '../index.ts';
import { duration, megabytes, shortCount, textTable } from '../load/text-table.ts';

const LEGEND =
  'throttled: waited for a limit of disk or instance, and for how long on average; ' +
  'held: their source waited for the queue depth';

/** The report as tables, ending in a newline. */
export function fleetTable(report: FleetReport): string {
  const { fleet, overDisks, durationSeconds, seed, digest } = report;
  const what = `${fleet.disks} disks for ${durationSeconds} s, ${fleet.requests} requests`;
  const lines = [
    `${what}; seed ${seed}, digest ${digest}`,
    '',
    loadTable([...report.kinds.map((kind) => [kind.name, kind] as const), ['all', fleet]]),
    LEGEND,
    '',
    textTable(
      [{ title: 'over the disks', align: 'left' }, ...SPREAD.map((title) => ({ title }))],
      [
        spreadRow('IOPS', overDisks.iops, (value) => plain(value)),
        spreadRow('p99 latency', overDisks.p99Microseconds, microseconds),
        spreadRow('throttled', overDisks.throttledShare, share),
      ],
    ),
    '',
    textTable(
      [
        { title: 'busiest disk' },
        { title: 'asked' },
        { title: 'IOPS' },
        { title: 'p50' },
        { title: 'p99' },
        { title: 'throttled' },
        { title: 'held' },
      ],
      report.busiest.map((disk) => [
        `${disk.disk}`,
        plain(disk.askedIops),
        plain(disk.iops),
        microseconds(disk.latencyMicroseconds.p50),
        microseconds(disk.latencyMicroseconds.p99),
        share(disk.throttledShare),
        share(disk.heldShare),
      ]),
    ),
    '',
    ...costLines(report),
  ];
  return `${lines.join('\n')}\n`;
}

function loadTable(rows: readonly (readonly [string, FleetReport['fleet']])[]): string {
  const titles = [
    'disks',
    'IOPS',
    'MB/s',
    'mean',
    'p50',
    'p99',
    'p99.9',
    'throttled',
    'for',
    'held',
  ];
  return textTable(
    [{ title: 'disk', align: 'left' }, ...titles.map((title) => ({ title }))],
    rows.map(([name, load]) => [
      name,
      `${load.disks}`,
      shortCount(load.iops),
      megabytes(load.bytesPerSecond),
      microseconds(load.latencyMicroseconds.mean),
      microseconds(load.latencyMicroseconds.p50),
      microseconds(load.latencyMicroseconds.p99),
      microseconds(load.latencyMicroseconds.p999),
      share(load.throttledShare),
      microseconds(load.throttledMicroseconds.mean),
      share(load.heldShare),
    ]),
  );
}

const SPREAD = ['p10', 'p50', 'p90', 'p99', 'max'] as const;

function spreadRow(
  name: string,
  spread: FleetReport['overDisks']['iops'],
  text: (value: number) => string,
): string[] {
  return [name, ...SPREAD.map((which) => text(spread[which]))];
}

function costLines({ kmsCalls, cost, totalCost }: FleetReport): string[] {
  const calls = kmsCalls.map(
    ({ operation, calls: count, billedCalls }) => `${operation} ${count} (${billedCalls} billed)`,
  );
  const rows = cost
    .filter(({ quantity }) => quantity > 0)
    .map(({ item, quantity, unit, amount }) => [
      item,
      `${Math.round(quantity)} ${unit}`,
      amount === null ? 'not priced' : money(amount),
    ]);
  if (totalCost !== null) rows.push(['together', '', totalCost.toFixed(2)]);
  return [
    `calls of the KMS API: ${calls.join(', ')}`,
    textTable([{ title: 'cost', align: 'left' }, { title: 'quantity' }, { title: 'amount' }], rows),
  ];
}

const PER_DISK_COLUMNS =
  'disk,kind,asked_iops,iops,requests,reads,bytes,throttled_share,held_share,burst_requests,' +
  'mean_us,p50_us,p99_us,p999_us,max_us';

/** A line for each disk. */
export function perDiskCsv(simulation: FleetSimulation): string {
  const { report } = simulation;
  const lines = [PER_DISK_COLUMNS];
  for (let disk = 0; disk < report.fleet.disks; disk++) {
    const { latencyMicroseconds, ...figures } = simulation.disk(disk);
    lines.push([...Object.values(figures), ...Object.values(latencyMicroseconds)].join(','));
  }
  return `${lines.join('\n')}\n`;
}

/** A line for each step of time. */
export function seriesCsv({ series }: FleetSimulation): string {
  const lines = ['seconds,iops,bytes_per_second,throttled_share,mean_latency_us'];
  for (const step of series) lines.push(Object.values(step).join(','));
  return `${lines.join('\n')}\n`;
}

function microseconds(value: number): string {
  return duration(value * 1e3);
}

/** Hundredths; of less than one, two figures. */
function money(amount: number): string {
  return amount > 0 && amount < 0.01 ? amount.toPrecision(2) : amount.toFixed(2);
}

function share(value: number): string {
  return `${(value * 100).toFixed(value > 0 && value < 0.01 ? 3 : 1)} %`;
}

function plain(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
