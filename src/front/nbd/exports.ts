/**
 * What is exported, as the protocol sees it: names, sizes, and disks that are opened when a client
 * has asked for them and closed after the last one.
 *
 * 1. Nothing is opened for a client that has only connected (CVE-2019-14850): opening a disk takes
 *    its key out of KMS.
 * 2. A disk is attached once; any number of connections share it. One that has been closed under
 *    its connections (its instance was stopped) is opened anew for those that come later.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import type { Disk } from '../../types.ts';

/** A disk an export was opened as. */
export interface OpenedDisk {
  readonly disk: Disk;
  close(): Promise<void>;
}

/** One export on offer. */
export interface NbdExport {
  readonly name: string;
  readonly description: string;
  readonly isReadOnly: boolean;
  /**
   * Attaches the disk.
   *
   * @throws PlaneError what an attach is refused with: a key that is not enabled, a disk that is
   *   not there any more
   */
  open(): Promise<OpenedDisk>;
  /**
   * Gives the disk another size; absent: clients may not ask for one.
   *
   * @throws PlaneError what ResizeDisk is refused with; InvalidArgument: not a size disks have
   */
  readonly resize?: (sizeBytes: number) => Promise<void>;
}

/**
 * Where a server finds its exports: the list may change while it runs. Exports of one name are
 * the same one.
 */
export interface ExportDirectory {
  /** Those a client is shown. */
  list(): readonly NbdExport[] | Promise<readonly NbdExport[]>;
  /** null: there is none. The empty name is the default export, if there is one. */
  find(name: string): NbdExport | null | Promise<NbdExport | null>;
}

/** An export a connection uses. */
export interface ExportUse {
  readonly export: NbdExport;
  readonly disk: Disk;
  /** Closes the disk if this was its last use. Idempotent. */
  leave(): Promise<void>;
}

interface OpenExport {
  readonly opened: Promise<OpenedDisk>;
  uses: number;
}

/** A directory that is a fixed list; the first one is the default export too. */
export function listExports(exports: readonly NbdExport[]): ExportDirectory {
  return {
    list: () => exports,
    find: (name) =>
      exports.find((each) => each.name === name) ?? (name === '' ? (exports[0] ?? null) : null),
  };
}

/** Disks that are open for some connection, by the name of their export. */
export class OpenExports {
  private readonly open = new Map<string, OpenExport>();
  /** Of exports whose last use is over: the next one waits until the disk is detached. */
  private readonly closing = new Map<string, Promise<void>>();

  /** @throws PlaneError as NbdExport.open() */
  async use(wanted: NbdExport): Promise<ExportUse> {
    const { name } = wanted;
    await this.forgetClosed(name);
    while (this.closing.has(name)) await this.closing.get(name)?.catch(() => {});
    const owner = this.open.get(name) ?? { opened: wanted.open(), uses: 0 };
    this.open.set(name, owner);
    owner.uses++;
    let leaving: Promise<void> | null = null;
    const leave = (): Promise<void> => {
      leaving ??= this.leave(name, owner);
      return leaving;
    };
    try {
      const { disk } = await owner.opened;
      return { export: wanted, disk, leave };
    } catch (error) {
      owner.uses--;
      this.forget(name, owner);
      throw error;
    }
  }

  /** A disk that was closed under its connections is theirs until they go, and nobody else's. */
  private async forgetClosed(name: string): Promise<void> {
    const owner = this.open.get(name);
    if (owner === undefined) return;
    try {
      const { disk } = await owner.opened;
      // Nothing is read of it: it is answered at once, by a disk that is closed with an error.
      await disk.read(0, 0);
    } catch (error) {
      if (error instanceof PlaneError && error.code === 'DiskClosed') this.forget(name, owner);
    }
  }

  private forget(name: string, owner: OpenExport): void {
    if (this.open.get(name) === owner) this.open.delete(name);
  }

  private async leave(name: string, owner: OpenExport): Promise<void> {
    owner.uses--;
    if (owner.uses > 0) return;
    this.forget(name, owner);
    const closed = owner.opened.then((opened) => opened.close());
    this.closing.set(name, closed);
    try {
      await closed;
    } finally {
      if (this.closing.get(name) === closed) this.closing.delete(name);
    }
  }
}
