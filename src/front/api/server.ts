/**
 * The cloud's API over HTTP: the official SDKs, CLI and Terraform provider are its clients.
 *
 *   listening ──stop()──▶ stopping (calls under way answered) ──▶ stopped
 *
 * 1. An address that others on the network can reach is refused without TLS or `allowRemote`.
 * 2. Paths under /-/ are the door's own (own-paths.ts); all others are the API, as at the cloud.
 * 3. Connections, headers, bodies and the time a client takes for them are bounded; one broken
 *    connection has no effect on the others.
 * 4. Where credentials are not verified a page of a browser, which sends its Origin, is refused:
 *    anybody's page can reach the loopback of who looks at it. One that has its own name resolved
 *    to the loopback is told by the Host it asks for (host-check.ts).
 * 5. Every answer to the API is JSON with a RequestId, also to what is no request.
 *
 * **Thread:** main.
 */
import { randomUUID } from 'node:crypto';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../../base/clock.ts';
import { PlaneError } from '../../base/errors.ts';
import {
  API_CONNECTIONS_MAX,
  API_HEAD_BYTES_MAX,
  API_HEADERS_MS,
  API_IDLE_MS,
  API_REQUEST_MS,
  API_STOP_MS,
} from '../../limits.ts';
import type { Plane } from '../../types.ts';
import { type AccessKey, AccessKeys, type AuthMode } from './access-keys.ts';
import { type Api, type CallOutcome, callApi, refuseRequest } from './call-operation.ts';
import { isOwnHost } from './host-check.ts';
import { Nonces } from './nonces.ts';
import { ClientGone, readRequest } from './read-request.ts';
import { ResourceShares } from './resource-sharing.ts';

export interface ApiTls {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

/** One call, for the log. */
export interface ApiCallLine {
  readonly time: string;
  readonly service: string;
  readonly action: string;
  readonly accountId: string;
  readonly regionId: string;
  readonly status: number;
  /** Empty: it was done. */
  readonly code: string;
  readonly requestId: string;
  readonly milliseconds: number;
}

export interface ApiServerOptions {
  /** Asked for every call, so that it may be another one after a reset. */
  readonly plane: () => Plane;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** @default any */
  readonly auth?: AuthMode;
  readonly accessKeys?: readonly AccessKey[];
  /** The region of calls that name none. @default cn-hangzhou */
  readonly regionId?: string;
  readonly tls?: ApiTls;
  /** Listen where others on the network can reach it, without TLS. @default false */
  readonly allowRemote?: boolean;
  /** Names in a Host header that are ours, beside localhost and addresses. @default none */
  readonly allowedHosts?: readonly string[];
  /** @default the system's */
  readonly clock?: Clock;
  /** See Api.interfere. @default nothing */
  readonly interfere?: Api['interfere'];
  /** Resource shares there are. @default none */
  readonly shares?: ResourceShares;
  /** Answers paths under /-/; false: there is nothing there. */
  readonly answerOwnPath?: OwnPaths;
  readonly onCall?: (line: ApiCallLine) => void;
  /** Told of bugs; the call they came up in is answered InternalError. */
  readonly onBug: (error: unknown) => void;
}

/** @returns false: there is no such path */
export type OwnPaths = (
  path: string,
  message: IncomingMessage,
  response: ServerResponse,
) => Promise<boolean>;

export interface ApiServer extends AsyncDisposable {
  readonly port: number;
  /** http://127.0.0.1:1234 */
  readonly url: string;
  /** Answers calls under way, closes every connection. Idempotent. */
  stop(): Promise<void>;
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/**
 * Starts a server.
 *
 * @throws PlaneError InvalidArgument: an address others can reach, without TLS; access keys that
 *   cannot be; and what listen() is refused with (an address in use)
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { host, port, tls, allowRemote = false } = options;
  if (!LOOPBACK.test(host) && tls === undefined && !allowRemote) {
    throw new PlaneError(
      'InvalidArgument',
      `expected a loopback address, or TLS, or that others may reach it, got ${host}`,
    );
  }
  const keys = new AccessKeys(options.accessKeys ?? []);
  if (options.auth === 'strict' && keys.size === 0) {
    throw new PlaneError('InvalidArgument', 'strict authentication needs access keys');
  }
  const server = new RunningServer(options, keys);
  await server.listen(host, port);
  return server;
}

class RunningServer implements ApiServer {
  private readonly options: ApiServerOptions;
  private readonly api: Api;
  private readonly clock: Clock;
  private readonly server: Server;
  private stopping: Promise<void> | null = null;

  constructor(options: ApiServerOptions, keys: AccessKeys) {
    const { plane, auth = 'any', regionId, clock = systemClock, onBug } = options;
    this.options = options;
    this.clock = clock;
    const now = (): number => clock.now();
    this.api = {
      plane,
      authentication: { mode: auth, keys, nonces: new Nonces(now()), now },
      ...(regionId === undefined ? {} : { regionId }),
      interfere: options.interfere ?? (async () => {}),
      shares: options.shares ?? new ResourceShares(now),
      requestId: () => randomUUID().toUpperCase(),
      onBug,
    };
    const limits = {
      maxHeaderSize: API_HEAD_BYTES_MAX,
      headersTimeout: API_HEADERS_MS,
      requestTimeout: API_REQUEST_MS,
      keepAliveTimeout: API_IDLE_MS,
      noDelay: true,
    };
    const answer = (message: IncomingMessage, response: ServerResponse): void =>
      void this.answer(message, response);
    this.server =
      options.tls === undefined
        ? createHttpServer(limits, answer)
        : createHttpsServer({ ...limits, ...options.tls }, answer);
    this.server.maxConnections = API_CONNECTIONS_MAX;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    const { host, tls } = this.options;
    const shownHost = host.includes(':') ? `[${host}]` : host;
    return `${tls === undefined ? 'http' : 'https'}://${shownHost}:${this.port}`;
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host, port }, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
  }

  stop(): Promise<void> {
    this.stopping ??= this.close();
    return this.stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    const late = setTimeout(() => this.server.closeAllConnections(), API_STOP_MS);
    await closed;
    clearTimeout(late);
  }

  private async answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = this.clock.monotonic();
    // A socket that breaks while it is answered has nobody to be told.
    response.on('error', () => {});
    try {
      const path = (message.url ?? '/').split('?', 1)[0] ?? '/';
      const isOwn = path.startsWith('/-/') && this.isForUs(message);
      if (isOwn && (await this.answerOwnPath(path, message, response))) return;
      const outcome = await this.outcomeOf(message);
      if (outcome === null) return;
      this.send(message, response, outcome);
      this.tell(outcome, startedAt);
    } catch (error) {
      this.options.onBug(error);
      response.destroy();
    }
  }

  /** Where others can reach it, or credentials are verified, what it is called is not looked at. */
  private isForUs({ headers }: IncomingMessage): boolean {
    const { host, allowedHosts = [] } = this.options;
    const isOpen = this.api.authentication.mode !== 'strict' && LOOPBACK.test(host);
    return !isOpen || isOwnHost(headers.host, allowedHosts);
  }

  private async answerOwnPath(
    path: string,
    message: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> {
    const answered = await this.options.answerOwnPath?.(path, message, response);
    if (answered === true) return true;
    response.writeHead(404, { 'content-type': 'application/json;charset=utf-8' });
    response.end('{"Code":"InvalidAction.NotFound","Message":"there is no such path"}');
    return true;
  }

  /** null: the client went away. */
  private async outcomeOf(message: IncomingMessage): Promise<CallOutcome | null> {
    try {
      if (message.headers.origin !== undefined && this.api.authentication.mode !== 'strict') {
        throw new PlaneError('Forbidden.RAM', 'pages of a browser are not asked for credentials');
      }
      if (!this.isForUs(message)) {
        const shown = JSON.stringify(message.headers.host?.slice(0, 64));
        const detail = `expected a Host that is localhost, an address or allowed, got ${shown}`;
        throw new PlaneError('Forbidden.RAM', detail);
      }
      return await callApi(this.api, await readRequest(message));
    } catch (error) {
      return error instanceof ClientGone ? null : refuseRequest(this.api, error);
    }
  }

  private send(
    message: IncomingMessage,
    response: ServerResponse,
    { call, answer }: CallOutcome,
  ): void {
    const body = JSON.stringify(answer.body);
    const bytes = Buffer.byteLength(body);
    response.writeHead(answer.status, {
      'content-type': 'application/json;charset=utf-8',
      'content-length': bytes,
      'x-acs-request-id': call.requestId,
      // What is left of a body nobody reads would be taken for the next request.
      ...(message.complete && this.stopping === null ? {} : { connection: 'close' }),
    });
    // As text it is sent in one piece with its head; Node is quicker with bytes that it may copy.
    response.end(body, bytes === body.length ? 'latin1' : 'utf8');
  }

  private tell({ call, answer }: CallOutcome, startedAt: number): void {
    this.options.onCall?.({
      time: new Date(this.clock.now()).toISOString(),
      status: answer.status,
      code: answer.code,
      milliseconds: Math.round((this.clock.monotonic() - startedAt) * 1_000) / 1_000,
      ...call,
    });
  }
}
