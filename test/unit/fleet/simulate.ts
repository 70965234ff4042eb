/** A fleet simulated in the thread of the test, part after part. */
import { loadFigures, seriesOf } from '../../../src/fleet/fleet-figures.ts';
import { type FleetInput, readFleet } from '../../../src/fleet/fleet-options.ts';
import { planFleet } from '../../../src/fleet/fleet-plan.ts';
import { FleetTotals } from '../../../src/fleet/fleet-totals.ts';
import { simulatePart } from '../../../src/fleet/part-run.ts';

export function simulate(input: FleetInput) {
  const plan = planFleet(readFleet(input, 'test'));
  const totals = new FleetTotals(plan);
  for (const part of plan.parts) totals.add(simulatePart(plan, part));
  const figures = loadFigures(plan, totals, plan.kinds);
  return { plan, totals, figures, series: seriesOf(plan, totals) };
}
