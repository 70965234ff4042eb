/**
 * DATA: what the policies attached to a RAM user let it do. Hit policy unique: exactly one row for
 * each policy and verb (tested over the whole product).
 *
 * A policy here is a name: what the cloud's own policies of these names allow, in classes of verbs.
 * The account itself may do everything. A user may do what one of its policies allows.
 */
import { invariant } from '../../base/invariant.ts';
import type { Api } from '../verb-row.ts';

/** crypto: verbs that use a master key on what the caller gives, whether they change it or not. */
export type VerbClass = 'read' | 'write' | 'crypto';

/** KMS verbs of the class crypto. */
const CRYPTO_VERBS: readonly string[] = [
  'Encrypt',
  'Decrypt',
  'ReEncrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
];

/** What the policies look at of a verb. */
export interface VerbFacts {
  readonly name: string;
  readonly access: 'read' | 'write';
  readonly service: Api;
}

export const POLICY_NAMES = [
  'AdministratorAccess',
  'ReadOnlyAccess',
  'AliyunECSFullAccess',
  'AliyunECSReadOnlyAccess',
  'AliyunKMSFullAccess',
  'AliyunKMSReadOnlyAccess',
  'AliyunKMSCryptoUserAccess',
] as const;

export type PolicyName = (typeof POLICY_NAMES)[number];

export interface PolicyRule {
  readonly policies: readonly PolicyName[];
  readonly services: readonly Api[];
  readonly classes: readonly VerbClass[];
  readonly allowed: boolean;
  readonly because: string;
  readonly source: string;
}

const EVERY_API = ['ecs', 'kms', 'plane'] as const;
/** What the library adds to the cloud's verbs is about disks, and goes with them. */
const ECS = ['ecs', 'plane'] as const;
const EVERY_CLASS = ['read', 'write', 'crypto'] as const;
const SYSTEM_POLICIES = 'RAM, system policies';

export const POLICY_RULES: readonly PolicyRule[] = [
  {
    policies: ['AdministratorAccess'],
    services: EVERY_API,
    classes: EVERY_CLASS,
    allowed: true,
    because: 'an administrator may do what the account may do',
    source: SYSTEM_POLICIES,
  },
  {
    policies: ['ReadOnlyAccess'],
    services: EVERY_API,
    classes: ['read'],
    allowed: true,
    because: 'everything may be looked at',
    source: SYSTEM_POLICIES,
  },
  {
    policies: ['ReadOnlyAccess'],
    services: EVERY_API,
    classes: ['write', 'crypto'],
    allowed: false,
    because: 'nothing may be changed, and no key used',
    source: SYSTEM_POLICIES,
  },
  {
    policies: ['AliyunECSFullAccess'],
    services: ECS,
    classes: EVERY_CLASS,
    allowed: true,
    because: 'ECS may be managed, default encryption too',
    source: 'Account-level EBS Default Encryption (2025), Limits',
  },
  {
    policies: ['AliyunECSReadOnlyAccess'],
    services: ECS,
    classes: ['read'],
    allowed: true,
    because: 'ECS may be looked at',
    source: SYSTEM_POLICIES,
  },
  {
    policies: ['AliyunECSReadOnlyAccess'],
    services: ECS,
    classes: ['write', 'crypto'],
    allowed: false,
    because: 'ECS may only be looked at',
    source: SYSTEM_POLICIES,
  },
  {
    policies: ['AliyunECSFullAccess', 'AliyunECSReadOnlyAccess'],
    services: ['kms'],
    classes: EVERY_CLASS,
    allowed: false,
    because: 'the policy is about ECS, not about KMS',
    source: SYSTEM_POLICIES,
  },
  {
    policies: ['AliyunKMSFullAccess'],
    services: ['kms'],
    classes: EVERY_CLASS,
    allowed: true,
    because: 'KMS may be managed, and keys used',
    source: SYSTEM_POLICIES,
  },
  {
    policies: ['AliyunKMSReadOnlyAccess'],
    services: ['kms'],
    classes: ['read'],
    allowed: true,
    because: 'keys may be looked at',
    source: SYSTEM_POLICIES,
  },
  {
    policies: ['AliyunKMSReadOnlyAccess'],
    services: ['kms'],
    classes: ['write', 'crypto'],
    allowed: false,
    because: 'keys may only be looked at',
    source: SYSTEM_POLICIES,
  },
  {
    policies: ['AliyunKMSCryptoUserAccess'],
    services: ['kms'],
    classes: ['read', 'crypto'],
    allowed: true,
    because: 'keys may be found and used',
    source: SYSTEM_POLICIES,
  },
  {
    policies: ['AliyunKMSCryptoUserAccess'],
    services: ['kms'],
    classes: ['write'],
    allowed: false,
    because: 'who uses keys does not manage them',
    source: SYSTEM_POLICIES,
  },
  {
    policies: ['AliyunKMSFullAccess', 'AliyunKMSReadOnlyAccess', 'AliyunKMSCryptoUserAccess'],
    services: ECS,
    classes: EVERY_CLASS,
    allowed: false,
    because: 'the policy is about KMS, not about ECS',
    source: SYSTEM_POLICIES,
  },
];

function classOf({ name, access }: VerbFacts): VerbClass {
  return CRYPTO_VERBS.includes(name) ? 'crypto' : access;
}

/** Every row that matches: one, if the table is what it promises to be. */
export function matchPolicyRules(policy: PolicyName, verb: VerbFacts): readonly PolicyRule[] {
  const verbClass = classOf(verb);
  return POLICY_RULES.filter(
    (row) =>
      row.policies.includes(policy) &&
      row.services.includes(verb.service) &&
      row.classes.includes(verbClass),
  );
}

export function isPolicyName(name: string): name is PolicyName {
  return POLICY_NAMES.includes(name as PolicyName);
}

/** Whether one of the policies allows the verb. A name that is no policy allows nothing. */
export function isAllowed(policies: readonly string[], verb: VerbFacts): boolean {
  return policies.filter(isPolicyName).some((policy) => {
    const [row, ...others] = matchPolicyRules(policy, verb);
    invariant(row !== undefined && others.length === 0, 'one row for each policy and verb');
    return row.allowed;
  });
}
