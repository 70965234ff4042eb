/**
 * zonemode=strided: requests stay in one zone until zonesize bytes went there, then in the next.
 *
 *   |<- zonerange ->|<- zoneskip ->|<- zonerange ->|<- zoneskip ->| ..   and again from the start
 *
 * As in fio (HOWTO, zonemode; io_u.c, setup_strided_zone_mode): random offsets are anywhere in the
 * zone, sequential ones begin at its start, and again there if zonesize is more than zonerange.
 * What is skipped does not count as transferred. Where fio ends a job whose last zone lies half
 * outside of the disk, here that zone is shorter.
 */

/** Bytes each. */
export interface ZoneShape {
  /** Transferred before the next zone; 0: there are no zones. */
  readonly sizeBytes: number;
  /** Of a zone; 0: sizeBytes. */
  readonly rangeBytes: number;
  /** Between two zones. */
  readonly skipBytes: number;
}

/** Bytes of a zone; of the region if there are none. */
export function zoneRange({ sizeBytes, rangeBytes }: ZoneShape, regionBytes: number): number {
  if (sizeBytes === 0) return regionBytes;
  return Math.min(regionBytes, rangeBytes === 0 ? sizeBytes : rangeBytes);
}

export class StridedZones {
  readonly #shape: ZoneShape;
  readonly #range: number;
  readonly #regionBytes: number;
  readonly #leastBytes: number;
  #start = 0;
  #transferred = 0;

  /** @param leastBytes the shortest request: a zone has room for one */
  constructor(shape: ZoneShape, regionBytes: number, leastBytes: number) {
    this.#shape = shape;
    this.#range = zoneRange(shape, regionBytes);
    this.#regionBytes = regionBytes;
    this.#leastBytes = leastBytes;
  }

  /** Goes to the zone of the next request. */
  enter(): void {
    if (this.#transferred < this.#shape.sizeBytes) return;
    this.#transferred = 0;
    this.#start += this.#range + this.#shape.skipBytes;
    if (this.#start + this.#leastBytes > this.#regionBytes) this.#start = 0;
  }

  /** A position in the region for one in a zone. */
  random(offsetInZone: number, gridBytes: number): number {
    const room = Math.min(this.#range, this.#regionBytes - this.#start) - this.#leastBytes;
    const count = Math.floor(room / gridBytes) + 1;
    return this.#start + (offsetInZone % (count * gridBytes));
  }

  /** Where a sequential request goes that would go on there. */
  sequential(position: number, lengthBytes: number): number {
    const end = Math.min(this.#start + this.#range, this.#regionBytes);
    const isInside = position >= this.#start && position + lengthBytes <= end;
    return isInside ? position : this.#start;
  }

  give(lengthBytes: number): void {
    this.#transferred += lengthBytes;
  }
}
