/**
 * What is exported, as the protocol sees it: names, sizes, and disks that are opened when a client
 * has asked for them and closed after the last one.
 *
 * 1. Nothing is opened for a client that has only connected (CVE-2019-14850): opening a disk takes
 *    its key out of KMS.
 * 2. A disk is attached once; any number of connections share it.
 *
 * **Thread:** main.
 */
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
}

/** Where a server finds its exports: the list may change while it runs. */
export interface ExportDirectory {
  /** Names a client is shown. */
  list(): readonly NbdExport[];
  /** null: there is none. The empty name is the default export, if there is one. */
  find(name: string): NbdExport | null;
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

/** Disks that are open for some connection, by their export. */
export class OpenExports {
  private readonly open = new Map<NbdExport, OpenExport>();
  /** Of exports whose last use is over: the next one waits until the disk is detached. */
  private readonly closing = new Map<NbdExport, Promise<void>>();

  /** @throws PlaneError as NbdExport.open() */
  async use(wanted: NbdExport): Promise<ExportUse> {
    await this.closing.get(wanted)?.catch(() => {});
    let entry = this.open.get(wanted);
    if (entry === undefined) {
      entry = { opened: wanted.open(), uses: 0 };
      this.open.set(wanted, entry);
    }
    const owner = entry;
    owner.uses++;
    let leaving: Promise<void> | null = null;
    const leave = (): Promise<void> => {
      leaving ??= this.leave(wanted, owner);
      return leaving;
    };
    try {
      const { disk } = await owner.opened;
      return { export: wanted, disk, leave };
    } catch (error) {
      owner.uses--;
      if (this.open.get(wanted) === owner) this.open.delete(wanted);
      throw error;
    }
  }

  private async leave(wanted: NbdExport, owner: OpenExport): Promise<void> {
    owner.uses--;
    if (owner.uses > 0) return;
    this.open.delete(wanted);
    const closed = owner.opened.then((opened) => opened.close());
    this.closing.set(wanted, closed);
    try {
      await closed;
    } finally {
      if (this.closing.get(wanted) === closed) this.closing.delete(wanted);
    }
  }
}
