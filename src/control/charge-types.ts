/**
 * DATA: how instances and disks are billed, by subscription (PrePaid) or as they are used
 * (PostPaid), and what that forbids. Hit policy unique: exactly one row for every combination
 * (tested over the product). No period ends here and nothing is paid for.
 *
 * **Source:** ECS ModifyDiskChargeType, DeleteDisk, DeleteInstance; ChargeTypeViolation.
 */
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { ChargeType } from '../record/resource.ts';

export const CHARGE_TYPES = ['PrePaid', 'PostPaid'] as const satisfies readonly ChargeType[];
export const chargeTypeSchema = v.picklist(CHARGE_TYPES);

export const CHARGED_VERBS = [
  'ModifyDiskChargeType',
  'AttachDisk',
  'DeleteDisk',
  'DeleteInstance',
  'DeleteInstance with TerminateSubscription',
] as const;
export const CHARGED_TYPES = ['system', 'data', 'none'] as const;

/** What is asked. Of AttachDisk and ModifyDiskChargeType: the instance's, and the disk's. */
export interface ChargeQuestion {
  readonly verb: (typeof CHARGED_VERBS)[number];
  readonly instance: ChargeType | 'none';
  readonly disk: ChargeType | 'none';
  /** What the disk is used as; none: no disk is asked about. */
  readonly use: (typeof CHARGED_TYPES)[number];
}

export interface ChargeRule {
  readonly where: { readonly [K in keyof ChargeQuestion]: readonly ChargeQuestion[K][] };
  readonly allowed: boolean;
  readonly because: string;
  readonly source: string;
}

const ANY = CHARGE_TYPES;
const NONE = ['none'] as const;
const ANY_USE = ['system', 'data'] as const;

export const CHARGE_RULES: readonly ChargeRule[] = [
  {
    where: { verb: ['ModifyDiskChargeType'], instance: ['PrePaid'], disk: ANY, use: ['data'] },
    allowed: true,
    because: 'data disks of a subscription instance are billed in either way',
    source: 'ECS ModifyDiskChargeType',
  },
  {
    where: { verb: ['ModifyDiskChargeType'], instance: ['PrePaid'], disk: ANY, use: ['system'] },
    allowed: false,
    because: 'a system disk is billed as its instance is',
    source: 'ECS ModifyDiskChargeType, data disks',
  },
  {
    where: { verb: ['ModifyDiskChargeType'], instance: ['PostPaid'], disk: ANY, use: ANY_USE },
    allowed: false,
    because: 'disks of a pay-as-you-go instance are pay-as-you-go, and stay so',
    source: 'ECS ModifyDiskChargeType, usage notes',
  },
  {
    where: { verb: ['AttachDisk'], instance: ['PrePaid'], disk: ANY, use: ANY_USE },
    allowed: true,
    because: 'a subscription instance takes disks that are billed in either way',
    source: 'ECS ModifyDiskChargeType, usage notes',
  },
  {
    where: { verb: ['AttachDisk'], instance: ['PostPaid'], disk: ['PostPaid'], use: ANY_USE },
    allowed: true,
    because: 'a pay-as-you-go instance takes pay-as-you-go disks',
    source: 'ECS ModifyDiskChargeType, usage notes',
  },
  {
    where: { verb: ['AttachDisk'], instance: ['PostPaid'], disk: ['PrePaid'], use: ANY_USE },
    allowed: false,
    because: 'only pay-as-you-go disks are attached to a pay-as-you-go instance',
    source: 'ECS ModifyDiskChargeType, usage notes',
  },
  {
    where: { verb: ['DeleteDisk'], instance: NONE, disk: ['PostPaid'], use: ANY_USE },
    allowed: true,
    because: 'a pay-as-you-go disk is deleted at any time',
    source: 'ECS DeleteDisk',
  },
  {
    where: { verb: ['DeleteDisk'], instance: NONE, disk: ['PrePaid'], use: ANY_USE },
    allowed: false,
    because: 'a subscription disk is deleted with its instance, or once it is pay-as-you-go',
    source: 'ECS DeleteDisk',
  },
  {
    where: { verb: ['DeleteInstance'], instance: ['PostPaid'], disk: NONE, use: NONE },
    allowed: true,
    because: 'a pay-as-you-go instance is deleted at any time',
    source: 'ECS DeleteInstance',
  },
  {
    where: { verb: ['DeleteInstance'], instance: ['PrePaid'], disk: NONE, use: NONE },
    allowed: false,
    because: 'a subscription instance is deleted with TerminateSubscription, or as pay-as-you-go',
    source: 'ECS DeleteInstance, ChargeTypeViolation',
  },
  {
    where: {
      verb: ['DeleteInstance with TerminateSubscription'],
      instance: ANY,
      disk: NONE,
      use: NONE,
    },
    allowed: true,
    because: 'no period ends here, so that every subscription can be ended at any time',
    source: 'ECS DeleteInstance, TerminateSubscription',
  },
];

/** Every row that matches: one, if the table is what it promises to be. */
export function matchChargeRules(question: ChargeQuestion): readonly ChargeRule[] {
  const names = Object.keys(question) as (keyof ChargeQuestion)[];
  return CHARGE_RULES.filter(({ where }) =>
    names.every((name) => (where[name] as readonly string[]).includes(question[name])),
  );
}

/**
 * @param id what the message names
 * @throws PlaneError ChargeTypeViolation
 */
export function checkCharge(question: ChargeQuestion, id: string): void {
  const [row, ...others] = matchChargeRules(question);
  invariant(row !== undefined && others.length === 0, 'one row for each question of billing');
  if (!row.allowed) throw new PlaneError('ChargeTypeViolation', `${id}: ${row.because}`);
}

/** Of a record: absent is PostPaid. */
export function chargeTypeOf({ chargeType }: { readonly chargeType?: ChargeType }): ChargeType {
  return chargeType ?? 'PostPaid';
}

/** The field of a record that says how it is billed. */
export function charged(type: ChargeType | undefined): { readonly chargeType?: ChargeType } {
  return type === 'PrePaid' ? { chargeType: type } : {};
}

/** A record billed so. */
export function chargedAs<R extends { readonly chargeType?: ChargeType }>(
  record: R,
  type: ChargeType,
): R {
  const { chargeType: _, ...kept } = record;
  return { ...kept, ...charged(type) } as R;
}
