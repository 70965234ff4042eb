/**
 * `npm run bench:curves -- [--only rates|fleets] [--draw] [--quick]`: the curves of the performance
 * model.
 *
 * Measures, writes curves/measured.json, and draws curves/*.svg from it. --only measures one of the
 * two and keeps the other; --draw draws what is there already; --quick is long enough only to see
 * that everything runs, and writes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drawChart } from './curves/chart.ts';
import { fleetChart, rateChart } from './curves/charts.ts';
import {
  type FleetCost,
  fleetCost,
  measureFleets,
  measureRates,
  type RateCurve,
} from './curves/measure.ts';
import { makeReport } from './report.ts';

interface Measured {
  readonly machine: ReturnType<typeof makeReport>['machine'];
  readonly commit: string;
  readonly rates: readonly RateCurve[];
  readonly fleets: readonly FleetCost[];
}

/** From dist/bench, where the program runs, to the folder the files are kept in. */
const FOLDER = new URL('../../bench/curves/', import.meta.url);

const { values } = parseArgs({
  options: {
    draw: { type: 'boolean' },
    quick: { type: 'boolean' },
    only: { type: 'string' },
    fleet: { type: 'string' },
  },
});

if (values.fleet !== undefined) {
  console.log(JSON.stringify(await fleetCost(Number(values.fleet))));
} else if (values.quick === true) {
  drawChart(rateChart(await measureRates(10)));
  drawChart(fleetChart([await fleetCost(10), await fleetCost(100)]));
} else {
  const measured = values.draw === true ? readMeasured() : await measure();
  writeFileSync(new URL('rate.svg', FOLDER), drawChart(rateChart(measured.rates)));
  writeFileSync(new URL('fleet.svg', FOLDER), drawChart(fleetChart(measured.fleets)));
}

async function measure(): Promise<Measured> {
  const { machine, commit } = makeReport([], [], false);
  const { only } = values;
  const rates = only === 'fleets' ? readMeasured().rates : await measureRates(500);
  const fleets =
    only === 'rates' ? readMeasured().fleets : measureFleets(fileURLToPath(import.meta.url));
  const measured = { machine, commit, rates, fleets };
  writeFileSync(new URL('measured.json', FOLDER), `${JSON.stringify(measured, null, 2)}\n`);
  return measured;
}

function readMeasured(): Measured {
  return JSON.parse(readFileSync(new URL('measured.json', FOLDER), 'utf8')) as Measured;
}
