/** An NBD server of the built package over a plane in memory, and programs that are its clients. */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { listExports, type NbdExport, type OpenedDisk } from '../../dist/src/front/nbd/exports.js';
import {
  type NbdServer,
  type NbdServerOptions,
  startNbdServer,
} from '../../dist/src/front/nbd/server.js';
import { type Disk, openPlane, type Plane } from '../../dist/src/index.js';
import { tempDir } from './temp-dir.ts';

/** Empty where every one of some programs can be run; otherwise which cannot. */
export function absentTools(...names: string[]): string {
  const absent = names.filter((name) => spawnSync('which', [name]).status !== 0);
  return absent.length === 0 ? '' : `(skipped: ${absent.join(', ')} not installed)`;
}

/** The Python that has libnbd's module: Debian's own, if any. */
export const PYTHON = '/usr/bin/python3';
const hasModule = spawnSync(PYTHON, ['-c', 'import nbd']).status === 0;
export const absentModule: string = hasModule ? '' : '(skipped: python3-libnbd not installed)';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program beside the server, which is in this process. */
export function run(program: string, ...words: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 64 << 20, timeout: 100_000 };
    execFile(program, words, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, stdout, stderr });
    });
  });
}

export interface NbdSubject extends AsyncDisposable {
  readonly plane: Plane;
  readonly server: NbdServer;
  readonly socketPath: string;
  readonly directory: string;
  readonly disks: readonly Disk[];
  /** Bugs the server told of. */
  readonly bugs: unknown[];
  uri(name: string): string;
}

export interface ExportWanted {
  readonly name: string;
  readonly sizeGiB?: number;
  readonly isReadOnly?: boolean;
  readonly encrypted?: boolean;
  /** Stands before the disk. */
  readonly wrap?: (disk: Disk) => Disk;
}

export async function nbdSubject(
  wanted: readonly ExportWanted[],
  options: Partial<Pick<NbdServerOptions, 'clock' | 'tls' | 'address'>> = {},
): Promise<NbdSubject> {
  const directory = tempDir();
  const plane = await openPlane({ memory: true });
  const disks: Disk[] = [];
  const exports: NbdExport[] = [];
  for (const { name, sizeGiB = 1, isReadOnly = false, encrypted = true, wrap } of wanted) {
    const parameters = { Size: sizeGiB, Encrypted: encrypted };
    const disk = await plane.attach((await plane.call('CreateDisk', parameters)).DiskId);
    const shown = wrap?.(disk) ?? disk;
    const open = async (): Promise<OpenedDisk> => ({ disk: shown, close: async () => {} });
    disks.push(disk);
    exports.push({ name, description: `export ${name}`, isReadOnly, open });
  }
  const socketPath = join(directory.path, 'nbd.sock');
  const bugs: unknown[] = [];
  const server = await startNbdServer({
    address: { socketPath },
    directory: listExports(exports),
    registerBuffer: (buffer) => plane.registerBuffer(buffer),
    onBug: (error) => bugs.push(error),
    ...options,
  });
  return {
    plane,
    server,
    socketPath,
    directory: directory.path,
    disks,
    bugs,
    uri: (name) => `nbd+unix:///${name}?socket=${socketPath}`,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await plane.close();
      directory[Symbol.dispose]();
    },
  };
}

/** A disk with some calls replaced. */
export function diskWith(disk: Disk, replaced: Partial<Disk>): Disk {
  return new Proxy(disk, {
    get: (target, name) => {
      const own = replaced[name as keyof Disk];
      if (own !== undefined) return own;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
