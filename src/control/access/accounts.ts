/**
 * Accounts and their RAM users: who there is, and who a call is made by.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import type { Metadata } from '../../meta/metadata.ts';
import type { AccountRecord, UserRecord } from '../../record/document.ts';
import { SERVICE_ROLES } from './roles.ts';

/** An account with nothing held back: every role, default encryption granted, no RAM user. */
export function fullAccount(accountId: string, createdAt: number): AccountRecord {
  return {
    accountId,
    name: accountId,
    users: [],
    roles: Object.keys(SERVICE_ROLES),
    isDefaultEncryptionGranted: true,
    createdAt,
  };
}

/** Makes the account a plane opens with, unless the data directory has it. */
export async function ensureAccount(
  metadata: Metadata,
  accountId: string,
  createdAt: number,
): Promise<void> {
  if (metadata.getDocument('account', accountId) !== undefined) return;
  const record = fullAccount(accountId, createdAt);
  await metadata.commit({ putDocuments: [{ kind: 'account', record }] });
}

/** Who may make calls: an account itself, or one of its RAM users. */
export interface Caller {
  readonly account: AccountRecord;
  /** null: the account itself. */
  readonly user: UserRecord | null;
}

/** @throws PlaneError InvalidAccessKeyId.NotFound: no such account, or no such user of it */
export function findCaller(
  metadata: Pick<Metadata, 'getDocument'>,
  principal: { readonly accountId: string; readonly userName: string | null },
): Caller {
  const { accountId, userName } = principal;
  const account = metadata.getDocument('account', accountId);
  if (account === undefined) {
    throw new PlaneError(
      'InvalidAccessKeyId.NotFound',
      `there is no account ${JSON.stringify(accountId.slice(0, 64))}`,
    );
  }
  if (userName === null) return { account, user: null };
  const user = account.users.find(({ name }) => name === userName);
  if (user !== undefined) return { account, user };
  throw new PlaneError(
    'InvalidAccessKeyId.NotFound',
    `account ${accountId} has no RAM user ${JSON.stringify(userName.slice(0, 64))}`,
  );
}
