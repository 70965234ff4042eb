/** Entry of a thread that makes load: a part of a run's jobs. No decisions here. */
import { parentPort, workerData } from 'node:worker_threads';
import { InvariantError, invariant } from '../src/base/invariant.ts';
import { LoadTargets } from '../src/cli/load-targets.ts';
import type { PartStart } from '../src/load/thread-message.ts';
import { runPart } from '../src/load/thread-part.ts';

invariant(parentPort !== null, 'this file is the entry of a thread');
const start = workerData as PartStart;
const noPlane = async (): Promise<never> => {
  throw new InvariantError('disks of the library are used by main alone');
};
const targets = new LoadTargets(noPlane, {}, { overwrites: start.overwrites });
await runPart(start, (name) => targets.open(name), parentPort);
await targets.close();
parentPort.close();
