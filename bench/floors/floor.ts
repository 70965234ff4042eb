/** One figure the project is held to: what was measured, in which unit, and the least it may be. */
export interface Floor {
  readonly name: string;
  readonly measured: number;
  readonly unit: string;
  /** 'least': measured must be at least the bound; 'most': at most. */
  readonly kind: 'least' | 'most';
  readonly bound: number;
  /** The absolute figure behind a ratio, for people. */
  readonly note: string;
}

export function isMet(floor: Floor): boolean {
  return floor.kind === 'least' ? floor.measured >= floor.bound : floor.measured <= floor.bound;
}

/** Lines of a table, with its head or to go on with it. */
export function renderFloors(floors: readonly Floor[], hasHead: boolean): string {
  const rows = floors.map((floor) => [
    floor.name,
    `${floor.measured.toFixed(2)} ${floor.unit}`,
    `${floor.kind === 'least' ? '≥' : '≤'} ${floor.bound}`,
    isMet(floor) ? 'met' : 'MISSED',
    floor.note,
  ]);
  const head = ['figure', 'measured', 'floor', '', 'absolute'];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const heading = hasHead ? [line(head), line(head.map(() => '---'))] : [];
  return [...heading, ...rows.map(line)].join('\n');
}
