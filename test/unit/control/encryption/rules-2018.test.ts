/**
 * Rule set 2018 against its document, sentence by sentence: encrypted blank disks, disks from
 * encrypted snapshots; one key for a disk, its snapshots and their disks; no CMK can be defined;
 * nothing converts; images of encrypted snapshots are not shared, copied across regions, exported.
 */
import { describe, expect, it } from 'vitest';
import { CELLS } from '../../../../src/control/encryption/cells.ts';
import { encryptionRow } from '../../../../src/control/encryption/decide.ts';

/** What the document allows; resource, action, source, encrypt. Everything else is refused. */
const ALLOWED: Readonly<Record<string, string>> = {
  'disk create empty false': 'none',
  'disk create empty true': 'service',
  'disk create plain false': 'none',
  'disk create shared-plain false': 'none',
  'disk create encrypted false': 'source',
  'disk create encrypted true': 'source',
  'snapshot create plain null': 'none',
  'snapshot create encrypted null': 'source',
  'image create plain null': 'none',
  'image create encrypted null': 'source',
  'image copy-cross plain false': 'none',
};

describe('rule set 2018', () => {
  it.each(CELLS)(
    '$resource $action of $source, encrypt $encrypt: default $default, key $key',
    (cell) => {
      const { resource, action, source, encrypt } = cell;
      const isKnown = !cell.default && !cell.key;
      const allowed = isKnown ? ALLOWED[`${resource} ${action} ${source} ${encrypt}`] : undefined;
      expect(encryptionRow('2018', cell).outcome).toBe(allowed ?? 'na');
    },
  );

  it('allows nothing that is no cell', () => {
    const names = CELLS.map(
      ({ resource, action, source, encrypt }) => `${resource} ${action} ${source} ${encrypt}`,
    );
    expect(Object.keys(ALLOWED).filter((name) => !names.includes(name))).toEqual([]);
  });

  const base = { default: false, key: false } as const;
  it.each([
    ['disk', 'create', 'plain', true, 'InvalidParameter.EncryptedNotMatch'],
    ['disk', 'create', 'shared-encrypted', false, 'NotSupportSnapshotEncrypted.ShareImage'],
    ['image', 'copy-cross', 'encrypted', false, 'OperationDenied.EncryptSnapshotAcrossRegion'],
    ['image', 'copy-cross', 'encrypted', true, 'OperationDenied.EncryptSnapshotAcrossRegion'],
    ['image', 'copy-local', 'encrypted', true, 'UnsupportedOperation'],
    ['image', 'copy-local', 'plain', true, 'InvalidParameter.EncryptedNotMatch'],
    ['image', 'copy-cross', 'shared-plain', false, 'UnsupportedOperation'],
    ['image', 'copy-cross', 'shared-encrypted', true, 'OperationDeined.EncryptedSnapshot'],
    ['snapshot', 'copy-cross', 'plain', false, 'UnsupportedOperation'],
  ] as const)(
    'refuses %s %s of %s, encrypt %s, with %s',
    (resource, action, source, encrypt, code) => {
      expect(encryptionRow('2018', { ...base, resource, action, source, encrypt }).code).toBe(code);
    },
  );

  it('knows no key to choose and no default encryption', () => {
    const cell = {
      ...base,
      resource: 'disk',
      action: 'create',
      source: 'empty',
      encrypt: true,
    } as const;
    expect(encryptionRow('2018', { ...cell, key: true }).code).toBe('UnsupportedParameter');
    expect(encryptionRow('2018', { ...cell, default: true, key: true }).code).toBe(
      'Abs.InvalidAction.RegionNotSupport',
    );
  });
});
