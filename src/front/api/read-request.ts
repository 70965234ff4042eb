/**
 * A request as node:http has it, read whole: method, path, query, form.
 *
 * A body is read whatever its length was said to be, up to API_BODY_BYTES_MAX; beyond it, and when
 * a client goes away in the middle, the request is refused and its connection closed.
 *
 * **Thread:** main.
 */
import type { IncomingMessage } from 'node:http';
import { PlaneError } from '../../base/errors.ts';
import { API_BODY_BYTES_MAX } from '../../limits.ts';
import type { WireRequest } from './authenticate.ts';
import { type Pairs, readPairs, shown } from './request-pairs.ts';

const NO_PAIRS: Pairs = new Map();
const NO_BODY = new Uint8Array(0);
const FORM = /^application\/x-www-form-urlencoded\b/i;

/** The client went away: there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** @throws PlaneError UnsupportedHTTPMethod, RequestTooLarge, InvalidParameter; ClientGone */
export async function readRequest(message: IncomingMessage): Promise<WireRequest> {
  const { method = '', url = '/', headers } = message;
  if (method !== 'GET' && method !== 'POST') {
    throw new PlaneError('UnsupportedHTTPMethod', `expected GET or POST, got ${shown(method)}`);
  }
  const body = await readBody(message);
  const question = url.indexOf('?');
  const isForm = FORM.test(headers['content-type'] ?? '');
  return {
    method,
    path: question < 0 ? url : url.slice(0, question),
    headers,
    query: question < 0 ? NO_PAIRS : readPairs(url.slice(question + 1)),
    form: isForm && body.length > 0 ? readPairs(Buffer.from(body).toString('utf8')) : NO_PAIRS,
    body,
  };
}

/** @throws PlaneError RequestTooLarge; ClientGone */
export async function readBody(message: IncomingMessage): Promise<Uint8Array> {
  const { headers } = message;
  const isEmpty = headers['content-length'] === undefined && !headers['transfer-encoding'];
  if (isEmpty || headers['content-length'] === '0') return NO_BODY;
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of message) {
      length += (chunk as Uint8Array).length;
      if (length > API_BODY_BYTES_MAX) break;
      chunks.push(chunk as Uint8Array);
    }
  } catch (error) {
    throw new ClientGone('the client went away', { cause: error });
  }
  if (length > API_BODY_BYTES_MAX) {
    throw new PlaneError(
      'RequestTooLarge',
      `expected a body of at most ${API_BODY_BYTES_MAX} bytes`,
    );
  }
  return Buffer.concat(chunks);
}
