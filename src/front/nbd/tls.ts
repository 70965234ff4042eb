/**
 * TLS for NBD: certificates, pre-shared keys, or both ("TLS support" of proto.md; nbd-server and
 * qemu name the files the same).
 *
 * 1. TLS 1.2 at least; pre-shared keys are of TLS 1.2 only, which is all Node offers them in.
 * 2. Whether a client that has no TLS is let in is the server's mode, not a matter of this file.
 * 3. With `clientAuthority` a client must show a certificate of it.
 *
 * **Thread:** main.
 */
import type { Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { PlaneError } from '../../base/errors.ts';
import { NBD_HANDSHAKE_MS } from '../../limits.ts';

export interface TlsMaterial {
  /** PEM. */
  readonly certificate?: { readonly chain: string; readonly privateKey: string };
  /** PEM of the authority whose certificates clients must show. */
  readonly clientAuthority?: string;
  /** Keys by the identity clients name. */
  readonly presharedKeys?: ReadonlyMap<string, Uint8Array>;
}

/** Ciphers of TLS 1.2 with forward secrecy; those of TLS 1.3 are always on. */
const CERTIFICATE_CIPHERS =
  'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20';
const PSK_CIPHERS = 'ECDHE-PSK-CHACHA20-POLY1305:DHE-PSK-AES256-GCM-SHA384:PSK-AES256-GCM-SHA384';

/**
 * What wraps a socket in TLS; it resolves when the handshake is done.
 *
 * @throws PlaneError InvalidArgument: neither a certificate nor a key, or one that cannot be read
 */
export function tlsStarter(material: TlsMaterial): (socket: Socket) => Promise<Socket> {
  const options = optionsOf(material);
  // Reads the material now, so that it is refused before anybody listens.
  createTlsServer(options);
  return (socket) =>
    new Promise((resolve, reject) => {
      // A server that listens nowhere: connections are handed to it (tls.Server, 'connection').
      const server = createTlsServer(options);
      server.once('secureConnection', resolve);
      server.once('tlsClientError', reject);
      socket.once('close', () => reject(new PlaneError('InvalidArgument', 'no TLS handshake')));
      server.emit('connection', socket);
    });
}

function createTlsServer(options: TlsOptions): ReturnType<typeof createServer> {
  try {
    return createServer(options);
  } catch (cause) {
    const text = (cause as Error).message;
    throw new PlaneError('InvalidArgument', `TLS material cannot be used: ${text}`, { cause });
  }
}

function optionsOf(material: TlsMaterial): TlsOptions {
  const { certificate, clientAuthority, presharedKeys } = material;
  if (certificate === undefined && presharedKeys === undefined) {
    throw new PlaneError('InvalidArgument', 'expected a certificate, pre-shared keys, or both');
  }
  const ciphers = [
    ...(certificate === undefined ? [] : [CERTIFICATE_CIPHERS]),
    ...(presharedKeys === undefined ? [] : [PSK_CIPHERS]),
  ];
  return {
    minVersion: 'TLSv1.2',
    // A client that offers TLS 1.3 and a key would be answered in 1.3, where there are no keys.
    ...(certificate === undefined ? { maxVersion: 'TLSv1.2' } : {}),
    ciphers: ciphers.join(':'),
    handshakeTimeout: NBD_HANDSHAKE_MS,
    allowHalfOpen: true,
    ...(certificate === undefined ? {} : { cert: certificate.chain, key: certificate.privateKey }),
    ...(clientAuthority === undefined
      ? {}
      : { ca: clientAuthority, requestCert: true, rejectUnauthorized: true }),
    ...(presharedKeys === undefined
      ? {}
      : { pskCallback: (_socket, identity) => presharedKeys.get(identity) ?? null }),
  };
}
