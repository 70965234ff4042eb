/**
 * An NBD server: listens, and holds its connections.
 *
 *   listening ──stop()──▶ stopping (requests in flight answered, exports given back) ──▶ stopped
 *
 * 1. A socket that others on the network can reach is refused without TLS that is required.
 * 2. Beyond NBD_CONNECTIONS_MAX connections, new ones are closed at once.
 * 3. One broken connection has no effect on the others.
 *
 * **Thread:** main.
 */
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { type Clock, systemClock } from '../../base/clock.ts';
import { PlaneError } from '../../base/errors.ts';
import { NBD_BYTES_MAX, NBD_CONNECTIONS_MAX, NBD_SWEEP_MS } from '../../limits.ts';
import { BufferPool, type RegisterBuffer } from './buffer-pool.ts';
import { Connection } from './connection.ts';
import { type ExportDirectory, OpenExports } from './exports.ts';
import { listenOn } from './listen.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { TlsMode } from './negotiation.ts';
import { enlargeSendBuffer } from './send-buffer.ts';

/** Where to listen. */
export type NbdAddress =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number };

export interface NbdTls {
  readonly mode: Exclude<TlsMode, 'off'>;
  /** Wraps a socket; resolves when the handshake is done. */
  readonly start: (socket: Socket) => Promise<Socket>;
}

export interface NbdServerOptions {
  readonly address: NbdAddress;
  readonly directory: ExportDirectory;
  /** Plane.registerBuffer. */
  readonly registerBuffer: RegisterBuffer;
  readonly tls?: NbdTls;
  /** @default the system's */
  readonly clock?: Clock;
  /** Told of bugs; the connection they came up on is closed. */
  readonly onBug: (error: unknown) => void;
}

export interface NbdServer extends AsyncDisposable {
  /** TCP: the port it listens on; 0 for a unix socket. */
  readonly port: number;
  readonly connectionCount: number;
  /** Answers what is in flight, closes every connection, gives the exports back. Idempotent. */
  stop(): Promise<void>;
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/**
 * Starts a server.
 *
 * @throws PlaneError InvalidArgument: an address others can reach, without TLS; and what listen()
 *   is refused with (an address in use)
 */
export async function startNbdServer(options: NbdServerOptions): Promise<NbdServer> {
  const { address, tls } = options;
  if ('host' in address && !LOOPBACK.test(address.host) && tls?.mode !== 'required') {
    throw new PlaneError(
      'InvalidArgument',
      `expected a loopback address, or TLS that is required, got ${address.host}`,
    );
  }
  const server = new RunningServer(options);
  await server.listen(
    'host' in address ? { host: address.host, port: address.port } : { path: address.socketPath },
  );
  return server;
}

class RunningServer implements NbdServer {
  private readonly options: NbdServerOptions;
  private readonly server: Server;
  private readonly connections = new Set<Connection>();
  private readonly pool: BufferPool;
  private readonly budget = new MemoryBudget(NBD_BYTES_MAX);
  private readonly opened = new OpenExports();
  private readonly sweep: NodeJS.Timeout;
  private stopping: Promise<void> | null = null;

  constructor(options: NbdServerOptions) {
    this.options = options;
    this.pool = new BufferPool(options.registerBuffer);
    this.server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      this.accept(socket),
    );
    this.server.maxConnections = NBD_CONNECTIONS_MAX;
    this.sweep = setInterval(() => {
      for (const connection of this.connections) connection.expire();
    }, NBD_SWEEP_MS);
    this.sweep.unref();
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  async listen(where: ListenOptions): Promise<void> {
    try {
      await listenOn(this.server, where);
    } catch (error) {
      clearInterval(this.sweep);
      throw error;
    }
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private async stopAll(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    await Promise.all([...this.connections].map((connection) => connection.stop()));
    await closed;
    clearInterval(this.sweep);
    await this.pool.close();
  }

  private accept(socket: Socket): void {
    const { address, directory, tls, clock = systemClock, onBug } = this.options;
    if ('socketPath' in address) enlargeSendBuffer(socket);
    const connection = new Connection(socket, {
      negotiation: { directory, opened: this.opened, tlsMode: tls?.mode ?? 'off' },
      pool: this.pool,
      budget: this.budget,
      clock,
      startTls: tls?.start ?? null,
      onBug,
    });
    this.connections.add(connection);
    void connection.closed.then(() => this.connections.delete(connection));
  }
}
