/** A server of the built package over a plane in memory. */
import {
  type ApiServer,
  type ApiServerOptions,
  startApiServer,
} from '../../dist/src/front/api/server.js';
import { openPlane, type Plane, type PlaneOptions } from '../../dist/src/index.js';

export interface ApiSubject extends AsyncDisposable {
  readonly plane: Plane;
  readonly server: ApiServer;
  readonly port: number;
  /** Bugs the server told of. */
  readonly bugs: unknown[];
}

export async function startApi(
  options: Partial<ApiServerOptions> = {},
  planeOptions: Partial<PlaneOptions> = {},
): Promise<ApiSubject> {
  const plane = await openPlane({ memory: true, shards: 1, ...planeOptions });
  const bugs: unknown[] = [];
  const server = await startApiServer({
    plane: () => plane,
    host: '127.0.0.1',
    port: 0,
    onBug: (error) => bugs.push(error),
    ...options,
  });
  return {
    plane,
    server,
    port: server.port,
    bugs,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await plane.close();
    },
  };
}
