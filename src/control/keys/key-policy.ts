/**
 * GetKeyPolicy, SetKeyPolicy, and the Policy of CreateKey: who may do what with a key, as its owner
 * says. It is kept and shown; what a caller may do is what the policies attached to it allow
 * (access/policies.ts).
 *
 * **Source:** KMS API 2016-01-20, CreateKey, GetKeyPolicy, SetKeyPolicy.
 */
import * as v from 'valibot';
import { KEY_POLICY_BYTES_MAX } from '../../limits.ts';
import type { KeyDescription } from '../../record/kms-key.ts';
import type { ControlContext } from '../context.ts';
import { callKms } from './call-kms.ts';
import { done } from './done.ts';
import { keyReferenceSchema } from './key-schemas.ts';
import type { KeyVerbs } from './types.ts';

const named = {
  KeyId: keyReferenceSchema,
  PolicyName: v.optional(v.literal('default')),
};
export const policySchema = v.pipe(
  v.string(),
  v.maxBytes(KEY_POLICY_BYTES_MAX),
  v.check(isPolicy, 'a JSON object with Version and a list Statement'),
);
export const getKeyPolicySchema = v.strictObject(named);
export const setKeyPolicySchema = v.strictObject({
  ...named,
  Policy: policySchema,
});

export async function getKeyPolicy(
  context: ControlContext,
  { KeyId }: KeyVerbs['GetKeyPolicy']['parameters'],
): Promise<KeyVerbs['GetKeyPolicy']['result']> {
  const key = await callKms(context, 'describeKey', { keyId: KeyId });
  return { Policy: key.policy ?? firstPolicy(key) };
}

export function setKeyPolicy(
  context: ControlContext,
  { KeyId, Policy }: KeyVerbs['SetKeyPolicy']['parameters'],
): Promise<KeyVerbs['SetKeyPolicy']['result']> {
  return done(callKms(context, 'setKeyPolicy', { keyId: KeyId, policy: Policy }));
}

/** What a key begins with: its account may do everything. */
function firstPolicy({ accountId }: KeyDescription): string {
  const statement = {
    Action: ['kms:*'],
    Effect: 'Allow',
    Principal: { RAM: [`acs:ram::${accountId}:*`] },
    Resource: ['*'],
    Sid: 'kms default key policy',
  };
  return JSON.stringify({ Statement: [statement], Version: '1' });
}

function isPolicy(text: string): boolean {
  try {
    const read = JSON.parse(text) as { readonly Version?: unknown; readonly Statement?: unknown };
    return typeof read.Version === 'string' && Array.isArray(read.Statement);
  } catch {
    return false;
  }
}
