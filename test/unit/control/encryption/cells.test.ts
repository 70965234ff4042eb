/** The cells are the whole product of what the tables speak of; every table answers each once. */
import { describe, expect, it } from 'vitest';
import {
  ACTIONS,
  CELLS,
  type Cell,
  isAsked,
  RESOURCES,
  RULE_SETS,
  SOURCES,
} from '../../../../src/control/encryption/cells.ts';
import { rulesOf } from '../../../../src/control/encryption/decide.ts';
import { documentOf } from '../../../../src/control/encryption/documents.ts';
import { matches } from '../../../../src/control/encryption/pattern.ts';

/** 3 resources x 3 actions x 5 sources x 3 encrypt x 2 default x 2 key. */
const PRODUCT: Cell[] = RESOURCES.flatMap((resource) =>
  ACTIONS.flatMap((action) =>
    SOURCES.flatMap((source) =>
      [false, true, null].flatMap((encrypt) =>
        [false, true].flatMap((isDefault) =>
          [false, true].map((key) => ({
            resource,
            action,
            source,
            encrypt,
            default: isDefault,
            key,
          })),
        ),
      ),
    ),
  ),
);

/** What the documents' tables have rows for, as sentences about one cell. */
function hasTableRow({ resource, action, source, encrypt }: Cell): boolean {
  if (resource === 'disk') return action === 'create' && encrypt !== null;
  if (action === 'create') return encrypt === null && ['plain', 'encrypted'].includes(source);
  if (source === 'empty' || encrypt === null) return false;
  return action === 'copy-cross' || encrypt;
}

const name = (cell: Cell): string => JSON.stringify(cell);

describe('the cells', () => {
  it('are those of the product of 540 that the tables have a row for, each once', () => {
    expect(PRODUCT.length).toBe(540);
    const expected = PRODUCT.filter(hasTableRow).map(name).sort();
    expect(CELLS.map(name).sort()).toEqual(expected);
  });

  it('are 40 of disks, 56 of snapshots and 56 of images', () => {
    const counts = RESOURCES.map(
      (resource) => CELLS.filter((cell) => cell.resource === resource).length,
    );
    expect(counts).toEqual([40, 56, 56]);
    expect(CELLS.length).toBe(152);
  });

  it('are asked about under exactly the resources, actions and sources they have', () => {
    for (const { resource, action, source } of PRODUCT) {
      const isCell = CELLS.some(
        (cell) => cell.resource === resource && cell.action === action && cell.source === source,
      );
      expect(isAsked(resource, action, source)).toBe(isCell);
    }
  });
});

describe.each(RULE_SETS)('rule set %s', (ruleSet) => {
  const rows = rulesOf(ruleSet);

  it('has exactly one row for each cell', () => {
    const counts = CELLS.map((cell) => rows.filter((row) => matches(row.where, cell)).length);
    expect(counts).toEqual(CELLS.map(() => 1));
  });

  it('has no row without a cell', () => {
    const idle = rows.filter((row) => !CELLS.some((cell) => matches(row.where, cell)));
    expect(idle).toEqual([]);
  });

  it('names its document and place in every row, and says why', () => {
    for (const row of rows) {
      expect(row.ruleSet).toBe(ruleSet);
      expect(row.document).toBe(documentOf(ruleSet));
      expect(row.place.length).toBeGreaterThan(5);
      expect(row.because.split(' ').length, row.because).toBeGreaterThan(3);
    }
  });

  it('has an error code in the rows that refuse, and in no other', () => {
    for (const row of rows) expect(row.code !== null, row.because).toBe(row.outcome === 'na');
  });

  it('never makes plain of what is encrypted', () => {
    for (const cell of CELLS.filter(({ source }) => source.endsWith('encrypted'))) {
      const outcome = rows.find((row) => matches(row.where, cell))?.outcome;
      expect(outcome, name(cell)).not.toBe('none');
    }
  });
});
