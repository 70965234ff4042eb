/**
 * sealdisk/testing: the cloud's API in a test's own process, on a port of its own, with what tests
 * need beside it.
 *
 * @example
 * import { startServer } from 'sealdisk/testing';
 * await using server = await startServer();
 * server.inject({ action: 'CreateDisk', code: 'Throttling', times: 1 });
 * server.moveClock(24 * 60 * 60 * 1000);
 * const { unwraps, plaintextKeys } = await server.auditLog();
 * console.log(server.endpoint, unwraps, plaintextKeys);
 */
import type { AccessKey, AuthMode } from './front/api/access-keys.ts';
import type { ServerControls } from './front/api/controls.ts';
import { servePlane } from './front/api/serve-plane.ts';
import type { ApiCallLine } from './front/api/server.ts';
import type { World } from './index.ts';
import { SHARDS_DEFAULT } from './limits.ts';
import type { Plane, PlaneOptions } from './types.ts';

export type { AccessKey, AuthMode } from './front/api/access-keys.ts';
export type { AuditSummary, ServerControls } from './front/api/controls.ts';
export type { Fault } from './front/api/faults.ts';
export type { ApiCallLine } from './front/api/server.ts';

export interface TestServerOptions {
  /** @default a free one */
  readonly port?: number;
  /** What there is to begin with, and again after a reset. */
  readonly seed?: World;
  /** @default any */
  readonly auth?: AuthMode;
  readonly accessKeys?: readonly AccessKey[];
  /** The region of calls that name none. @default cn-hangzhou */
  readonly regionId?: string;
  /** Have the same by HTTP, under /-/admin/. @default true */
  readonly admin?: boolean;
  /** A plane in memory is opened with these too. */
  readonly plane?: Omit<PlaneOptions, 'memory' | 'dataDir' | 'world' | 'simulation'>;
  readonly onCall?: (line: ApiCallLine) => void;
}

export interface TestServer extends ServerControls, AsyncDisposable {
  readonly port: number;
  /** For the SDKs' `endpoint`, beside `protocol: 'http'`: 127.0.0.1:1234 */
  readonly endpoint: string;
  /** http://127.0.0.1:1234 */
  readonly url: string;
  /** The library's side of it: read and write what the disks hold. Another one after a reset. */
  readonly plane: Plane;
  close(): Promise<void>;
}

/**
 * Starts a server over a plane in memory.
 *
 * @throws PlaneError WorldInvalid, InvalidArgument; what listen() is refused with
 */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { port = 0, seed, auth, accessKeys, regionId, admin = true, plane, onCall } = options;
  const bugs: unknown[] = [];
  const served = await servePlane({
    planeOptions: {
      shards: SHARDS_DEFAULT,
      ...plane,
      memory: true,
      ...(seed === undefined ? {} : { world: seed }),
    },
    host: '127.0.0.1',
    port,
    admin,
    onBug: (error) => bugs.push(error),
    ...(auth === undefined ? {} : { auth }),
    ...(accessKeys === undefined ? {} : { accessKeys }),
    ...(regionId === undefined ? {} : { regionId }),
    ...(onCall === undefined ? {} : { onCall }),
  });
  const close = async (): Promise<void> => {
    await served.close();
    if (bugs.length > 0) throw bugs[0];
  };
  return {
    ...served.controls,
    port: served.server.port,
    endpoint: `127.0.0.1:${served.server.port}`,
    url: served.server.url,
    get plane() {
      return served.plane();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
