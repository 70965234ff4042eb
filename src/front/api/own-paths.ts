/**
 * Paths of the door's own, under /-/: they are no part of the cloud's API.
 *
 *   GET  /-/health             the process answers
 *   GET  /-/ready              the plane is open and its KMS answers; otherwise 503
 *   GET  /-/metrics            Prometheus text
 *   POST /-/admin/reset        everything as at the beginning
 *   POST /-/admin/clock        {"moveMs": 60000}
 *   POST /-/admin/kms          {"down": true}
 *   POST /-/admin/faults       {"action": "CreateDisk", "code": "Throttling"}: see faults.ts
 *   DELETE /-/admin/faults
 *   GET  /-/admin/audit        ?accountId=1000000000000001
 *
 * Those of /-/admin/ are there only if the server was told to have them. They take no credentials,
 * and so no request of a browser: one with an Origin, or a body that is not JSON, is refused.
 *
 * **Thread:** main.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { httpStatusOf } from '../../base/http-status.ts';
import type { Plane } from '../../types.ts';
import type { ServerControls } from './controls.ts';
import type { Fault } from './faults.ts';
import { type CallCounters, renderMetrics } from './metrics.ts';
import { readBody } from './read-request.ts';
import { readPairs } from './request-pairs.ts';
import type { OwnPaths } from './server.ts';

interface OwnPathsOptions {
  readonly plane: () => Plane;
  readonly counters: CallCounters;
  /** null: there is no /-/admin/. */
  readonly controls: ServerControls | null;
}

interface OwnAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export function makeOwnPaths(options: OwnPathsOptions): OwnPaths {
  return async (path, message, response) => {
    const answer = await answerOf(path, message, options);
    if (answer === null) return false;
    send(response, answer);
    return true;
  };
}

async function answerOf(
  path: string,
  message: IncomingMessage,
  { plane, counters, controls }: OwnPathsOptions,
): Promise<OwnAnswer | null> {
  const route = `${message.method} ${path}`;
  try {
    if (route === 'GET /-/health') return asJson({ status: 'ok' });
    if (route === 'GET /-/ready') return await readiness(plane());
    if (route === 'GET /-/metrics') {
      const type = 'text/plain; version=0.0.4; charset=utf-8';
      return { status: 200, type, body: await renderMetrics(counters, plane()) };
    }
    if (controls === null || !path.startsWith('/-/admin/')) return null;
    return await administer(route, message, controls);
  } catch (error) {
    if (!(error instanceof PlaneError)) throw error;
    const { code, message: text } = error.toRecord();
    return { ...asJson({ Code: code, Message: text }), status: httpStatusOf(code, '') };
  }
}

async function readiness(plane: Plane): Promise<OwnAnswer> {
  try {
    await plane.call('DescribeAccountKmsStatus', {});
    return asJson({ status: 'ready' });
  } catch (error) {
    if (!(error instanceof PlaneError)) throw error;
    return { ...asJson({ status: 'not ready', code: error.code }), status: 503 };
  }
}

async function administer(
  route: string,
  message: IncomingMessage,
  controls: ServerControls,
): Promise<OwnAnswer | null> {
  if (message.headers.origin !== undefined) {
    throw new PlaneError('Forbidden.RAM', 'these paths are not for pages of a browser');
  }
  const body = await readJson(message);
  switch (route) {
    case 'POST /-/admin/reset':
      await controls.reset();
      break;
    case 'POST /-/admin/clock':
      controls.moveClock(Number(body.moveMs));
      break;
    case 'POST /-/admin/kms':
      controls.setKmsDown(body.down === true);
      break;
    case 'POST /-/admin/faults':
      controls.inject(faultOf(body));
      break;
    case 'DELETE /-/admin/faults':
      controls.clearFaults();
      break;
    case 'GET /-/admin/audit': {
      const query = readPairs((message.url ?? '').split('?')[1] ?? '');
      return asJson(await controls.auditLog(query.get('accountId')));
    }
    default:
      return null;
  }
  return asJson({});
}

/** @throws PlaneError InvalidArgument: a member that is not of a fault, or not of its type */
function faultOf(body: Readonly<Record<string, unknown>>): Fault {
  const types: Readonly<Record<string, string>> = {
    service: 'string',
    action: 'string',
    code: 'string',
    message: 'string',
    latencyMs: 'number',
    times: 'number',
  };
  for (const [name, value] of Object.entries(body)) {
    if (Object.hasOwn(types, name) && typeof value === types[name]) continue;
    throw new PlaneError('InvalidArgument', `expected ${Object.keys(types).join(', ')}`);
  }
  const { code } = body as { readonly code?: ErrorCode };
  return { ...body, ...(code === undefined ? {} : { code }) };
}

/** @throws PlaneError InvalidArgument: not a JSON object */
async function readJson(message: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBody(message);
  if (bytes.length === 0) return {};
  const isJson = /^application\/json\b/.test(message.headers['content-type'] ?? '');
  let read: unknown = null;
  try {
    read = isJson ? JSON.parse(Buffer.from(bytes).toString('utf8')) : null;
  } catch {
    // Told below, with what else a body must not be.
  }
  if (typeof read === 'object' && read !== null && !Array.isArray(read)) {
    return read as Readonly<Record<string, unknown>>;
  }
  throw new PlaneError('InvalidArgument', 'expected a body that is a JSON object, and says so');
}

function asJson(value: unknown): OwnAnswer {
  return { status: 200, type: 'application/json;charset=utf-8', body: JSON.stringify(value) };
}

function send(response: ServerResponse, { status, type, body }: OwnAnswer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'content-type': type, 'content-length': bytes.length });
  response.end(bytes);
}
