/**
 * DATA: what may be done to a master key of which kind, in which state. Exactly one row of each
 * table for every kind, or state, and operation (tested over the whole product).
 *
 *        createKey, serviceKey                          createKey, Origin EXTERNAL
 *                 |                                               |
 *                 v          disable                              v
 *            +---------+ -------------> +----------+       +---------------+
 *            | Enabled |                | Disabled | ----> | PendingImport |
 *            +---------+ <------------- +----------+       +---------------+
 *             |  |   ^ ^     enable        |  deleteMaterial    |    |
 *             |  |   | |                   |  or expiry         |    |
 *             |  |   | +-------------------|--------------------+    |
 *             |  |   |       importMaterial|                         |
 *             |  |   | cancelDeletion      | scheduleDeletion        | scheduleDeletion
 *             |  |  +-----------------+    |                         |
 *             |  +> | PendingDeletion | <--+-------------------------+
 *             |     +-----------------+
 *             |           | from deletionAt on
 *             |           v
 *             |         gone
 *             +---------------------------------------> PendingImport: deleteMaterial or expiry
 *
 * Facts that hold in a state:
 * - Enabled: it encrypts and decrypts. It has material.
 * - Disabled, PendingDeletion, PendingImport: neither. Disks attached before keep their data key
 *   until detached.
 * - PendingDeletion, and in no other: deletionAt is set. From that time on the key does not exist,
 *   erased or not.
 * - PendingImport: an EXTERNAL key without material. Without material a key is never Enabled or
 *   Disabled: a deletion taken back leads there too.
 */
import { type ErrorCode, PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { KeyDescription, KeyState } from '../record/kms-key.ts';

/** Every operation on one key. */
export const KEY_OPERATIONS = [
  'use',
  'describe',
  'rotate',
  'setRotationPolicy',
  'enable',
  'disable',
  'scheduleDeletion',
  'cancelDeletion',
  'setDeletionProtection',
  'updateDescription',
  'createAlias',
  'updateAlias',
  'deleteAlias',
  'tag',
  'untag',
  'getImportParameters',
  'importMaterial',
  'deleteMaterial',
] as const;

export type KeyOperation = (typeof KEY_OPERATIONS)[number];

/**
 * service: made by the KMS for disks. own: its material is the KMS's. imported: its owner's.
 * asymmetric: of a pair, which nothing here uses.
 */
export type KeyKind = 'service' | 'own' | 'imported' | 'asymmetric';

interface Refusal {
  readonly refuse: ErrorCode;
}

export interface KeyKindRule {
  readonly kinds: readonly KeyKind[];
  readonly operations: readonly KeyOperation[];
  readonly outcome: 'allowed' | Refusal;
  readonly because: string;
  readonly source: string;
}

export interface KeyStateRule {
  readonly states: readonly KeyState[];
  readonly operations: readonly KeyOperation[];
  /** The state afterwards; 'same' leaves it. */
  readonly outcome: KeyState | 'same' | Refusal;
  readonly because: string;
  readonly source: string;
}

const IMPORT: readonly KeyOperation[] = ['getImportParameters', 'importMaterial', 'deleteMaterial'];
const ROTATION: readonly KeyOperation[] = ['rotate', 'setRotationPolicy'];
const CHANGES_OF_ANY_KEY: readonly KeyOperation[] = [
  'enable',
  'disable',
  'scheduleDeletion',
  'cancelDeletion',
  'setDeletionProtection',
  'updateDescription',
  'createAlias',
  'updateAlias',
  'deleteAlias',
  'tag',
  'untag',
];

const DISK_ENCRYPTION = 'ECS disk encryption (2020), service key';
const STATE_MATRIX = 'KMS developer guide, impacts of key states on API calls';
const ROTATION_GUIDE = 'KMS developer guide, key rotation';
const IMPORT_GUIDE = 'KMS developer guide, import key material';
const SAFE_READING = 'Not in the matrix: nothing about a key that is to go is changed';

export const KEY_KIND_RULES: readonly KeyKindRule[] = [
  {
    kinds: ['service', 'own', 'imported', 'asymmetric'],
    operations: ['describe'],
    outcome: 'allowed',
    because: 'every key can be looked at',
    source: STATE_MATRIX,
  },
  {
    kinds: ['service', 'own', 'imported'],
    operations: ['use'],
    outcome: 'allowed',
    because: 'every symmetric key serves',
    source: STATE_MATRIX,
  },
  {
    kinds: ['asymmetric'],
    operations: ['use', ...ROTATION],
    outcome: { refuse: 'UnsupportedOperation' },
    because: 'it is asymmetric: data keys are made and wrapped by symmetric keys',
    source: 'KMS API 2016-01-20, GenerateDataKey, KeyId; ECS CreateDisk, NotSymmetric',
  },
  {
    kinds: ['service'],
    operations: [...CHANGES_OF_ANY_KEY, ...ROTATION, ...IMPORT],
    outcome: { refuse: 'Rejected.UnsupportedOperation' },
    because: 'it is the service key of its region, which only serves',
    source: DISK_ENCRYPTION,
  },
  {
    kinds: ['own', 'imported', 'asymmetric'],
    operations: CHANGES_OF_ANY_KEY,
    outcome: 'allowed',
    because: 'a key is managed by its owner',
    source: STATE_MATRIX,
  },
  {
    kinds: ['own'],
    operations: ROTATION,
    outcome: 'allowed',
    because: 'the KMS makes the material of a new version',
    source: ROTATION_GUIDE,
  },
  {
    kinds: ['imported'],
    operations: ROTATION,
    outcome: { refuse: 'UnsupportedOperation' },
    because: 'its Origin is EXTERNAL, and imported material has one version',
    source: ROTATION_GUIDE,
  },
  {
    kinds: ['own', 'asymmetric'],
    operations: IMPORT,
    outcome: { refuse: 'Unsupported.Origin' },
    because: 'its Origin is Aliyun_KMS, and only a key with Origin EXTERNAL imports material',
    source: IMPORT_GUIDE,
  },
  {
    kinds: ['imported'],
    operations: IMPORT,
    outcome: 'allowed',
    because: 'its material is its owner’s to import and to delete',
    source: IMPORT_GUIDE,
  },
];

const ALL_STATES: readonly KeyState[] = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport'];
const LIVING_STATES: readonly KeyState[] = ['Enabled', 'Disabled', 'PendingImport'];

/** Rows of the operations that need an Enabled key. */
function needsEnabled(operations: readonly KeyOperation[], source: string): KeyStateRule[] {
  const because = 'only an Enabled key serves';
  return [
    { states: ['Enabled'], operations, outcome: 'same', because, source },
    {
      states: ['Disabled'],
      operations,
      outcome: { refuse: 'Rejected.Disabled' },
      because,
      source,
    },
    {
      states: ['PendingDeletion'],
      operations,
      outcome: { refuse: 'Rejected.PendingDeletion' },
      because,
      source,
    },
    {
      states: ['PendingImport'],
      operations,
      outcome: { refuse: 'Rejected.PendingImport' },
      because,
      source,
    },
  ];
}

/** Rows of the operations that leave any key's state alone, but not a key that is to go. */
function needsLiving(operations: readonly KeyOperation[], source: string): KeyStateRule[] {
  return [
    {
      states: LIVING_STATES,
      operations,
      outcome: 'same',
      because: 'the key stays as it is',
      source,
    },
    {
      states: ['PendingDeletion'],
      operations,
      outcome: { refuse: 'Rejected.PendingDeletion' },
      because: 'the key is to go',
      source,
    },
  ];
}

export const KEY_STATE_RULES: readonly KeyStateRule[] = [
  {
    states: ALL_STATES,
    operations: ['describe', 'deleteAlias'],
    outcome: 'same',
    because: 'a look, or a name less, needs nothing of the key',
    source: STATE_MATRIX,
  },
  ...needsEnabled(['use'], STATE_MATRIX),
  ...needsEnabled(ROTATION, ROTATION_GUIDE),
  {
    states: ['Enabled', 'Disabled'],
    operations: ['enable'],
    outcome: 'Enabled',
    because: 'a key with material can be enabled',
    source: STATE_MATRIX,
  },
  {
    states: ['Enabled', 'Disabled'],
    operations: ['disable'],
    outcome: 'Disabled',
    because: 'a key with material can be disabled',
    source: STATE_MATRIX,
  },
  {
    states: ['PendingDeletion', 'PendingImport'],
    operations: ['enable', 'disable'],
    outcome: { refuse: 'Rejected.StateModifiedFailed' },
    because: 'only between Enabled and Disabled is there a way by itself',
    source: STATE_MATRIX,
  },
  {
    states: LIVING_STATES,
    operations: ['scheduleDeletion'],
    outcome: 'PendingDeletion',
    because: 'a deletion always waits',
    source: STATE_MATRIX,
  },
  {
    states: ['PendingDeletion'],
    operations: ['scheduleDeletion'],
    outcome: { refuse: 'Rejected.PendingDeletion' },
    because: 'the deletion is already scheduled',
    source: STATE_MATRIX,
  },
  {
    states: ['PendingDeletion'],
    operations: ['cancelDeletion'],
    outcome: 'Enabled',
    because: 'a deletion taken back enables the key',
    source: STATE_MATRIX,
  },
  {
    states: LIVING_STATES,
    operations: ['cancelDeletion'],
    outcome: { refuse: 'Rejected.StateModifiedFailed' },
    because: 'no deletion is scheduled',
    source: STATE_MATRIX,
  },
  ...needsLiving(['createAlias', 'updateAlias', 'updateDescription'], STATE_MATRIX),
  ...needsLiving(['tag', 'untag', 'setDeletionProtection'], SAFE_READING),
  ...needsLiving(['getImportParameters'], IMPORT_GUIDE),
  {
    states: ['Enabled', 'PendingImport'],
    operations: ['importMaterial'],
    outcome: 'Enabled',
    because: 'a key with its material serves',
    source: STATE_MATRIX,
  },
  {
    states: ['Disabled'],
    operations: ['importMaterial'],
    outcome: 'same',
    because: 'it has the material already; who disabled it enables it',
    source: STATE_MATRIX,
  },
  {
    states: ['PendingDeletion'],
    operations: ['importMaterial'],
    outcome: { refuse: 'Rejected.PendingDeletion' },
    because: 'the key is to go',
    source: STATE_MATRIX,
  },
  {
    states: LIVING_STATES,
    operations: ['deleteMaterial'],
    outcome: 'PendingImport',
    because: 'a key without material waits for it',
    source: STATE_MATRIX,
  },
  {
    states: ['PendingDeletion'],
    operations: ['deleteMaterial'],
    outcome: 'same',
    because: 'the key is to go, with its material or without',
    source: STATE_MATRIX,
  },
];

/** Every row that matches: one, if the table is what it promises to be. */
export function matchKindRules(kind: KeyKind, operation: KeyOperation): readonly KeyKindRule[] {
  return KEY_KIND_RULES.filter(
    (row) => row.kinds.includes(kind) && row.operations.includes(operation),
  );
}

/** Every row that matches: one, if the table is what it promises to be. */
export function matchStateRules(state: KeyState, operation: KeyOperation): readonly KeyStateRule[] {
  return KEY_STATE_RULES.filter(
    (row) => row.states.includes(state) && row.operations.includes(operation),
  );
}

/**
 * @returns the state the key is in afterwards
 * @throws PlaneError what the row refuses with, and why; the kind of the key is asked first
 */
export function stateAfter(operation: KeyOperation, key: KeyDescription): KeyState {
  const [kindRule, ...otherKindRules] = matchKindRules(kindOf(key), operation);
  invariant(kindRule !== undefined && otherKindRules.length === 0, 'one row for every kind');
  if (kindRule.outcome !== 'allowed') {
    throw new PlaneError(kindRule.outcome.refuse, `${key.keyId}: ${kindRule.because}`);
  }
  const [rule, ...otherRules] = matchStateRules(key.state, operation);
  invariant(rule !== undefined && otherRules.length === 0, 'one row for every state');
  const { outcome, because } = rule;
  if (typeof outcome === 'string') return outcome === 'same' ? key.state : outcome;
  throw new PlaneError(outcome.refuse, `the state of ${key.keyId} is ${key.state}: ${because}`);
}

function kindOf(key: KeyDescription): KeyKind {
  if (key.isServiceKey) return 'service';
  if (key.asymmetricSpec !== undefined) return 'asymmetric';
  return key.origin === 'EXTERNAL' ? 'imported' : 'own';
}
