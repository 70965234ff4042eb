/**
 * How callers name a key: its id, its ARN, an alias, the ARN of an alias.
 *
 *   key-<20>                             alias/<name>
 *   acs:kms:<region>:<account>:key/<id>  acs:kms:<region>:<account>:alias/<name>
 *
 * **Source:** KMS DescribeKey, parameter KeyId; CreateAlias, parameter AliasName.
 */
import type { KeyScope } from '../record/kms-key.ts';

/** Aliases that are not the users' to make: alias/acs/ecs is the service key. */
export const RESERVED_ALIAS_PREFIX = 'alias/acs/';
export const SERVICE_KEY_ALIAS = 'alias/acs/ecs';

export interface KeyReference {
  readonly kind: 'key' | 'alias';
  /** An id not yet recognised as one, or the name of an alias with its prefix. */
  readonly name: string;
  /** The scope an ARN names; null if only the name was given. */
  readonly scope: KeyScope | null;
}

const ARN = /^acs:kms:([a-z0-9-]{1,32}):([a-z0-9-]{1,32}):((?:key|alias)\/.+)$/s;
/** 255 characters with the prefix. */
const ALIAS_NAME = /^alias\/[A-Za-z0-9_/-]{1,249}$/;

export function parseKeyReference(text: string): KeyReference {
  const [, regionId, accountId, resource] = ARN.exec(text) ?? [];
  if (regionId === undefined || accountId === undefined || resource === undefined) {
    return { kind: kindOf(text), name: text, scope: null };
  }
  const kind = kindOf(resource);
  const name = kind === 'key' ? resource.slice('key/'.length) : resource;
  return { kind, name, scope: { accountId, regionId } };
}

export function isAliasName(text: string): boolean {
  return ALIAS_NAME.test(text);
}

function kindOf(text: string): 'key' | 'alias' {
  return text.startsWith('alias/') ? 'alias' : 'key';
}

/** What a caller gave, short enough for a message. */
export function shown(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
