/** Whether KMS is activated for the account in the region. Source: KMS API. */
import * as v from 'valibot';
import type { ControlContext } from '../context.ts';
import { callKms } from './call-kms.ts';
import type { KeyVerbs } from './types.ts';

export const nothingSchema = v.strictObject({});

/** @throws PlaneError Forbidden.Opened */
export async function openKms(
  context: ControlContext,
): Promise<KeyVerbs['OpenKmsService']['result']> {
  await callKms(context, 'openKms', {});
  return {};
}

export async function describeAccountKmsStatus(
  context: ControlContext,
): Promise<KeyVerbs['DescribeAccountKmsStatus']['result']> {
  return { AccountStatus: await callKms(context, 'describeAccountStatus', {}) };
}
