/**
 * The two signatures a request to the cloud's API may carry, byte for byte. Text is UTF-8 and "\n"
 * is the byte 0x0A; nothing stands after the last line.
 *
 *   encode(text)   percent-encodes every byte but A-Z a-z 0-9 - _ . ~, in upper-case hexadecimal
 *                  (RFC 3986, unreserved); a space is %20
 *   pairs(P)       the parameters P sorted by name (code units, before encoding), each
 *                  encode(name) "=" encode(value), joined with "&"
 *
 * ACS3-HMAC-SHA256, in the header Authorization:
 *
 *   canonical = METHOD                       as in the request line
 *        "\n" path                           as in the request line, up to "?"
 *        "\n" pairs(query)                   decoded and encoded anew: on the wire SDKs leave
 *                                            ! ' ( ) * as they are, in the canonical form not
 *        "\n" for each name of SignedHeaders, in their order: name ":" trim(value) "\n"
 *        "\n" SignedHeaders                  lower-case names, joined with ";"
 *        "\n" hex(SHA-256(body))             the same as in x-acs-content-sha256
 *   signature = hex(HMAC-SHA256(secret, "ACS3-HMAC-SHA256" "\n" hex(SHA-256(canonical))))
 *
 * HMAC-SHA1, "version 1.0", in the parameter Signature; P is query and form without Signature:
 *
 *   signature = base64(HMAC-SHA1(secret "&", METHOD "&" "%2F" "&" encode(pairs(P))))
 *
 * The end of the headers is a "\n" after the last one and one before SignedHeaders: an empty line.
 */
import { createHmac, hash } from 'node:crypto';
import type { Pairs } from './request-pairs.ts';

export const ACS3_ALGORITHM = 'ACS3-HMAC-SHA256';

export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function canonicalPairs(pairs: Pairs): string {
  return [...pairs]
    .sort(([first], [second]) => (first < second ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');
}

/** What ACS3 signs of a request. */
export interface Acs3Request {
  readonly method: string;
  readonly path: string;
  readonly query: Pairs;
  /** In the order of SignedHeaders, lower-case names. */
  readonly signedHeaders: readonly (readonly [name: string, value: string])[];
  readonly bodySha256: string;
}

/** @returns hexadecimal */
export function acs3Signature(secret: string, request: Acs3Request): string {
  const { method, path, query, signedHeaders, bodySha256 } = request;
  const headers = signedHeaders.map(([name, value]) => `${name}:${value.trim()}\n`).join('');
  const names = signedHeaders.map(([name]) => name).join(';');
  const lines = [method, path, canonicalPairs(query), headers, names, bodySha256];
  const digest = hash('sha256', lines.join('\n'));
  return createHmac('sha256', secret).update(`${ACS3_ALGORITHM}\n${digest}`).digest('hex');
}

/**
 * @param parameters query and form; a Signature among them is left out
 * @returns base64
 */
export function version1Signature(secret: string, method: string, parameters: Pairs): string {
  const signed = new Map(parameters);
  signed.delete('Signature');
  const text = `${method}&%2F&${encode(canonicalPairs(signed))}`;
  return createHmac('sha1', `${secret}&`).update(text).digest('base64');
}

/** The digest of a body, and of none. @returns hexadecimal */
export function sha256Of(body: Uint8Array): string {
  return body.length === 0 ? EMPTY_SHA256 : hash('sha256', body);
}

const EMPTY_SHA256 = hash('sha256', '');
