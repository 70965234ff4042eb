/**
 * A stack of layers, top first: a sector is what the first layer that has it says.
 *
 * The store's read may not be called again from its visitor, so a layer's holes are gathered first
 * and looked up in the layer below when the read is over.
 *
 * **Thread:** shard.
 */
import type { MemoryRegion } from '../base/bytes.ts';
import { invariant } from '../base/invariant.ts';
import { SECTOR_BYTES } from '../base/units.ts';
import type { Extent } from '../segment/shard-store.ts';
import type { Layer } from './layer.ts';
import { SectorRanges } from './sector-ranges.ts';

/** What is to be read in this layer, and in the next. Of the thread: nothing awaits. */
let wanted = new SectorRanges();
let missing = new SectorRanges();

/**
 * Decrypts each sector of a range from the first layer that has it.
 *
 * @returns what no layer has, ascending; plain is not changed there. Valid until the next call
 */
export function readLayers(
  layers: readonly Layer[],
  first: number,
  count: number,
  plain: MemoryRegion,
  plainAt: number,
): SectorRanges {
  missing.clear();
  missing.add(first, count);
  for (const layer of layers) {
    [wanted, missing] = [missing, wanted];
    missing.clear();
    for (let index = 0; index < wanted.length; index++) {
      const from = wanted.firstOf(index);
      const at = plainAt + (from - first) * SECTOR_BYTES;
      layer.readMapped(from, wanted.countOf(index), plain, at, missing);
    }
    if (missing.length === 0) break;
  }
  return missing;
}

const extent: Extent = { isHole: true, sectorCount: 0 };

/**
 * Number of sectors of a range that some layer has. With one layer the cost is the store's; with
 * several it grows with the extents of the upper ones.
 *
 * @param depth the layer to begin with
 */
export function countMapped(
  layers: readonly Layer[],
  first: number,
  count: number,
  depth = 0,
): number {
  const layer = layers[depth];
  invariant(layer !== undefined, 'there is a layer to look into');
  if (depth === layers.length - 1) return layer.countMapped(first, count);
  let mapped = 0;
  for (let at = first; at < first + count; ) {
    layer.extentAt(at, first + count - at, extent);
    const { isHole, sectorCount } = extent;
    mapped += isHole ? countMapped(layers, at, sectorCount, depth + 1) : sectorCount;
    at += sectorCount;
  }
  return mapped;
}
