/**
 * STS, as far as tools ask it who they are: GetCallerIdentity. Answered from the credentials alone.
 *
 * **Source:** STS API 2015-04-01, GetCallerIdentity.
 */
import { PlaneError } from '../../base/errors.ts';
import type { PlanePrincipal } from '../../types.ts';
import { shown } from './request-pairs.ts';

/** @throws PlaneError InvalidAction.NotFound */
export function callSts(action: string, { accountId, userName }: PlanePrincipal): object {
  if (action !== 'GetCallerIdentity') {
    throw new PlaneError('InvalidAction.NotFound', `STS has no operation ${shown(action)} here`);
  }
  const isUser = userName !== undefined;
  const UserId = isUser ? `2${accountId.slice(1)}` : accountId;
  return {
    AccountId: accountId,
    UserId,
    PrincipalId: UserId,
    IdentityType: isUser ? 'RAMUser' : 'Account',
    Arn: `acs:ram::${accountId}:${isUser ? `user/${userName}` : 'root'}`,
  };
}
