/** One line of a micro benchmark's result. */

export interface BenchRow {
  name: string;
  opsPerSecond: number;
  /** null where an operation has no bytes worth counting. */
  bytesPerSecond: number | null;
}
