/** The charts of the performance model, from what was measured. Pure. */
import type { Chart } from './chart.ts';
import type { FleetCost, RateCurve } from './measure.ts';

function thousands(value: number): string {
  return value < 1000 ? `${value}` : `${value / 1000}k`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function rateChart(curves: readonly RateCurve[]): Chart {
  return {
    title: 'Modelled disks: real time beside virtual time',
    subtitle: 'Encrypted ESSD, random writes of 4 KiB. Lines: virtual time; dots: measured.',
    x: { title: 'requests in flight', ticks: [1, 2, 4, 8, 16, 32, 64], text: String },
    y: {
      title: 'IOPS',
      ticks: [1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000],
      text: thousands,
    },
    series: curves.flatMap(({ level, gib, points }, colour) => [
      {
        name: `${level}, ${gib} GiB`,
        colour,
        mark: 'line' as const,
        points: points.map(({ depth, virtual }) => [depth, virtual] as const),
      },
      {
        name: '',
        colour,
        mark: 'dots' as const,
        points: points.map(({ depth, real }) => [depth, real] as const),
      },
    ]),
  };
}

export function fleetChart(costs: readonly FleetCost[]): Chart {
  const points = costs.map(({ disks, processorSeconds }) => [disks, processorSeconds] as const);
  const last = costs.at(-1)!;
  const size = `${count(last.disks)} disks: ${count(last.requests)} requests`;
  const each = (last.processorSeconds * 1e9) / last.requests;
  return {
    title: 'A fleet in virtual time: what it costs to simulate',
    subtitle: `An hour at 1 IOPS a disk. ${size}, ${last.memoryMiB} MiB.`,
    x: { title: 'disks', ticks: [100, 1_000, 10_000, 100_000], text: thousands },
    y: { title: 'processor, s', ticks: [0.5, 1, 2, 5, 10, 20, 50, 100, 200], text: String },
    series: [
      { name: `${each.toFixed(0)} ns a request`, colour: 0, mark: 'line', points },
      { name: '', colour: 0, mark: 'dots', points },
    ],
  };
}
