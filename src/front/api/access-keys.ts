/**
 * Access keys, and whose calls they sign.
 *
 *   configured       its secret and its account are known: signatures are verified
 *   not configured   under 'any', an id of 16 digits is that account, 16 digits and "/alice" its
 *                    RAM user alice, anything else the account a plane opens with
 */
import { PlaneError } from '../../base/errors.ts';
import { ACCOUNT_DEFAULT } from '../../limits.ts';
import type { PlanePrincipal } from '../../types.ts';
import { shown } from './request-pairs.ts';

/**
 * off: credentials are not looked at. any: they must be well-formed, and right if their id is
 * configured. strict: they must be right.
 */
export const AUTH_MODES = ['off', 'any', 'strict'] as const;
export type AuthMode = (typeof AUTH_MODES)[number];

/** An access key that is known. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** @default the account a plane opens with */
  readonly accountId?: string;
  /** A RAM user of the account. @default the account itself */
  readonly userName?: string;
  /** Of temporary credentials (STS): has to come with every call. */
  readonly securityToken?: string;
  /** When temporary credentials end: 2026-01-31T12:00:00Z. @default never */
  readonly expiration?: string;
  /** The region of calls that name none, nor anything that is in one. */
  readonly regionId?: string;
}

export class AccessKeys {
  private readonly byId = new Map<string, AccessKey>();

  /** @throws PlaneError InvalidArgument: an id twice, or a key that cannot be one */
  constructor(keys: readonly AccessKey[]) {
    for (const key of keys) {
      const { accessKeyId, accessKeySecret, expiration } = key;
      const isKey = /^[\x21-\x7e]{1,128}$/.test(accessKeyId) && !accessKeyId.includes(',');
      if (!isKey || typeof accessKeySecret !== 'string' || accessKeySecret === '') {
        throw new PlaneError('InvalidArgument', 'expected an accessKeyId and an accessKeySecret');
      }
      if (this.byId.has(accessKeyId)) {
        throw new PlaneError('InvalidArgument', `access key ${shown(accessKeyId)} is given twice`);
      }
      if (expiration !== undefined && Number.isNaN(Date.parse(expiration))) {
        throw new PlaneError('InvalidArgument', `expected expiration as 2026-01-31T12:00:00Z`);
      }
      this.byId.set(accessKeyId, key);
    }
  }

  get size(): number {
    return this.byId.size;
  }

  find(accessKeyId: string): AccessKey | undefined {
    return this.byId.get(accessKeyId);
  }
}

/** Whom a configured key signs for. */
export function principalOf({ accountId, userName, regionId }: AccessKey): PlanePrincipal {
  return {
    accountId: accountId ?? ACCOUNT_DEFAULT,
    ...(userName === undefined ? {} : { userName }),
    ...(regionId === undefined ? {} : { regionId }),
  };
}

/** Whom an id that is not configured is taken for. */
export function assumedPrincipal(accessKeyId: string): PlanePrincipal {
  const match = /^(\d{16})(?:\/(.{1,64}))?$/.exec(accessKeyId);
  const [, accountId = ACCOUNT_DEFAULT, userName] = match ?? [];
  return userName === undefined ? { accountId } : { accountId, userName };
}
