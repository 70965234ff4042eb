/** Tables of text for people: columns as wide as their widest cell, numbers to the right. */

export interface TextColumn {
  readonly title: string;
  /** @default 'right' */
  readonly align?: 'left' | 'right';
}

/** Lines without a trailing newline. Every row has a cell for every column. */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => {
        const width = widths[index]!;
        return columns[index]!.align === 'left' ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...rows.map(line)].join('\n');
}

/** 4 digits or fewer and a thousands letter: 412k, 1.61M, 98. */
export function shortCount(value: number): string {
  if (value >= 1e6) return `${significant(value / 1e6)}M`;
  if (value >= 1e3) return `${significant(value / 1e3)}k`;
  return value >= 100 ? value.toFixed(0) : significant(value);
}

/** Megabytes a second, of 10^6 bytes, as drives are sold. */
export function megabytes(bytesPerSecond: number): string {
  return significant(bytesPerSecond / 1e6);
}

/** A duration in the unit that suits it: 850ns, 47.1us, 1.06ms, 2.5s. */
export function duration(nanoseconds: number): string {
  if (nanoseconds >= 1e9) return `${significant(nanoseconds / 1e9)}s`;
  if (nanoseconds >= 1e6) return `${significant(nanoseconds / 1e6)}ms`;
  if (nanoseconds >= 1e3) return `${significant(nanoseconds / 1e3)}us`;
  return `${nanoseconds.toFixed(0)}ns`;
}

/** Three significant figures, never in exponents. */
function significant(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
