/**
 * The targets of one `sealdisk load`: opened when first asked for, closed together.
 *
 * Encrypted and plain disks are of one plane, which is opened when the first of them is.
 */
import { statSync } from 'node:fs';
import { PlaneError } from '../base/errors.ts';
import { createMemoryTarget, createNullTarget, type Target } from '../load/target.ts';
import { createFileTarget } from '../load/target-file.ts';
import { createLibraryTarget, type LoadDiskKind } from '../load/target-library.ts';
import type { Plane, PlaneOptions } from '../types.ts';
import { createNbdTarget, isNbdUri } from './load-nbd.ts';
import { openNaiveTarget } from './package-files.ts';

/** What the library's openPlane() is. */
export type OpenPlane = (options: PlaneOptions) => Promise<Plane>;

export const TARGET_NAMES = ['sealdisk', 'memory', 'null', 'naive'] as const;

/** Before a path: a file, a directory of files, or a block device. */
export const FILE_PREFIX = 'file:';

export interface TargetChoices {
  /** Files that are not empty may be written over. */
  readonly overwrites: boolean;
  /** Of disks of the library. */
  readonly diskKind?: LoadDiskKind;
  /** Told of each of those in a line. */
  readonly onDisk?: (line: string) => void;
}

/** True of a target that is one disk: an export, a file, a block device. */
export function isOneDisk(name: string): boolean {
  if (isNbdUri(name)) return true;
  if (!name.startsWith(FILE_PREFIX)) return false;
  const path = name.slice(FILE_PREFIX.length);
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? !path.endsWith('/') : !status.isDirectory();
}

/** True of a target that threads of the load generator can open for themselves. */
export function isForWorkers(name: string): boolean {
  const isFile = name.startsWith(FILE_PREFIX);
  return name === 'null' || name === 'memory' || isFile || isNbdUri(name);
}

export class LoadTargets {
  readonly #openPlane: OpenPlane;
  readonly #planeOptions: PlaneOptions;
  readonly #targets = new Map<string, Promise<Target>>();
  #plane: Promise<Plane> | null = null;

  readonly #choices: TargetChoices;

  constructor(openPlane: OpenPlane, planeOptions: PlaneOptions, choices: TargetChoices) {
    this.#choices = choices;
    this.#openPlane = openPlane;
    this.#planeOptions = planeOptions;
  }

  /** The target of that name, the same one each time. */
  open(name: string): Promise<Target> {
    const known = this.#targets.get(name);
    if (known !== undefined) return known;
    const opening = this.#make(name);
    this.#targets.set(name, opening);
    return opening;
  }

  /** The plane, if a target needed it. */
  async plane(): Promise<Plane | null> {
    return this.#plane;
  }

  /** Closes everything that was opened; the first failure is thrown when all is closed. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#targets.values());
    const closing = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const failures: unknown[] = [];
    for (const target of closing) {
      await target.close().catch((error: unknown) => failures.push(error));
    }
    const plane = await this.#plane?.catch(() => null);
    await plane?.close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  async #make(name: string): Promise<Target> {
    if (name.startsWith(FILE_PREFIX)) {
      const path = name.slice(FILE_PREFIX.length);
      return createFileTarget({ path, overwrites: this.#choices.overwrites });
    }
    switch (name) {
      case 'null':
        return createNullTarget();
      case 'memory':
        return createMemoryTarget();
      case 'naive': {
        const target = await openNaiveTarget();
        if (target === null) {
          throw new PlaneError('InvalidArgument', 'the naive baseline is not in this package');
        }
        return target;
      }
      default: {
        if (isNbdUri(name)) return createNbdTarget(name);
        this.#plane ??= this.#openPlane(this.#planeOptions);
        const { diskKind, onDisk } = this.#choices;
        return createLibraryTarget(await this.#plane, name === 'encrypted', diskKind, onDisk);
      }
    }
  }
}
