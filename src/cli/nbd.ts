/**
 * `sealdisk nbd`: one disk, made (or found again by its name) and exported on the spot; or, with
 * --all, every disk and snapshot of a data directory, each under its id.
 *
 * Prints the URI clients connect to on stdout, and serves until SIGINT or SIGTERM; or, with --run,
 * until a command has ended that is given the URI as $uri. Then answers what is in flight, flushes
 * and detaches the disks, and ends with 0, or 1 if the command failed.
 */
import { spawn } from 'node:child_process';
import { listExports, type NbdExport } from '../front/nbd/exports.ts';
import { resizeDisk } from '../front/nbd/plane-exports.ts';
import { serveNbd } from '../front/nbd/serve-plane.ts';
import { type NbdAddress, type NbdServer, startNbdServer } from '../front/nbd/server.ts';
import type { Plane, PlaneOptions } from '../types.ts';
import { openExisting } from './data-directory.ts';
import { EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import { performanceOf } from './load-disks.ts';
import type { OpenPlane } from './load-targets.ts';
import { type NbdAddressFlags, nbdAddress, nbdUri } from './nbd-address.ts';
import { type TlsFlags, tlsOf } from './nbd-tls.ts';
import type { Terminal } from './terminal.ts';

export interface NbdFlags extends TlsFlags, NbdAddressFlags {
  readonly all?: boolean;
  readonly run?: string;
  readonly allowResize?: boolean;
  readonly size?: string;
  readonly encrypted?: boolean;
  readonly memory?: boolean;
  readonly dataDir?: string;
  readonly name?: string;
  readonly shards?: string;
  readonly engine?: string;
  readonly performance?: string;
}

/** The disk's name, its export's name, and the default export as well. */
const NAME_DEFAULT = 'nbd';
const ENGINES = ['auto', 'openssl-ffi', 'node-crypto', 'noble-reference'] as const;
/** Disks asked for at a time. ECS DescribeDisks, PageSize. */
const PAGE_SIZE = 100;

/**
 * Runs the command.
 *
 * @param untilStopped resolves when the process is asked to end
 */
export async function runNbd(
  flags: NbdFlags,
  openPlane: OpenPlane,
  terminal: Terminal,
  untilStopped: () => Promise<void>,
): Promise<ExitCode> {
  const address = nbdAddress(flags);
  const tls = tlsOf(flags);
  if (flags.all === true) return serveAll(address, tls, flags, openPlane, terminal, untilStopped);
  const sizeGiB = sizeGiBOf(flags.size ?? '1G');
  await using plane = await openPlane(planeOptionsOf(flags));
  const diskId = await findOrMakeDisk(plane, flags, sizeGiB);
  const name = flags.name ?? NAME_DEFAULT;
  await using disk = await plane.attach(diskId);
  const shown: NbdExport = {
    name,
    description: `disk ${diskId}, ${disk.encrypted ? 'encrypted' : 'plain'}`,
    isReadOnly: false,
    open: async () => ({ disk, close: async () => {} }),
    ...(flags.allowResize === true
      ? { resize: (sizeBytes: number) => resizeDisk(plane, diskId, sizeBytes) }
      : {}),
  };
  const bugs: unknown[] = [];
  const server = await startNbdServer({
    address,
    directory: listExports([shown]),
    registerBuffer: (buffer) => plane.registerBuffer(buffer),
    onBug: (error) => bugs.push(error),
    ...(tls === null ? {} : { tls }),
  });
  const uri = nbdUri(address, server.port, name, tls !== null);
  const what = `${diskId}, ${disk.size} bytes`;
  const code = await serveUntil(uri, what, flags.run, terminal, untilStopped);
  await server.stop();
  await disk.flush();
  if (bugs.length > 0) throw bugs[0];
  return code;
}

/** Serves until the process is asked to end, or a command that is given the URI has ended. */
async function serveUntil(
  uri: string,
  what: string,
  command: string | undefined,
  terminal: Terminal,
  untilStopped: () => Promise<void>,
): Promise<ExitCode> {
  if (command === undefined) {
    terminal.print(`${uri}\n`);
    terminal.say(`serving ${what}; Ctrl-C ends it`);
    await untilStopped();
    return EXIT.ok;
  }
  const words = ['-c', `uri=$1; export uri; ${command}`, 'sh', uri];
  const child = spawn('sh', words, { stdio: 'inherit' });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const code = await Promise.race([ended, untilStopped().then(() => null)]);
  child.kill();
  return code === 0 ? EXIT.ok : EXIT.failed;
}

/** Every disk and snapshot of a data directory that is there. */
async function serveAll(
  address: NbdAddress,
  tls: ReturnType<typeof tlsOf>,
  flags: NbdFlags,
  openPlane: OpenPlane,
  terminal: Terminal,
  untilStopped: () => Promise<void>,
): Promise<ExitCode> {
  const { dataDir, size, name, encrypted, memory } = flags;
  if (dataDir === undefined) throw new UsageError('--all: expected --data-dir DIR');
  if (size !== undefined || name !== undefined || encrypted === true || memory === true) {
    throw new UsageError('--all serves what is there: no --size, --name, --encrypted or --memory');
  }
  const open: OpenPlane = (options) => openPlane({ ...planeOptionsOf(flags), ...options });
  await using plane = await openExisting(open, { dataDir });
  const bugs: unknown[] = [];
  const server: NbdServer = await serveNbd(plane, {
    address,
    disks: 'all',
    allowResize: flags.allowResize === true,
    onBug: (error) => bugs.push(error),
    ...(tls === null ? {} : { tls }),
  });
  const uri = nbdUri(address, server.port, '', tls !== null);
  const what = `what is in ${dataDir}, each under its id`;
  const code = await serveUntil(uri, what, flags.run, terminal, untilStopped);
  await server.stop();
  if (bugs.length > 0) throw bugs[0];
  return code;
}

/** Disks are sold by the GiB (ECS CreateDisk, parameter Size). */
function sizeGiBOf(text: string): number {
  const match = /^(\d+)([gt]?)(i?b)?$/i.exec(text);
  const size = Number(match?.[1]) * (match?.[2]?.toLowerCase() === 't' ? 1024 : 1);
  if (match === null || size < 1) {
    throw new UsageError(`--size: expected whole GiB, as 1G or 2T, got ${text}`);
  }
  return size;
}

function planeOptionsOf({ memory, dataDir, shards, engine, ...flags }: NbdFlags): PlaneOptions {
  const performance = performanceOf(flags.performance);
  if ((memory === true) === (dataDir !== undefined)) {
    throw new UsageError('expected either --memory or --data-dir DIR');
  }
  if (shards !== undefined && !/^[1-9]\d*$/.test(shards)) {
    throw new UsageError(`--shards: expected a whole number, got ${shards}`);
  }
  if (engine !== undefined && !ENGINES.some((name) => name === engine)) {
    throw new UsageError(`--engine: expected one of ${ENGINES.join(', ')}, got ${engine}`);
  }
  const where = dataDir === undefined ? { memory: true } : { dataDir };
  return {
    ...where,
    ...(performance === undefined ? {} : { performance }),
    ...(shards === undefined ? {} : { shards: Number(shards) }),
    ...(engine === undefined ? {} : { engine: engine as NonNullable<PlaneOptions['engine']> }),
  };
}

/** A data directory's disk of that name, or a new one. */
async function findOrMakeDisk(plane: Plane, flags: NbdFlags, sizeGiB: number): Promise<string> {
  const name = flags.name ?? NAME_DEFAULT;
  const encrypted = flags.encrypted === true;
  for (let page = 1; ; page++) {
    const parameters = { PageNumber: page, PageSize: PAGE_SIZE };
    const { Disks, TotalCount } = await plane.call('DescribeDisks', parameters);
    const known = Disks.find(({ DiskName }) => DiskName === name);
    if (known !== undefined) {
      checkKnown(name, known, flags, sizeGiB);
      return known.DiskId;
    }
    if (Disks.length === 0 || page * PAGE_SIZE >= TotalCount) break;
  }
  const made = { Size: sizeGiB, DiskName: name, Encrypted: encrypted };
  return (await plane.call('CreateDisk', made)).DiskId;
}

/** What was asked for must be what is there: a plain disk is not served as an encrypted one. */
function checkKnown(
  name: string,
  known: { readonly Size: number; readonly Encrypted: boolean },
  flags: NbdFlags,
  sizeGiB: number,
): void {
  const isSameSize = flags.size === undefined || known.Size === sizeGiB;
  const isSameKind = !(flags.encrypted === true && !known.Encrypted);
  if (isSameSize && isSameKind) return;
  const kind = known.Encrypted ? 'encrypted' : 'plain';
  throw new UsageError(`disk ${name} is there already, ${known.Size} GiB, ${kind}`);
}
