/**
 * `sealdisk ecs VERB` and `sealdisk kms VERB`: one call of the cloud's API, for people without its
 * SDK. The answer is JSON on stdout, as the API writes it.
 *
 *   sealdisk ecs CreateDisk --RegionId cn-hangzhou --Size 20 --Encrypted --data-dir ./disks
 *   sealdisk kms ListKeys --endpoint http://127.0.0.1:7171
 *
 * Parameters have the API's names; case and hyphens in them do not matter (--kms-key-id). Without a
 * value a parameter is true. With --endpoint the call goes to a server, signed with the access key
 * of the environment (ALIBABA_CLOUD_ACCESS_KEY_ID and _SECRET, else test and test); with --data-dir
 * the plane is opened for the call. Exit codes: 0 done, 4 refused.
 */
import { randomUUID } from 'node:crypto';
import { AccessKeys } from '../front/api/access-keys.ts';
import type { WireRequest } from '../front/api/authenticate.ts';
import { callApi, OPERATIONS } from '../front/api/call-operation.ts';
import { ACS3_ALGORITHM, acs3Signature, encode, sha256Of } from '../front/api/canonical-form.ts';
import { Nonces } from '../front/api/nonces.ts';
import type { Operation } from '../front/api/operation.ts';
import type { Pairs } from '../front/api/request-pairs.ts';
import { ResourceShares } from '../front/api/resource-sharing.ts';
import { didYouMean } from '../load/nearest.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import type { OpenPlane } from './load-targets.ts';
import type { Terminal } from './terminal.ts';

export type ApiName = 'ecs' | 'kms';

const VERSIONS: Readonly<Record<ApiName, string>> = { ecs: '2014-05-26', kms: '2016-01-20' };
const REGION_DEFAULT = 'cn-hangzhou';
/** A server answers in milliseconds; one that does not is not there. */
const TIMEOUT_MS = 30_000;

interface Call {
  readonly action: string;
  readonly parameters: Pairs;
  readonly endpoint: string | undefined;
  readonly dataDir: string | undefined;
}

/**
 * Runs the command.
 *
 * @param words what follows `ecs` or `kms`
 */
export async function runCallApi(
  api: ApiName,
  words: readonly string[],
  openPlane: OpenPlane,
  terminal: Terminal,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ExitCode> {
  const [action, ...rest] = words;
  const table = OPERATIONS[api] ?? {};
  if (action === undefined || action === '--help') {
    terminal.print(`${Object.keys(table).sort().join('\n')}\n`);
    terminal.say(usageOf(api, 'OPERATION'));
    return EXIT.ok;
  }
  const operation = Object.hasOwn(table, action) ? table[action] : undefined;
  if (operation === undefined) {
    const near = didYouMean(action, Object.keys(table));
    throw new UsageError(`${api} has no operation '${action}'${near}`);
  }
  if (rest.includes('--help')) {
    terminal.print(`${namesOf(operation).join('\n')}\n`);
    terminal.say(usageOf(api, action));
    return EXIT.ok;
  }
  const call = readCall(action, operation, rest);
  const answer =
    call.endpoint === undefined
      ? await callHere(api, call, openPlane)
      : await callServer(api, call, call.endpoint, environment);
  terminal.print(`${JSON.stringify(answer.body, null, 2)}\n`);
  return answer.status === 200 ? EXIT.ok : EXIT.refused;
}

function usageOf(api: ApiName, action: string): string {
  const where = '(--endpoint URL | --data-dir DIR)';
  return (
    `Usage: sealdisk ${api} ${action} [--Parameter value ...] ${where}\n` +
    '  fields and lists as --SystemDisk.Size 40 --Tag.1.Key team --Tag.1.Value blue'
  );
}

function namesOf({ takes }: Operation): string[] {
  return ['RegionId', ...Object.keys(takes)];
}

/** @throws UsageError */
function readCall(action: string, operation: Operation, words: readonly string[]): Call {
  const parameters = new Map<string, string>();
  const own: Record<string, string> = {};
  for (let at = 0; at < words.length; at++) {
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(words[at] ?? '');
    if (match === null) throw new UsageError(`expected --parameter value, got '${words[at]}'`);
    const [, option = '', given] = match;
    const next = words[at + 1];
    const takesNext = given === undefined && next !== undefined && !next.startsWith('--');
    if (takesNext) at++;
    const value = given ?? (takesNext ? next : 'true');
    if (option === 'endpoint' || option === 'data-dir') own[option] = value;
    else parameters.set(properName(action, operation, option), value);
  }
  const { endpoint, 'data-dir': dataDir } = own;
  if ((endpoint === undefined) === (dataDir === undefined)) {
    throw new UsageError('expected either --endpoint URL or --data-dir DIR');
  }
  if (operation.needsRegion && !parameters.has('RegionId')) {
    parameters.set('RegionId', REGION_DEFAULT);
  }
  return { action, parameters, endpoint, dataDir };
}

/** The API's spelling of a name: of Tag.1.Key, that of Tag. @throws UsageError */
function properName(action: string, operation: Operation, option: string): string {
  const [head = '', ...below] = option.split('.');
  const plain = (name: string): string => name.replaceAll('-', '').toLowerCase();
  const names = namesOf(operation);
  const found = names.find((name) => plain(name) === plain(head));
  if (found !== undefined) return [found, ...below].join('.');
  throw new UsageError(`${action} has no parameter '${option}'${didYouMean(option, names)}`);
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function callHere(
  api: ApiName,
  { action, parameters, dataDir }: Call,
  openPlane: OpenPlane,
): Promise<Answer> {
  if (dataDir === undefined) throw new UsageError('expected --data-dir DIR');
  await using plane = await openPlane({ dataDir });
  const bugs: unknown[] = [];
  const nothing = { keys: new AccessKeys([]), nonces: new Nonces(), now: () => 0 };
  const request: WireRequest = {
    method: 'POST',
    path: '/',
    headers: { 'x-acs-action': action, 'x-acs-version': VERSIONS[api] },
    query: parameters,
    form: new Map(),
    body: new Uint8Array(0),
  };
  const { answer } = await callApi(
    {
      plane: () => plane,
      authentication: { mode: 'off', ...nothing },
      interfere: async () => {},
      shares: new ResourceShares(() => 0),
      requestId: () => randomUUID().toUpperCase(),
      onBug: (error) => bugs.push(error),
    },
    request,
  );
  if (bugs.length > 0) throw bugs[0];
  return answer;
}

async function callServer(
  api: ApiName,
  { action, parameters }: Call,
  endpoint: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Answer> {
  const url = new URL(endpoint.includes('://') ? endpoint : `http://${endpoint}`);
  url.search = [...parameters].map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  const headers = signedHeaders(url, api, action, parameters, environment);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(url, { method: 'POST', headers, signal });
  } catch (error) {
    const reason = (error as Error).cause ?? error;
    throw new UsageError(`${url.origin} does not answer: ${(reason as Error).message}`);
  }
  return { status: response.status, body: await response.json() };
}

function signedHeaders(
  url: URL,
  api: ApiName,
  action: string,
  query: Pairs,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const {
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId = 'test',
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: secret = 'test',
    ALIBABA_CLOUD_SECURITY_TOKEN: token,
  } = environment;
  const bodySha256 = sha256Of(new Uint8Array(0));
  const headers: Record<string, string> = {
    host: url.host,
    'x-acs-action': action,
    'x-acs-content-sha256': bodySha256,
    'x-acs-date': `${new Date().toISOString().slice(0, 19)}Z`,
    ...(token === undefined ? {} : { 'x-acs-security-token': token }),
    'x-acs-signature-nonce': randomUUID(),
    'x-acs-version': VERSIONS[api],
  };
  const signed = Object.entries(headers);
  const request = { method: 'POST', path: url.pathname, query, signedHeaders: signed, bodySha256 };
  const signature = acs3Signature(secret, request);
  const names = signed.map(([name]) => name).join(';');
  const { host: _, ...sent } = headers;
  const credential = `Credential=${accessKeyId},SignedHeaders=${names},Signature=${signature}`;
  return { ...sent, authorization: `${ACS3_ALGORITHM} ${credential}` };
}
