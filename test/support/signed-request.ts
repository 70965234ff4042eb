/** Requests as the door reads them, signed by the rules of the file head of canonical-form.ts. */
import { PlaneError } from '../../src/base/errors.ts';
import type { WireRequest } from '../../src/front/api/authenticate.ts';
import { acs3Signature, sha256Of, version1Signature } from '../../src/front/api/canonical-form.ts';
import { type Pairs, readPairs } from '../../src/front/api/request-pairs.ts';

export interface SigningKey {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
}

interface Signing {
  readonly key: SigningKey;
  readonly query?: string;
  readonly form?: string;
  readonly nonce?: string;
  readonly time?: string;
}

/** @returns the code a call is refused with, or a sentence that no code equals */
export function refusedWith(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return error instanceof PlaneError ? error.code : `not a PlaneError: ${String(error)}`;
  }
  return 'it was not refused';
}

export const TIME = '2026-11-22T00:26:28Z';
const NO_PAIRS: Pairs = new Map();

/** POST of DescribeDisks, signed with ACS3. */
export function acs3Request({ key, query = 'RegionId=cn-hangzhou', form, nonce, time }: Signing) {
  const body = Buffer.from(form ?? '');
  const headers: Record<string, string> = {
    ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    host: '127.0.0.1:7171',
    'x-acs-action': 'DescribeDisks',
    'x-acs-content-sha256': sha256Of(body),
    'x-acs-date': time ?? TIME,
    ...(key.securityToken === undefined ? {} : { 'x-acs-security-token': key.securityToken }),
    'x-acs-signature-nonce': nonce ?? 'nonce-1',
    'x-acs-version': '2014-05-26',
  };
  const signed = Object.entries(headers);
  const names = signed.map(([name]) => name).join(';');
  const signature = acs3Signature(key.accessKeySecret, {
    method: 'POST',
    path: '/',
    query: readPairs(query),
    signedHeaders: signed,
    bodySha256: sha256Of(body),
  });
  const signedBy = `Credential=${key.accessKeyId},SignedHeaders=${names},Signature=${signature}`;
  const authorization = `ACS3-HMAC-SHA256 ${signedBy}`;
  return {
    method: 'POST',
    path: '/',
    headers: { ...headers, authorization } as Record<string, string>,
    query: readPairs(query),
    form: form === undefined ? NO_PAIRS : readPairs(form),
    body,
  } satisfies WireRequest;
}

/** GET of DescribeDisks, signed with HMAC-SHA1 in the query. */
export function version1Request({ key, query = 'RegionId=cn-hangzhou', nonce, time }: Signing) {
  const parameters = new Map(
    readPairs(
      `${query}&Action=DescribeDisks&Version=2014-05-26&Format=JSON&SignatureMethod=HMAC-SHA1` +
        `&SignatureVersion=1.0&Timestamp=${time ?? TIME}&SignatureNonce=${nonce ?? 'nonce-1'}`,
    ),
  );
  parameters.set('AccessKeyId', key.accessKeyId);
  if (key.securityToken !== undefined) parameters.set('SecurityToken', key.securityToken);
  parameters.set('Signature', version1Signature(key.accessKeySecret, 'GET', parameters));
  return {
    method: 'GET',
    path: '/',
    headers: { host: '127.0.0.1:7171' } as Record<string, string>,
    query: parameters as Map<string, string>,
    form: NO_PAIRS,
    body: new Uint8Array(0),
  } satisfies WireRequest;
}
