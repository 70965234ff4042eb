/**
 * `sealdisk serve`: the cloud's API on a local port, with real disks behind it.
 *
 * Prints its URL on stdout, and on stderr the lines to paste into an SDK, the CLI and Terraform.
 * Serves until SIGINT or SIGTERM; then answers what is under way, closes the plane and ends with 0.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AccessKey, AUTH_MODES, type AuthMode } from '../front/api/access-keys.ts';
import { servePlane } from '../front/api/serve-plane.ts';
import type { ApiServer, ApiTls } from '../front/api/server.ts';
import { serveNbd } from '../front/nbd/serve-plane.ts';
import type { NbdAddress } from '../front/nbd/server.ts';
import { loadWorld, type PlaneOptions } from '../index.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import { performanceOf } from './load-disks.ts';
import { nbdAddress, nbdUri } from './nbd-address.ts';
import type { Terminal } from './terminal.ts';

export interface ServeFlags {
  readonly port?: string;
  readonly host?: string;
  readonly memory?: boolean;
  readonly dataDir?: string;
  readonly seed?: string;
  readonly auth?: string;
  readonly accessKeys?: string;
  readonly region?: string;
  readonly tlsCertificates?: string;
  readonly allowRemote?: boolean;
  readonly allowHost?: string;
  readonly admin?: boolean;
  readonly verbose?: boolean;
  readonly shards?: string;
  readonly rootKeyFile?: string;
  readonly nbd?: string;
  readonly performance?: string;
}

const PORT_DEFAULT = 7_171;
const HOST_DEFAULT = '127.0.0.1';

/**
 * Runs the command.
 *
 * @param untilStopped resolves when the process is asked to end
 */
export async function runServe(
  flags: ServeFlags,
  terminal: Terminal,
  untilStopped: () => Promise<void>,
): Promise<ExitCode> {
  const auth = authOf(flags);
  const tls = tlsOf(flags);
  const nbd = flags.nbd === undefined ? null : nbdAddressOf(flags.nbd);
  let nbdPort = 0;
  const bugs: unknown[] = [];
  const onBug = (error: unknown): void => {
    bugs.push(error);
    terminal.say(`bug: ${error instanceof Error ? error.stack : String(error)}`);
  };
  await using served = await servePlane({
    planeOptions: planeOptionsOf(flags),
    host: flags.host ?? HOST_DEFAULT,
    port: portOf(flags),
    auth,
    accessKeys: accessKeysOf(flags),
    allowRemote: flags.allowRemote === true,
    allowedHosts: (flags.allowHost ?? '').toLowerCase().split(',').filter(Boolean),
    admin: flags.admin === true,
    onBug,
    ...(nbd === null
      ? {}
      : {
          beside: async (plane) => {
            const server = await serveNbd(plane, { address: nbd, disks: 'all', onBug });
            nbdPort = server.port;
            return server;
          },
        }),
    ...(flags.region === undefined ? {} : { regionId: flags.region }),
    ...(tls === null ? {} : { tls }),
    ...(flags.verbose === true ? { onCall: (line) => terminal.say(JSON.stringify(line)) } : {}),
  });
  terminal.print(`${served.server.url}\n`);
  if (nbd !== null) terminal.print(`${nbdUri(nbd, nbdPort, '', false)}\n`);
  terminal.say(linesToPaste(served.server, flags.region ?? 'cn-hangzhou', auth));
  await untilStopped();
  await served.close();
  return bugs.length === 0 ? EXIT.ok : EXIT.failed;
}

/** How each client is pointed at the server. */
function linesToPaste(server: ApiServer, regionId: string, auth: AuthMode): string {
  const { url } = server;
  const scheme = url.slice(0, url.indexOf(':'));
  const endpoint = url.slice(scheme.length + '://'.length);
  const insecure = scheme === 'http' ? ' --insecure' : '';
  return `
SDK        new Config({ endpoint: '${endpoint}', protocol: '${scheme}', regionId: '${regionId}',
             accessKeyId: 'test', accessKeySecret: 'test' })
CLI        aliyun ecs DescribeDisks --RegionId ${regionId} --endpoint ${endpoint}${insecure} --force
Terraform  provider "alicloud" {
             region     = "${regionId}"
             access_key = "test"
             secret_key = "test"
             protocol   = "${scheme.toUpperCase()}"
             endpoints {
               ecs = "${endpoint}"
               kms = "${endpoint}"
               sts = "${endpoint}"
             }
           }
credentials: ${CREDENTIALS[auth]}; Ctrl-C ends it`;
}

const CREDENTIALS: Readonly<Record<AuthMode, string>> = {
  off: 'none are looked at',
  any: 'any will do',
  strict: 'those of --access-keys, and no others',
};

/** Disks and snapshots, each under its id. A number is a port, anything else a unix socket. */
function nbdAddressOf(where: string): NbdAddress {
  return nbdAddress(/^\d+$/.test(where) ? { port: where } : { socket: where });
}

function portOf({ port = String(PORT_DEFAULT) }: ServeFlags): number {
  const number = Number(port);
  if (/^\d+$/.test(port) && number <= 65_535) return number;
  throw new UsageError(`--port: expected 0 to 65535, got ${port}`);
}

function authOf({ auth = 'any' }: ServeFlags): AuthMode {
  const mode = AUTH_MODES.find((each) => each === auth);
  if (mode !== undefined) return mode;
  throw new UsageError(`--auth: expected ${AUTH_MODES.join(', ')}, got ${auth}`);
}

function planeOptionsOf(flags: ServeFlags): PlaneOptions {
  const { memory, dataDir, seed, shards, rootKeyFile } = flags;
  if (memory === true && dataDir !== undefined) {
    throw new UsageError('expected --memory or --data-dir DIR, not both');
  }
  if (shards !== undefined && !/^[1-9]\d*$/.test(shards)) {
    throw new UsageError(`--shards: expected a whole number, got ${shards}`);
  }
  return {
    performance: performanceOf(flags.performance) ?? 'modelled',
    ...(dataDir === undefined ? { memory: true } : { dataDir }),
    ...(seed === undefined ? {} : { world: loadWorld(seed) }),
    ...(shards === undefined ? {} : { shards: Number(shards) }),
    ...(rootKeyFile === undefined ? {} : { rootKeyFile }),
  };
}

/** A JSON array of objects with accessKeyId, accessKeySecret and what AccessKey has beside them. */
function accessKeysOf({ accessKeys: path }: ServeFlags): readonly AccessKey[] {
  if (path === undefined) return [];
  let read: unknown;
  try {
    read = JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path}: not JSON`);
  }
  if (Array.isArray(read) && read.every(isAccessKey)) return read;
  throw new UsageError(`${path}: expected [{"accessKeyId": "..", "accessKeySecret": ".."}]`);
}

function isAccessKey(value: unknown): value is AccessKey {
  if (typeof value !== 'object' || value === null) return false;
  const { accessKeyId, accessKeySecret } = value as Record<string, unknown>;
  const isText = Object.values(value).every((each) => typeof each === 'string');
  return isText && accessKeyId !== undefined && accessKeySecret !== undefined;
}

function tlsOf({ tlsCertificates: directory }: ServeFlags): ApiTls | null {
  if (directory === undefined) return null;
  return {
    cert: readText(join(directory, 'server-cert.pem')),
    key: readText(join(directory, 'server-key.pem')),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
}
