/** The rules of a master key, against the tables the KMS documents: every cell. */
import { describe, expect, test } from 'vitest';
import {
  KEY_KIND_RULES,
  KEY_OPERATIONS,
  KEY_STATE_RULES,
  type KeyKind,
  type KeyOperation,
  matchKindRules,
  matchStateRules,
  stateAfter,
} from '../../../src/kms/key-states.ts';
import type { KeyDescription, KeyState } from '../../../src/record/kms-key.ts';
import { scope } from './support.ts';

const states: KeyState[] = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport'];
const kinds: KeyKind[] = ['service', 'own', 'imported', 'asymmetric'];

const key = (state: KeyState, kind: KeyKind): KeyDescription => ({
  ...scope,
  keyId: 'key-abcdefghijklmnopqrst',
  state,
  origin: kind === 'imported' ? 'EXTERNAL' : 'Aliyun_KMS',
  ...(kind === 'asymmetric' ? { asymmetricSpec: 'RSA_2048' as const } : {}),
  protectionLevel: 'SOFTWARE',
  isServiceKey: kind === 'service',
  description: '',
  primaryVersion: 1,
  createdAt: 0,
  deletionAt: state === 'PendingDeletion' ? 1 : null,
  hasMaterial: state !== 'PendingImport',
  materialExpiresAt: null,
  lastRotationAt: 0,
  rotationIntervalMs: null,
  isDeletionProtected: false,
  deletionProtectionDescription: '',
  tags: [],
});

const same = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport'];
const serving = [
  'Enabled',
  'Rejected.Disabled',
  'Rejected.PendingDeletion',
  'Rejected.PendingImport',
];
const living = ['Enabled', 'Disabled', 'Rejected.PendingDeletion', 'PendingImport'];
const noWay = 'Rejected.StateModifiedFailed';

/** The state matrix, row by row: Enabled, Disabled, PendingDeletion, PendingImport. */
const documented: Record<KeyOperation, string[]> = {
  use: serving,
  describe: same,
  rotate: serving,
  setRotationPolicy: serving,
  enable: ['Enabled', 'Enabled', noWay, noWay],
  disable: ['Disabled', 'Disabled', noWay, noWay],
  scheduleDeletion: [
    'PendingDeletion',
    'PendingDeletion',
    'Rejected.PendingDeletion',
    'PendingDeletion',
  ],
  cancelDeletion: [noWay, noWay, 'Enabled', noWay],
  setDeletionProtection: living,
  updateDescription: living,
  createAlias: living,
  updateAlias: living,
  deleteAlias: same,
  tag: living,
  untag: living,
  getImportParameters: living,
  importMaterial: ['Enabled', 'Disabled', 'Rejected.PendingDeletion', 'Enabled'],
  deleteMaterial: ['PendingImport', 'PendingImport', 'PendingDeletion', 'PendingImport'],
};

const refusedByKind = (kind: KeyKind, operation: KeyOperation): string | null => {
  const isImport = /import|Material/i.test(operation);
  const isRotation = operation === 'rotate' || operation === 'setRotationPolicy';
  const isRotationOrUse = isRotation || operation === 'use';
  if (kind === 'asymmetric' && isRotationOrUse) return 'UnsupportedOperation';
  if (operation === 'use' || operation === 'describe') return null;
  if (kind === 'service') return 'Rejected.UnsupportedOperation';
  if ((kind === 'own' || kind === 'asymmetric') && isImport) return 'Unsupported.Origin';
  return kind === 'imported' && isRotation ? 'UnsupportedOperation' : null;
};

const outcome = (operation: KeyOperation, described: KeyDescription): string => {
  try {
    return stateAfter(operation, described);
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('the rules of a master key', () => {
  test('have exactly one row for every operation and kind, and operation and state', () => {
    for (const operation of KEY_OPERATIONS) {
      for (const kind of kinds) expect(matchKindRules(kind, operation)).toHaveLength(1);
      for (const state of states) expect(matchStateRules(state, operation)).toHaveLength(1);
    }
    expect(Object.keys(documented).sort()).toEqual([...KEY_OPERATIONS].sort());
  });

  test('say of every kind, state and operation what the KMS documents', () => {
    for (const operation of KEY_OPERATIONS) {
      for (const kind of kinds) {
        const byKind = refusedByKind(kind, operation);
        const expected = byKind === null ? documented[operation] : states.map(() => byKind);
        const found = states.map((state) => outcome(operation, key(state, kind)));
        expect([operation, kind, ...found]).toEqual([operation, kind, ...expected]);
      }
    }
  });

  test('say why, and where that is written', () => {
    for (const row of [...KEY_KIND_RULES, ...KEY_STATE_RULES]) {
      expect(row.because).toMatch(/\w+ \w+/);
      expect(row.source).toMatch(/\w+ \w+/);
    }
    expect(() => stateAfter('use', key('Disabled', 'own'))).toThrow(
      'Rejected.Disabled: the state of key-abcdefghijklmnopqrst is Disabled',
    );
  });
});
