/** Entry of a thread that simulates parts of a fleet. No decisions here. */
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../src/base/invariant.ts';
import type { FleetOptions } from '../src/fleet/fleet-options.ts';
import { planFleet } from '../src/fleet/fleet-plan.ts';
import { simulatePart } from '../src/fleet/part-run.ts';

invariant(parentPort !== null, 'this file is the entry of a thread');
const port = parentPort;
const plan = planFleet(workerData as FleetOptions);
port.on('message', (index: number) => {
  const part = plan.parts[index];
  invariant(part !== undefined, 'a part of the plan is asked for');
  const result = simulatePart(plan, part);
  const { rows, series, reads, writes, waits } = result;
  port.postMessage(result, [
    rows.buffer as ArrayBuffer,
    series.buffer as ArrayBuffer,
    reads.buffer as ArrayBuffer,
    writes.buffer as ArrayBuffer,
    waits.buffer as ArrayBuffer,
  ]);
});
