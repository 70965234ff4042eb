/**
 * Requests as the Terraform provider sends them (its Go client for RPC): POST, common parameters
 * and the HMAC-SHA1 in the query, the operation's parameters in a chunked form. Signed here, by the
 * published rules, and not by code of ours.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { request } from 'node:http';

export const PROVIDER_KEY = { accessKeyId: 'terraform', accessKeySecret: 'provider-secret' };

type Parameters = Readonly<Record<string, string | number | boolean>>;
export type Answer = Readonly<Record<string, never>>;

const VERSIONS = { ecs: '2014-05-26', kms: '2016-01-20', sts: '2015-04-01' } as const;

function percent(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function pairsOf(parameters: Readonly<Record<string, string>>): string {
  const names = Object.keys(parameters).sort();
  return names.map((name) => `${percent(name)}=${percent(parameters[name]!)}`).join('&');
}

/** What the answer is, or what it refuses with, is in the body; its status is not looked at. */
function post(port: number, path: string, form: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const sent = request({ port, host: '127.0.0.1', path, method: 'POST', headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as Answer));
    });
    sent.on('error', reject);
    // Two writes: without a length they are chunks.
    sent.write(form.slice(0, 5));
    sent.end(form.slice(5));
  });
}

export class ProviderClient {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** @returns the answer; a refusal has a Code */
  call(service: keyof typeof VERSIONS, action: string, given: Parameters): Promise<Answer> {
    const form = Object.fromEntries(Object.entries(given).map(([name, of]) => [name, String(of)]));
    const common = {
      Action: action,
      Format: 'json',
      Timestamp: `${new Date().toISOString().slice(0, 19)}Z`,
      Version: VERSIONS[service],
      SignatureNonce: randomUUID(),
      SignatureMethod: 'HMAC-SHA1',
      SignatureVersion: '1.0',
      AccessKeyId: PROVIDER_KEY.accessKeyId,
    };
    const text = `POST&%2F&${percent(pairsOf({ ...common, ...form }))}`;
    const hmac = createHmac('sha1', `${PROVIDER_KEY.accessKeySecret}&`);
    const query = pairsOf({ ...common, Signature: hmac.update(text).digest('base64') });
    return post(this.#port, `/?${query}`, pairsOf(form));
  }

  ecs(action: string, given: Parameters): Promise<Answer> {
    return this.call('ecs', action, given);
  }

  kms(action: string, given: Parameters): Promise<Answer> {
    return this.call('kms', action, given);
  }
}
