/** Rule set 2025 against a transcript of the three result tables of its document. */
import { describe, expect, it } from 'vitest';
import { CELLS } from '../../../../src/control/encryption/cells.ts';
import { encryptionRow } from '../../../../src/control/encryption/decide.ts';
import { transcribed } from './transcript.ts';

const DISKS = transcribed(`
disk create no
  empty             -  x  d  x
  plain             -  x  d  x
  encrypted         k  x  k  x
  shared-plain      -  x  d  x
  shared-encrypted  s  x  d  x
disk create yes
  empty             s  u  d  u
  plain             s  u  d  u
  encrypted         k  u  k  u
  shared-plain      s  u  d  u
  shared-encrypted  s  u  d  u
`);

/** The table of snapshots and that of images give the same results. */
const COPIED = (resource: string): string => `
${resource} create n/a
  plain             -  x  -  x
  encrypted         k  x  k  x
${resource} copy-cross no
  plain             -  x  d  x
  encrypted         x  x  x  x
  shared-plain      -  x  d  x
  shared-encrypted  x  x  x  x
${resource} copy-local yes
  plain             s  u  d  u
  encrypted         s  u  d  u
  shared-plain      s  u  d  u
  shared-encrypted  s  u  d  u
${resource} copy-cross yes
  plain             s  u  d  u
  encrypted         s  u  d  u
  shared-plain      s  u  d  u
  shared-encrypted  s  u  d  u
`;

const TABLES = [
  ['disk', DISKS, 40],
  ['snapshot', transcribed(COPIED('snapshot')), 56],
  ['image', transcribed(COPIED('image')), 56],
] as const;

describe.each(TABLES)('the table of %ss', (resource, cells, count) => {
  it(`has ${count} results, those of the document`, () => {
    expect(cells.length).toBe(count);
    const decided = CELLS.filter((cell) => cell.resource === resource).map((cell) => [
      cell.resource,
      cell.action,
      cell.source,
      cell.encrypt,
      cell.default,
      cell.key,
      encryptionRow('2025', cell).outcome,
    ]);
    expect(decided.map((cell) => cell.join(' ')).sort()).toEqual(
      cells.map((cell) => cell.join(' ')).sort(),
    );
  });
});

/** The code of a refused cell. */
function code(text: string): string | null {
  const [resource, action, source, encrypt, isDefault, key] = transcribed(text)[0]!;
  const cell = CELLS.find(
    (each) =>
      each.resource === resource &&
      each.action === action &&
      each.source === source &&
      each.encrypt === encrypt &&
      each.default === isDefault &&
      each.key === key,
  );
  return cell === undefined ? null : encryptionRow('2025', cell).code;
}

describe('refusals', () => {
  const na = CELLS.filter((cell) => encryptionRow('2025', cell).outcome === 'na');

  it('are 10 of disks, and 16 each of snapshots and images', () => {
    const count = (resource: string): number =>
      na.filter((cell) => cell.resource === resource).length;
    expect([count('disk'), count('snapshot'), count('image')]).toEqual([10, 16, 16]);
  });

  it.each([
    ['disk', 'create', 'InvalidParameter.EncryptedIllegal'],
    ['snapshot', 'create', 'UnsupportedParameter'],
    ['image', 'create', 'UnsupportedParameter'],
    ['snapshot', 'copy-cross', 'InvalidEncrypted.NotMatchKmsKeyId'],
    ['image', 'copy-cross', 'InvalidParameter.EncryptedIllegal'],
  ])('of a key without encryption: %s %s is %s', (resource, action, expected) => {
    const cells = na.filter(
      (cell) => cell.key && cell.resource === resource && cell.action === action,
    );
    expect(cells.length).toBeGreaterThan(0);
    for (const cell of cells) expect(encryptionRow('2025', cell).code).toBe(expected);
  });

  it('of a plain copy of what is encrypted are those of CopySnapshot and CopyImage', () => {
    const first = '\n  encrypted x x x x';
    expect(code(`snapshot copy-cross no${first}`)).toBe('InvalidEncrypted.NotSupportDecrypt');
    expect(code(`image copy-cross no${first}`)).toBe('OperationDeined.EncryptedSnapshot');
    expect(code('image copy-cross no\n  shared-encrypted x x x x')).toBe(
      'OperationDeined.EncryptedSnapshot',
    );
  });
});
