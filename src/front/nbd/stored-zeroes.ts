/**
 * WRITE_ZEROES with NO_HOLE: zeros that take up space, so that a later write finds its place
 * ("NBD_CMD_WRITE_ZEROES"). Written piece by piece from one buffer, whatever the length.
 *
 * **Thread:** main.
 */
import { MIB } from '../../base/units.ts';
import type { Disk } from '../../types.ts';

const PIECE_BYTES = MIB;
const ZEROS = new Uint8Array(PIECE_BYTES);

export async function writeStoredZeroes(disk: Disk, offset: number, length: number): Promise<void> {
  const end = offset + length;
  for (let at = offset; at < end; ) {
    // Ends on a piece's edge, so that all but the first and the last are whole sectors.
    const next = Math.min(end, (Math.floor(at / PIECE_BYTES) + 1) * PIECE_BYTES);
    await disk.write(at, ZEROS.subarray(0, next - at));
    at = next;
  }
}
