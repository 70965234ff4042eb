/**
 * Whether KMS is activated, per account and region. It is, unless something else was said.
 *
 * **Thread:** KMS. **Source:** KMS OpenKmsService, DescribeAccountKmsStatus.
 */
import { PlaneError } from '../base/errors.ts';
import type { KeyScope, KmsAccountStatus } from '../record/kms-key.ts';
import type { KmsRequestOf } from '../record/kms-message.ts';
import type { Vault } from './vault.ts';

/** @throws PlaneError Forbidden.KmsServiceNotEnabled */
export function requireActivated(vault: Vault, scope: KeyScope): void {
  const status = vault.tables.accountStatus(vault.reader, scope);
  if (status === 'Enabled') return;
  const detail = `the KMS status of ${scope.accountId} in ${scope.regionId} is ${status}`;
  throw new PlaneError('Forbidden.KmsServiceNotEnabled', detail);
}

export function describeAccountStatus(
  vault: Vault,
  scope: KmsRequestOf<'describeAccountStatus'>,
): KmsAccountStatus {
  return vault.tables.accountStatus(vault.reader, scope);
}

/** @throws PlaneError Forbidden.Opened: it is activated, be it overdue or suspended */
export function openKms(vault: Vault, scope: KmsRequestOf<'openKms'>): Promise<KmsAccountStatus> {
  return vault.transact((transaction) => {
    const status = vault.tables.accountStatus(transaction, scope);
    if (status !== 'NotEnabled') {
      const detail = `KMS is activated for ${scope.accountId} in ${scope.regionId}: ${status}`;
      throw new PlaneError('Forbidden.Opened', detail);
    }
    vault.tables.putAccountStatus(transaction, scope, 'Enabled');
    return 'Enabled';
  });
}

export function setAccountStatus(
  vault: Vault,
  request: KmsRequestOf<'setAccountStatus'>,
): Promise<KmsAccountStatus> {
  return vault.transact((transaction) => {
    vault.tables.putAccountStatus(transaction, request, request.status);
    return request.status;
  });
}
