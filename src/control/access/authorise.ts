/**
 * May this caller do this? Asked once for every call, before anything is looked up.
 *
 * **Thread:** main.
 */
import type { ErrorCode } from '../../base/errors.ts';
import { PlaneError } from '../../base/errors.ts';
import type { Metadata } from '../../meta/metadata.ts';
import type { Principal } from '../context.ts';
import type { Api } from '../verb-row.ts';
import { findCaller } from './accounts.ts';
import { isAllowed, type VerbFacts } from './policies.ts';

/** How each API says no. Source: ECS "Response results", KMS "Error codes". */
const REFUSALS: Readonly<Record<Api, ErrorCode>> = {
  ecs: 'Forbidden.RAM',
  kms: 'Forbidden.NoPermission',
  plane: 'Forbidden.RAM',
};

/** @throws PlaneError InvalidAccessKeyId.NotFound, Forbidden.RAM, Forbidden.NoPermission */
export function authorise(
  metadata: Pick<Metadata, 'getDocument'>,
  principal: Principal,
  verb: VerbFacts,
): void {
  const { account, user } = findCaller(metadata, principal);
  if (user === null || isAllowed(user.policies, verb)) return;
  const has = user.policies.length === 0 ? 'no policy' : user.policies.join(', ');
  throw new PlaneError(
    REFUSALS[verb.service],
    `${verb.name} needs a policy that allows it; ${user.name} of ${account.accountId} has ${has}`,
  );
}
