import { describe, expect, test } from 'vitest';
import { KEY_STATE_RULES, type KeyOperation, stateAfter } from '../../../src/kms/key-states.ts';
import type { KeyDescription, KeyState } from '../../../src/record/kms-message.ts';
import { scope } from './support.ts';

const key = (state: KeyState, isServiceKey = false): KeyDescription => ({
  ...scope,
  keyId: 'key-abcdefghijklmnopqrst',
  state,
  isServiceKey,
  description: '',
  primaryVersion: 1,
  createdAt: 0,
  deletionAt: state === 'PendingDeletion' ? 1 : null,
});

/** The state matrix of the KMS documentation, row by row: Enabled, Disabled, PendingDeletion. */
const documented: Record<KeyOperation, [string, string, string]> = {
  use: ['Enabled', 'Rejected.Disabled', 'Rejected.PendingDeletion'],
  rotate: ['Enabled', 'Rejected.Disabled', 'Rejected.PendingDeletion'],
  enable: ['Enabled', 'Enabled', 'Rejected.StateModifiedFailed'],
  disable: ['Disabled', 'Disabled', 'Rejected.StateModifiedFailed'],
  scheduleDeletion: ['PendingDeletion', 'PendingDeletion', 'Rejected.PendingDeletion'],
  cancelDeletion: ['Rejected.StateModifiedFailed', 'Rejected.StateModifiedFailed', 'Enabled'],
};
const states: KeyState[] = ['Enabled', 'Disabled', 'PendingDeletion'];

const outcome = (operation: KeyOperation, described: KeyDescription): string => {
  try {
    return stateAfter(operation, described);
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('the state rules of a master key', () => {
  test('have a cell for every operation and state, and each says what KMS documents', () => {
    for (const operation of Object.keys(documented) as KeyOperation[]) {
      const found = states.map((state) => outcome(operation, key(state)));
      expect([operation, ...found]).toEqual([operation, ...documented[operation]]);
    }
    expect(Object.keys(KEY_STATE_RULES).sort()).toEqual(Object.keys(documented).sort());
  });

  test('leave a service key to nothing but use', () => {
    for (const operation of Object.keys(documented) as KeyOperation[]) {
      expect(outcome(operation, key('Enabled', true))).toBe(
        operation === 'use' ? 'Enabled' : 'Rejected.UnsupportedOperation',
      );
    }
  });
});
