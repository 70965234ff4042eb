/**
 * What may be done to a master key in which state, as DATA. One cell per operation and state.
 *
 *     createKey, serviceKey
 *              |
 *              v          disableKey
 *         +---------+ ------------------> +----------+
 *         | Enabled |                     | Disabled |
 *         +---------+ <------------------ +----------+
 *            |    ^       enableKey            |
 *            |    |                            |
 *            |    | cancelKeyDeletion          | scheduleKeyDeletion
 *            |    |                            |
 *            |   +-----------------+ <---------+
 *            +-> | PendingDeletion |
 *                +-----------------+
 *   scheduleKeyDeletion   |
 *                         | eraseExpired, from deletionAt on
 *                         v
 *                       gone
 *
 * Facts that hold in a state:
 * - Enabled: data keys may be made under it and unwrapped with it.
 * - Disabled, PendingDeletion: neither. Disks attached before keep their data key until detached.
 * - PendingDeletion, and in no other: deletionAt is set. From that time on the key does not exist,
 *   erased or not.
 *
 * **Source:** KMS developer guide, "Key states" (state matrix); CancelKeyDeletion leads to Enabled.
 */
import { type ErrorCode, PlaneError } from '../base/errors.ts';
import type { KeyDescription, KeyState } from '../record/kms-message.ts';

export type KeyOperation =
  | 'use'
  | 'rotate'
  | 'enable'
  | 'disable'
  | 'scheduleDeletion'
  | 'cancelDeletion';

/** The state afterwards, or the code it is refused with. */
export type KeyStateRule = { readonly next: KeyState } | { readonly refuse: ErrorCode };

const next = (state: KeyState): KeyStateRule => ({ next: state });
const refuse = (code: ErrorCode): KeyStateRule => ({ refuse: code });

export const KEY_STATE_RULES: {
  readonly [O in KeyOperation]: { readonly [S in KeyState]: KeyStateRule };
} = {
  use: {
    Enabled: next('Enabled'),
    Disabled: refuse('Rejected.Disabled'),
    PendingDeletion: refuse('Rejected.PendingDeletion'),
  },
  rotate: {
    Enabled: next('Enabled'),
    Disabled: refuse('Rejected.Disabled'),
    PendingDeletion: refuse('Rejected.PendingDeletion'),
  },
  enable: {
    Enabled: next('Enabled'),
    Disabled: next('Enabled'),
    PendingDeletion: refuse('Rejected.StateModifiedFailed'),
  },
  disable: {
    Enabled: next('Disabled'),
    Disabled: next('Disabled'),
    PendingDeletion: refuse('Rejected.StateModifiedFailed'),
  },
  scheduleDeletion: {
    Enabled: next('PendingDeletion'),
    Disabled: next('PendingDeletion'),
    PendingDeletion: refuse('Rejected.PendingDeletion'),
  },
  cancelDeletion: {
    Enabled: refuse('Rejected.StateModifiedFailed'),
    Disabled: refuse('Rejected.StateModifiedFailed'),
    PendingDeletion: next('Enabled'),
  },
};

/**
 * @returns the state the key is in afterwards
 * @throws PlaneError what the table says; Rejected.UnsupportedOperation: the service key, which
 *   only serves (ECS disk encryption: "the service key cannot be deleted or disabled")
 */
export function stateAfter(operation: KeyOperation, key: KeyDescription): KeyState {
  if (key.isServiceKey && operation !== 'use') {
    const detail = `${key.keyId} is the service key: it cannot be changed`;
    throw new PlaneError('Rejected.UnsupportedOperation', detail);
  }
  const rule = KEY_STATE_RULES[operation][key.state];
  if ('next' in rule) return rule.next;
  throw new PlaneError(rule.refuse, `the state of ${key.keyId} is ${key.state}`);
}
