/**
 * What encryption costs, as data: which operations count as calls of the KMS API, what is billed
 * and what is free. One row for every operation and feature; what has no row is not counted.
 */

export interface BillingRule {
  /** An operation by its verb, or a feature in words. */
  readonly item: string;
  readonly kind: 'operation' | 'feature';
  /**
   * Whether it counts against the quota of KMS API calls of the region: once for every encrypted
   * disk or snapshot it is done to.
   */
  readonly isCounted: boolean;
  /** always; only if the key is the user's own; never. */
  readonly billed: 'user key' | 'never';
  readonly because: string;
  readonly source: string;
}

const MANAGEMENT = 'overview 2020, billing table: management operations on encrypted disks';
const NO_FEE = 'overview 2018: disk encryption incurs no additional fees';

function counted(item: string, because: string): BillingRule {
  return {
    item,
    kind: 'operation',
    isCounted: true,
    billed: 'user key',
    because,
    source: MANAGEMENT,
  };
}

function crypto(item: string, because: string): BillingRule {
  const source = 'KMS API 2016-01-20, billing by calls';
  return { item, kind: 'operation', isCounted: true, billed: 'user key', because, source };
}

function free(item: string, because: string, source: string): BillingRule {
  return { item, kind: 'feature', isCounted: false, billed: 'never', because, source };
}

export const BILLING_RULES: readonly BillingRule[] = [
  counted('CreateDisk', 'an encrypted disk is given a data key, which the master key wraps'),
  counted('CreateInstance', 'every encrypted disk of the instance is created'),
  counted('RunInstances', 'every encrypted disk of the instances is created'),
  counted('AttachDisk', 'the data key is unwrapped for the host of the instance'),
  counted('DetachDisk', 'the documents count it, though nothing is unwrapped'),
  counted('CreateSnapshot', 'the snapshot is to be readable under the disk\u2019s key'),
  counted('ResetDisk', 'the disk takes the content of a snapshot under its key'),
  counted('ReInitDisk', 'the disk goes back to what it was made with'),
  crypto('Encrypt', 'a call of the KMS API by the key\u2019s owner'),
  crypto('Decrypt', 'a call of the KMS API by the key\u2019s owner'),
  crypto('ReEncrypt', 'a call of the KMS API by the key\u2019s owner'),
  crypto('GenerateDataKey', 'a call of the KMS API by the key\u2019s owner'),
  crypto('GenerateDataKeyWithoutPlaintext', 'a call of the KMS API by the key\u2019s owner'),
  {
    item: 'a master key of the user, made or imported (BYOK), per day',
    kind: 'feature',
    isCounted: false,
    billed: 'user key',
    because: 'master keys a user creates in KMS are billed for as long as they exist',
    source: 'overview 2020, billing table: CMKs you create in KMS (BYOK included)',
  },
  free('encryption of system and data disks', 'encrypting costs nothing by itself', NO_FEE),
  free('the service key, alias acs/ecs', 'it takes no place in the key quota, no fee', NO_FEE),
  free(
    'reading and writing a disk, mounting, partitioning, formatting',
    'the data key is in the host\u2019s memory: no call of KMS is made',
    'overview 2018, note on read/write operations; overview 2020, billing table',
  ),
];

const COUNTED: ReadonlySet<string> = new Set(
  BILLING_RULES.filter((rule) => rule.kind === 'operation' && rule.isCounted).map(
    (rule) => rule.item,
  ),
);

/** Operations of the KMS API that use a key, by anyone who may. */
const KEY_CALLS: ReadonlySet<string> = new Set(
  BILLING_RULES.filter((rule) => rule.source.startsWith('KMS API')).map((rule) => rule.item),
);

export function isCounted(operation: string): boolean {
  return COUNTED.has(operation);
}

export function isKeyCall(operation: string): boolean {
  return KEY_CALLS.has(operation);
}
