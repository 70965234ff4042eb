/**
 * The other side of the thread crossings that crossing.bench.ts measures: as a piscina worker an
 * empty task, as a plain worker an echo.
 */
import { parentPort, workerData } from 'node:worker_threads';

export const ECHO = 'echo';

export default function empty(): null {
  return null;
}

if (workerData === ECHO) parentPort?.on('message', (message) => parentPort?.postMessage(message));
