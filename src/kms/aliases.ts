/**
 * Aliases: names for keys, unique in an account and region, that can be moved to another key.
 *
 * alias/acs/... is not the users'. alias/acs/ecs is the service key, once there is one; it has no
 * record of its own and is outside the quota. An alias goes with its key.
 *
 * **Thread:** KMS. **Source:** KMS CreateAlias, UpdateAlias, DeleteAlias, ListAliases.
 */
import { PlaneError } from '../base/errors.ts';
import { ALIASES_MAX } from '../limits.ts';
import type { AliasDescription } from '../record/kms-key.ts';
import type { KmsRequestOf } from '../record/kms-message.ts';
import { isAliasName, RESERVED_ALIAS_PREFIX, SERVICE_KEY_ALIAS, shown } from './key-reference.ts';
import { stateAfter } from './key-states.ts';
import { aliasNotFound, type Vault } from './vault.ts';

/**
 * @throws PlaneError InvalidParameter: not a name a user may give; AliasAlreadyExists,
 *   Rejected.LimitExceeded: ALIASES_MAX in the region; Rejected.*, Forbidden.KeyNotFound
 */
export async function createAlias(
  vault: Vault,
  request: KmsRequestOf<'createAlias'>,
): Promise<AliasDescription> {
  const { aliasName } = request;
  checkAliasName(aliasName);
  return vault.transact((transaction) => {
    const key = vault.requireKey(transaction, request);
    stateAfter('createAlias', key);
    const aliases = vault.tables.aliasesIn(transaction, request);
    const taken = aliases.find((alias) => alias.aliasName === aliasName);
    if (taken !== undefined) {
      throw new PlaneError('AliasAlreadyExists', `${shown(aliasName)} names ${taken.keyId}`);
    }
    if (aliases.length >= ALIASES_MAX) {
      const detail = `${request.regionId} has ${aliases.length} aliases, the most there may be`;
      throw new PlaneError('Rejected.LimitExceeded', detail);
    }
    const { accountId, regionId, keyId } = key;
    const alias = { accountId, regionId, aliasName, keyId };
    vault.tables.putAlias(transaction, alias);
    return alias;
  });
}

/** Moves an alias to another key. @throws PlaneError Forbidden.AliasNotFound, Rejected.* */
export async function updateAlias(
  vault: Vault,
  request: KmsRequestOf<'updateAlias'>,
): Promise<AliasDescription> {
  const { aliasName } = request;
  checkAliasName(aliasName);
  return vault.transact((transaction) => {
    const key = vault.requireKey(transaction, request);
    stateAfter('updateAlias', key);
    const alias = vault.tables.readAlias(transaction, request, aliasName);
    if (alias === null) throw aliasNotFound(aliasName);
    const moved = { ...alias, keyId: key.keyId };
    vault.tables.putAlias(transaction, moved);
    return moved;
  });
}

/** @throws PlaneError Forbidden.AliasNotFound */
export async function deleteAlias(
  vault: Vault,
  request: KmsRequestOf<'deleteAlias'>,
): Promise<null> {
  const { aliasName } = request;
  checkAliasName(aliasName);
  return vault.transact((transaction) => {
    const alias = vault.tables.readAlias(transaction, request, aliasName);
    const key = alias === null ? null : vault.findKey(transaction, alias.keyId);
    if (alias === null || key === null) throw aliasNotFound(aliasName);
    stateAfter('deleteAlias', key);
    vault.tables.removeAlias(transaction, alias);
    return null;
  });
}

/** By name, the service key's among them. @throws PlaneError Forbidden.KeyNotFound */
export function listAliases(
  vault: Vault,
  request: KmsRequestOf<'listAliases'>,
): AliasDescription[] {
  const { accountId, regionId, keyId } = request;
  const { reader, tables } = vault;
  const named = keyId === null ? null : vault.requireKey(reader, { accountId, regionId, keyId });
  if (named !== null) stateAfter('describe', named);
  const service = tables.serviceKey(reader, request);
  const aliases = [...tables.aliasesIn(reader, request)];
  if (service !== null) {
    aliases.push({ accountId, regionId, aliasName: SERVICE_KEY_ALIAS, keyId: service.keyId });
  }
  return aliases
    .filter((alias) => named === null || alias.keyId === named.keyId)
    .filter((alias) => vault.findKey(reader, alias.keyId) !== null)
    .sort((a, b) => (a.aliasName < b.aliasName ? -1 : 1));
}

function checkAliasName(aliasName: string): void {
  if (!isAliasName(aliasName)) {
    const expected = 'alias/ and up to 249 letters, digits, _, / and -';
    throw new PlaneError(
      'InvalidParameter',
      `AliasName: expected ${expected}: ${shown(aliasName)}`,
    );
  }
  if (aliasName.startsWith(RESERVED_ALIAS_PREFIX)) {
    const detail = `AliasName: ${RESERVED_ALIAS_PREFIX} is reserved for the cloud`;
    throw new PlaneError('InvalidParameter', detail);
  }
}
