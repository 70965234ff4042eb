/**
 * Who sent this request, and is it theirs?
 *
 *   credentials ─▶ well-formed ─▶ access key ─▶ security token ─▶ timestamp ─▶ signature ─▶ nonce
 *
 * 1. Two schemes: ACS3-HMAC-SHA256 in the header Authorization, else HMAC-SHA1 in parameters. What
 *    they sign is in canonical-form.ts.
 * 2. Everything the door reads of a request that is verified was signed: of ACS3 the headers in
 *    REQUIRED_HEADERS have to be among the signed ones.
 * 3. A nonce is used up only by a request whose signature is right.
 * 4. Secrets are compared in constant time, and are in no message.
 *
 * **Thread:** main.
 */
import { timingSafeEqual } from 'node:crypto';
import { PlaneError } from '../../base/errors.ts';
import { ACCOUNT_DEFAULT, API_CLOCK_SKEW_MS } from '../../limits.ts';
import type { PlanePrincipal } from '../../types.ts';
import {
  type AccessKey,
  type AccessKeys,
  type AuthMode,
  assumedPrincipal,
  principalOf,
} from './access-keys.ts';
import { ACS3_ALGORITHM, acs3Signature, sha256Of, version1Signature } from './canonical-form.ts';
import type { Nonces } from './nonces.ts';
import { mergePairs, type Pairs, shown } from './request-pairs.ts';

/** A request as it was read from the wire. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly query: Pairs;
  /** Empty unless the body is a form. */
  readonly form: Pairs;
  readonly body: Uint8Array;
}

export interface AuthenticationRules {
  readonly mode: AuthMode;
  readonly keys: AccessKeys;
  readonly nonces: Nonces;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What a request claims, of either scheme. */
interface Claim {
  readonly accessKeyId: string;
  readonly signature: string;
  readonly securityToken: string | undefined;
  readonly timestamp: string;
  readonly nonce: string;
  /** The signature it should have. */
  readonly expected: (secret: string) => string;
}

const AUTHORIZATION =
  /^(\S+) +Credential=([^,\s]+), *SignedHeaders=([a-z0-9;_-]+), *Signature=([0-9a-f]{64})$/;
/** Lower-case names of the headers that ACS3 has to sign. */
const REQUIRED_HEADERS = [
  'host',
  'x-acs-action',
  'x-acs-content-sha256',
  'x-acs-date',
  'x-acs-signature-nonce',
  'x-acs-version',
];
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/**
 * @throws PlaneError IncompleteSignature, InvalidAccessKeyId.NotFound, MissingSecurityToken,
 *   InvalidSecurityToken.MismatchWithAccessKey, InvalidSecurityToken.Expired, IllegalTimestamp,
 *   SignatureDoesNotMatch, SignatureNonceUsed
 */
export function authenticate(request: WireRequest, rules: AuthenticationRules): PlanePrincipal {
  if (rules.mode === 'off') return { accountId: ACCOUNT_DEFAULT };
  const claim = claimOf(request);
  const key = rules.keys.find(claim.accessKeyId);
  if (key !== undefined) {
    verify(claim, key, rules);
    return principalOf(key);
  }
  if (rules.mode === 'any') return assumedPrincipal(claim.accessKeyId);
  // As much work as for one that is there.
  claim.expected('');
  throw new PlaneError(
    'InvalidAccessKeyId.NotFound',
    `there is no access key ${shown(claim.accessKeyId)}`,
  );
}

function verify(claim: Claim, key: AccessKey, { nonces, now }: AuthenticationRules): void {
  checkToken(claim, key, now());
  const timestamp = Date.parse(claim.timestamp);
  if (Math.abs(timestamp - now()) > API_CLOCK_SKEW_MS) {
    const around = `${API_CLOCK_SKEW_MS / 60_000} minutes of ${new Date(now()).toISOString()}`;
    throw new PlaneError(
      'IllegalTimestamp',
      `expected a time within ${around}, got ${claim.timestamp}`,
    );
  }
  if (!isEqual(claim.signature, claim.expected(key.accessKeySecret))) {
    throw new PlaneError(
      'SignatureDoesNotMatch',
      `the signature is not that of this request by access key ${shown(claim.accessKeyId)}`,
    );
  }
  const verdict = nonces.take(claim.accessKeyId, claim.nonce, timestamp, now());
  if (verdict === 'used') {
    throw new PlaneError('SignatureNonceUsed', `nonce ${shown(claim.nonce)} was used already`);
  }
  if (verdict === 'forgotten') {
    throw new PlaneError('IllegalTimestamp', 'nonces so old are not kept: sign it anew');
  }
}

function checkToken(claim: Claim, key: AccessKey, now: number): void {
  const { securityToken, expiration } = key;
  if (securityToken !== undefined && claim.securityToken === undefined) {
    throw new PlaneError('MissingSecurityToken', 'this access key is used with a security token');
  }
  if (!isEqual(claim.securityToken ?? '', securityToken ?? '')) {
    throw new PlaneError(
      'InvalidSecurityToken.MismatchWithAccessKey',
      `the security token is not that of access key ${shown(claim.accessKeyId)}`,
    );
  }
  if (expiration !== undefined && Date.parse(expiration) <= now) {
    throw new PlaneError('InvalidSecurityToken.Expired', `it ended at ${expiration}`);
  }
}

function claimOf(request: WireRequest): Claim {
  const claim =
    request.headers.authorization === undefined ? version1Claim(request) : acs3Claim(request);
  if (!TIMESTAMP.test(claim.timestamp) || Number.isNaN(Date.parse(claim.timestamp))) {
    throw new PlaneError(
      'IncompleteSignature',
      `expected a time as 2026-01-31T12:00:00Z, got ${shown(claim.timestamp)}`,
    );
  }
  if (claim.nonce === '' || claim.nonce.length > 128) {
    throw new PlaneError('IncompleteSignature', 'expected a nonce of 1 to 128 characters');
  }
  return claim;
}

function acs3Claim(request: WireRequest): Claim {
  const { method, path, query, body } = request;
  const match = AUTHORIZATION.exec(headerOf(request, 'authorization'));
  const [, algorithm, accessKeyId = '', names = '', signature = ''] = match ?? [];
  if (algorithm !== ACS3_ALGORITHM) {
    throw new PlaneError(
      'IncompleteSignature',
      `expected "Authorization: ${ACS3_ALGORITHM} Credential=..,SignedHeaders=..,Signature=.."`,
    );
  }
  const signed = names.split(';');
  const needed = REQUIRED_HEADERS.concat(
    request.headers['x-acs-security-token'] === undefined ? [] : 'x-acs-security-token',
    body.length === 0 ? [] : 'content-type',
  );
  const unsigned = needed.find((name) => !signed.includes(name));
  if (unsigned !== undefined || new Set(signed).size !== signed.length) {
    throw new PlaneError(
      'IncompleteSignature',
      `expected SignedHeaders to name ${unsigned ?? 'each header'} once`,
    );
  }
  const bodySha256 = sha256Of(body);
  if (headerOf(request, 'x-acs-content-sha256') !== bodySha256) {
    throw new PlaneError('SignatureDoesNotMatch', 'x-acs-content-sha256 is not that of the body');
  }
  const signedHeaders = signed.map((name) => [name, headerOf(request, name)] as const);
  return {
    accessKeyId,
    signature,
    securityToken: optionalHeader(request, 'x-acs-security-token'),
    timestamp: headerOf(request, 'x-acs-date'),
    nonce: headerOf(request, 'x-acs-signature-nonce'),
    expected: (secret) => acs3Signature(secret, { method, path, query, signedHeaders, bodySha256 }),
  };
}

function version1Claim({ method, query, form, body }: WireRequest): Claim {
  const parameters = mergePairs(query, form);
  const of = (name: string): string => {
    const value = parameters.get(name);
    if (value !== undefined && value !== '') return value;
    throw new PlaneError('IncompleteSignature', `expected an Authorization header, or ${name}`);
  };
  const accessKeyId = of('AccessKeyId');
  if (of('SignatureMethod') !== 'HMAC-SHA1' || of('SignatureVersion') !== '1.0') {
    throw new PlaneError('IncompleteSignature', 'expected HMAC-SHA1 and SignatureVersion 1.0');
  }
  // A body that is no form is signed by nothing.
  if (body.length > 0 && form.size === 0) {
    throw new PlaneError('IncompleteSignature', 'expected a body that is a form, or none');
  }
  return {
    accessKeyId,
    signature: of('Signature'),
    securityToken: parameters.get('SecurityToken'),
    timestamp: of('Timestamp'),
    nonce: of('SignatureNonce'),
    expected: (secret) => version1Signature(secret, method, parameters),
  };
}

function headerOf(request: WireRequest, name: string): string {
  return optionalHeader(request, name) ?? '';
}

function optionalHeader({ headers }: WireRequest, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return Array.isArray(value) ? value.join(',') : value;
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
