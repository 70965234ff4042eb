/** Where NBD is served, as options and as the URI that clients are given. */
import { resolve } from 'node:path';
import type { NbdAddress } from '../front/nbd/server.ts';
import { UsageError } from './exit-codes.ts';

export interface NbdAddressFlags {
  readonly socket?: string;
  readonly port?: string;
  readonly host?: string;
}

const HOST_DEFAULT = '127.0.0.1';

/** As the NBD project writes them (doc/uri.md). */
export function nbdUri(address: NbdAddress, port: number, name: string, isTls: boolean): string {
  const scheme = isTls ? 'nbds' : 'nbd';
  if ('host' in address) {
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    return `${scheme}://${host}:${port}/${name}`;
  }
  const path = resolve(address.socketPath).split('/').map(encodeURIComponent).join('/');
  return `${scheme}+unix:///${name}?socket=${path}`;
}

/** @throws UsageError neither or both of socket and port; not a port */
export function nbdAddress({ socket, port, host = HOST_DEFAULT }: NbdAddressFlags): NbdAddress {
  if ((socket === undefined) === (port === undefined)) {
    throw new UsageError('expected either --socket PATH or --port N');
  }
  if (socket !== undefined) return { socketPath: socket };
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw new UsageError(`--port: expected 0 to 65535, got ${port}`);
  }
  return { host, port: number };
}
