/**
 * Rule set 2020 against its document, sentence by sentence: system disks encrypted by copying a
 * custom image; service key or a key of the user's choice; snapshots and disks of encrypted disks
 * are encrypted, snapshots under the disk's key; encrypted images are not made plain, not copied
 * across regions, not shared, not exported; disks are not converted.
 */
import { describe, expect, it } from 'vitest';
import { CELLS } from '../../../../src/control/encryption/cells.ts';
import { encryptionRow } from '../../../../src/control/encryption/decide.ts';
import { transcribed } from './transcript.ts';

/** Default encryption is not in the document, so its two columns are N/A everywhere. */
const TABLE = transcribed(`
disk create no
  empty             -  x  x  x
  plain             -  x  x  x
  encrypted         k  x  x  x
  shared-plain      -  x  x  x
  shared-encrypted  x  x  x  x
disk create yes
  empty             s  u  x  x
  plain             x  x  x  x
  encrypted         k  x  x  x
  shared-plain      x  x  x  x
  shared-encrypted  x  x  x  x
snapshot create n/a
  plain             -  x  x  x
  encrypted         k  x  x  x
snapshot copy-cross no
  plain             x  x  x  x
  encrypted         x  x  x  x
  shared-plain      x  x  x  x
  shared-encrypted  x  x  x  x
snapshot copy-cross yes
  plain             x  x  x  x
  encrypted         x  x  x  x
  shared-plain      x  x  x  x
  shared-encrypted  x  x  x  x
snapshot copy-local yes
  plain             x  x  x  x
  encrypted         x  x  x  x
  shared-plain      x  x  x  x
  shared-encrypted  x  x  x  x
image create n/a
  plain             -  x  x  x
  encrypted         k  x  x  x
image copy-cross no
  plain             -  x  x  x
  encrypted         x  x  x  x
  shared-plain      x  x  x  x
  shared-encrypted  x  x  x  x
image copy-cross yes
  plain             s  u  x  x
  encrypted         x  x  x  x
  shared-plain      x  x  x  x
  shared-encrypted  x  x  x  x
image copy-local yes
  plain             s  u  x  x
  encrypted         x  x  x  x
  shared-plain      x  x  x  x
  shared-encrypted  x  x  x  x
`);

describe('rule set 2020', () => {
  it.each(TABLE)('%s %s of %s, encrypt %s, default %s, key %s: %s', (...transcript) => {
    const [resource, action, source, encrypt, isDefault, key, outcome] = transcript;
    const cells = CELLS.filter(
      (cell) =>
        cell.resource === resource &&
        cell.action === action &&
        cell.source === source &&
        cell.encrypt === encrypt &&
        cell.default === isDefault &&
        cell.key === key,
    );
    expect(cells.map((cell) => encryptionRow('2020', cell).outcome)).toEqual([outcome]);
  });

  it('is transcribed whole', () => {
    expect(TABLE.length).toBe(CELLS.length);
  });

  const codes = [
    ['image', 'copy-cross', 'encrypted', 'OperationDenied.EncryptSnapshotAcrossRegion'],
    ['image', 'copy-local', 'encrypted', 'UnsupportedOperation'],
    ['image', 'copy-local', 'shared-encrypted', 'OperationDeined.EncryptedSnapshot'],
    ['disk', 'create', 'shared-encrypted', 'NotSupportSnapshotEncrypted.ShareImage'],
    ['snapshot', 'copy-local', 'plain', 'UnsupportedOperation'],
  ] as const;
  it.each(codes)('refuses %s %s of %s with %s', (resource, action, source, code) => {
    const [cell] = CELLS.filter(
      (each) =>
        each.resource === resource &&
        each.action === action &&
        each.source === source &&
        each.encrypt === true,
    );
    expect(encryptionRow('2020', cell!).code).toBe(code);
  });

  it('refuses another key for an encrypted source, and conversion of a plain one', () => {
    const disk = { resource: 'disk', action: 'create', encrypt: true, default: false } as const;
    const keyed = { ...disk, key: true };
    expect(encryptionRow('2020', { ...keyed, source: 'encrypted' }).code).toBe(
      'InvalidKmsKeyId.NotMatchSnapshot',
    );
    expect(encryptionRow('2020', { ...keyed, source: 'plain' }).code).toBe(
      'InvalidParameter.EncryptedNotMatch',
    );
  });
});
