/**
 * The documents' tables once more, in a notation of the tests' own: written from the documents, not
 * from the rules. A block is a table's first column, a line its second, then the four results:
 * default off without and with a key, default on without and with a key.
 *
 *   - not encrypted   x N/A   d default key   k source's key   u user-specified   s service key
 */
import type { Outcome } from '../../../../src/control/encryption/cells.ts';

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  '-': 'none',
  x: 'na',
  d: 'default',
  k: 'source',
  u: 'specified',
  s: 'service',
};
const ENCRYPT: Readonly<Record<string, boolean | null>> = { no: false, yes: true, 'n/a': null };

/** A cell as plain values: resource, action, source, encrypt, default, key, then the outcome. */
export type TranscribedCell = readonly [
  resource: string,
  action: string,
  source: string,
  encrypt: boolean | null,
  isDefault: boolean,
  key: boolean,
  outcome: Outcome,
];

/** Cells of a transcript, in its order. */
export function transcribed(text: string): TranscribedCell[] {
  const cells: TranscribedCell[] = [];
  let block: readonly string[] = [];
  for (const line of text.trim().split('\n')) {
    const words = line.trim().split(/\s+/);
    if (!line.startsWith(' ')) {
      block = words;
      continue;
    }
    const [source = '', ...results] = words;
    const [resource = '', action = '', encrypt = ''] = block;
    if (results.length !== 4 || !(encrypt in ENCRYPT)) throw new Error(`cannot read: ${line}`);
    for (const [index, letter] of results.entries()) {
      const outcome = OUTCOMES[letter];
      if (outcome === undefined) throw new Error(`no outcome is written ${letter}: ${line}`);
      const isDefault = index >= 2;
      const key = index % 2 === 1;
      cells.push([resource, action, source, ENCRYPT[encrypt]!, isDefault, key, outcome]);
    }
  }
  return cells;
}
