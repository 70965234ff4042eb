/** What a micro benchmark comes to: one row of the table somebody else prints. */
export interface BenchRow {
  /** What was measured: subject, operation, size. */
  readonly name: string;
  readonly opsPerSecond: number;
  /** Null where an operation moves no bytes. */
  readonly bytesPerSecond: number | null;
}
