/**
 * Reads, writes, zeros and flushes of attached disks, each told to the model when it is made and
 * when it is answered, and every read compared with it.
 */
import type { Prng } from '../../src/base/prng.ts';
import { DiskIo } from '../../src/router/disk-io.ts';
import { putSector, SECTOR, versionAt } from '../support/sector-pattern.ts';
import { codeOf } from './causes.ts';
import { HOLE, type ModelWrite } from './model.ts';
import { drawKind, type Swarm } from './swarm.ts';
import type { Trace } from './trace.ts';
import type { Attachment, Resource } from './world.ts';

export interface CallerSeams {
  readonly prng: Prng;
  readonly trace: Trace;
  readonly swarm: Swarm;
  /** Whether answers of the process that is open now still count: it has not crashed since. */
  readonly counting: () => () => boolean;
  readonly violation: (text: string) => void;
  /** Judges an error a caller got. */
  readonly refused: (what: string, error: unknown, also?: readonly string[]) => void;
}

const zeros = Buffer.alloc(SECTOR);

/** Versions of the sectors read. @throws Error a sector is not whole, or another's */
export function versionsOf(bytes: Uint8Array, sector: number): number[] {
  const versions: number[] = [];
  for (let at = 0; at < bytes.byteLength; at += SECTOR) {
    const isHole = zeros.equals(bytes.subarray(at, at + SECTOR));
    versions.push(isHole ? HOLE : versionAt(bytes, at, sector + at / SECTOR));
  }
  return versions;
}

/** Codes after which a write has not been done. */
const NOT_DONE: ReadonlySet<string> = new Set(['DiskClosed', 'OutOfRange', 'Busy']);

export class IoCaller {
  /** Requests made. */
  made = 0;
  /** Requests that nobody has answered yet. */
  unanswered = 0;
  readonly #seams: CallerSeams;
  #version = 0;

  constructor(seams: CallerSeams) {
    this.#seams = seams;
  }

  /** The process is gone, and with it who would answer. */
  forget(): void {
    this.unanswered = 0;
  }

  /** Makes one request of what is open. @returns false: nothing is, or enough is under way */
  act(resources: readonly Resource[]): boolean {
    const { prng, swarm } = this.#seams;
    const open = resources.filter(({ attachment }) => attachment !== null && !attachment.isClosing);
    const resource = open[prng.nextBelow(Math.max(1, open.length))];
    if (resource === undefined || this.unanswered >= swarm.depth) return false;
    const kind = drawKind(prng, swarm.ioWeights);
    const sector = prng.nextBelow(swarm.spanSectors);
    const sectorCount = 1 + prng.nextBelow(Math.min(swarm.sectorsMax, swarm.spanSectors - sector));
    const { disk } = resource.attachment!;
    if (!(disk instanceof DiskIo)) void this.read(resource, disk, sector, sectorCount);
    else if (kind === 'flush') this.#flush(resource, disk);
    else if (kind === 'read') void this.read(resource, disk, sector, sectorCount);
    else this.#write(resource, disk, sector, sectorCount, kind);
    return true;
  }

  async read(
    resource: Resource,
    disk: Attachment['disk'],
    sector: number,
    sectorCount: number,
  ): Promise<void> {
    const what = `read of ${resource.id} [${sector}, +${sectorCount})`;
    const { losses } = resource.volume;
    await this.#request(what, disk.read(sector * SECTOR, sectorCount * SECTOR), (bytes) => {
      let versions: number[];
      try {
        versions = versionsOf(bytes, sector);
      } catch (error) {
        this.#seams.violation(`${what}: ${String(error)}`);
        return;
      }
      this.#seams.trace.note('read', sector, ...versions);
      const wrong = resource.volume.read(sector, versions, losses);
      if (wrong !== null) this.#seams.violation(`${what}: ${wrong}`);
    });
  }

  #flush(resource: Resource, disk: DiskIo): void {
    const settled = this.#request(`flush of ${resource.id}`, disk.flush(), () => {
      resource.volume.flushed();
    });
    void settled;
  }

  #write(
    resource: Resource,
    disk: DiskIo,
    sector: number,
    sectorCount: number,
    kind: 'write' | 'fuaWrite' | 'zero',
  ): void {
    const { volume, id } = resource;
    const version = kind === 'zero' ? HOLE : ++this.#version;
    const write: ModelWrite = { sector, sectorCount, version, isFua: kind === 'fuaWrite' };
    volume.begin(write);
    const at = sector * SECTOR;
    const what = `${kind} ${version} of ${id} [${sector}, +${sectorCount})`;
    this.#seams.trace.note(what);
    const answered =
      kind === 'zero'
        ? disk.writeZeroes(at, sectorCount * SECTOR)
        : disk.write(at, patternOf(write), { fua: write.isFua });
    const failed = (error: unknown): void =>
      volume.end(write, NOT_DONE.has(codeOf(error)) ? 'not' : 'unknown');
    void this.#request(
      what,
      answered,
      () => {
        if (volume.inFlight[0] !== write) this.#seams.violation(`${what} was answered too early`);
        volume.end(write, 'done');
      },
      failed,
    );
  }

  async #request<T>(
    what: string,
    answer: Promise<T>,
    done: (value: T) => void,
    failed: (error: unknown) => void = () => {},
  ): Promise<void> {
    this.made++;
    this.unanswered++;
    const { counting, refused, trace } = this.#seams;
    const isCounted = counting();
    try {
      const value = await answer;
      if (!isCounted()) return;
      this.unanswered--;
      trace.note('done', what);
      done(value);
    } catch (error) {
      if (!isCounted()) return;
      this.unanswered--;
      trace.note('refused', what, codeOf(error));
      failed(error);
      refused(what, error);
    }
  }
}

function patternOf({ sector, sectorCount, version }: ModelWrite): Uint8Array {
  const bytes = new Uint8Array(sectorCount * SECTOR);
  for (let index = 0; index < sectorCount; index++) {
    putSector(bytes, index * SECTOR, sector + index, version);
  }
  return bytes;
}
