/** Runs functions under tinybench and gives their rows. The figure is the median round's. */
import { Bench } from 'tinybench';
import type { BenchRow } from './row.ts';

export interface Measured {
  readonly name: string;
  /** Operations in one call: enough of them that reading the clock costs nothing beside them. */
  readonly operations: number;
  /** Bytes of one operation, null if they say nothing. */
  readonly bytes: number | null;
  readonly call: () => unknown;
}

/**
 * @param isSmoke true: only long enough to see that everything runs
 * @throws whatever a call throws
 */
export async function measure(
  measured: readonly Measured[],
  isSmoke: boolean,
): Promise<BenchRow[]> {
  const bench = new Bench({
    time: isSmoke ? 5 : 500,
    warmupTime: isSmoke ? 1 : 100,
    iterations: 16,
    warmupIterations: 4,
    throws: true,
  });
  for (const { name, call } of measured) bench.add(name, call);
  await bench.run();
  return measured.map(({ name, operations, bytes }) => {
    const result = bench.getTask(name)?.result;
    if (result?.state !== 'completed') throw new Error(`${name} was not measured`);
    const opsPerSecond = (operations * 1_000) / result.latency.p50;
    return { name, opsPerSecond, bytesPerSecond: bytes === null ? null : bytes * opsPerSecond };
  });
}
