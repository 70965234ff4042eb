/**
 * A stack of layers, top first: a sector is what the first layer that has it says.
 *
 * The store's read may not be called again from its visitor, so a layer's holes are gathered first
 * and looked up in the layer below when the read is over.
 *
 * **Thread:** shard.
 */
import type { MemoryRegion } from '../base/bytes.ts';
import { SECTOR_BYTES } from '../base/units.ts';
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
