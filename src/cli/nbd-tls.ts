/**
 * The TLS options of `sealdisk nbd`: files named and written as nbdkit and qemu have them.
 *
 *   --tls-certificates DIR   server-cert.pem, server-key.pem, and ca-cert.pem to verify clients by
 *   --tls-psk FILE           lines of identity:key, the key in hexadecimal (psktool writes them)
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NbdTls } from '../front/nbd/server.ts';
import { type TlsMaterial, tlsStarter } from '../front/nbd/tls.ts';
import { UsageError } from './exit-codes.ts';

export interface TlsFlags {
  readonly tls?: string;
  readonly tlsCertificates?: string;
  readonly tlsPsk?: string;
  readonly tlsVerifyPeer?: boolean;
}

/** null: no TLS was asked for. */
export function tlsOf(flags: TlsFlags): NbdTls | null {
  const { tls = 'require', tlsCertificates, tlsPsk } = flags;
  if (tls !== 'on' && tls !== 'require') {
    throw new UsageError(`--tls: expected on or require, got ${tls}`);
  }
  if (tlsCertificates === undefined && tlsPsk === undefined) {
    if (flags.tls === undefined && flags.tlsVerifyPeer !== true) return null;
    throw new UsageError('expected --tls-certificates or --tls-psk with --tls');
  }
  if (flags.tlsVerifyPeer === true && tlsCertificates === undefined) {
    throw new UsageError('--tls-verify-peer: expected --tls-certificates, whose ca-cert.pem is it');
  }
  const material: TlsMaterial = {
    ...(tlsCertificates === undefined ? {} : certificatesOf(tlsCertificates, flags)),
    ...(tlsPsk === undefined ? {} : { presharedKeys: keysOf(tlsPsk) }),
  };
  return { mode: tls === 'require' ? 'required' : 'offered', start: tlsStarter(material) };
}

function certificatesOf(directory: string, { tlsVerifyPeer }: TlsFlags): TlsMaterial {
  const chain = readText(join(directory, 'server-cert.pem'));
  const privateKey = readText(join(directory, 'server-key.pem'));
  const certificate = { chain, privateKey };
  if (tlsVerifyPeer !== true) return { certificate };
  return { certificate, clientAuthority: readText(join(directory, 'ca-cert.pem')) };
}

function keysOf(file: string): ReadonlyMap<string, Uint8Array> {
  const keys = new Map<string, Uint8Array>();
  for (const [index, line] of readText(file).split('\n').entries()) {
    if (line.trim() === '') continue;
    const match = /^([^:]+):((?:[0-9a-fA-F]{2})+)$/.exec(line.trim());
    if (match === null) {
      throw new UsageError(`${file}:${index + 1}: expected identity:key, the key in hexadecimal`);
    }
    keys.set(match[1]!, Buffer.from(match[2]!, 'hex'));
  }
  if (keys.size === 0) throw new UsageError(`${file}: expected at least one line of identity:key`);
  return keys;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
}
