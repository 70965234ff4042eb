/** The call of a request to its target. */
import { FLUSH, READ, TRIM, WRITE } from './operation-source.ts';
import type { RequestSlot } from './request-slot.ts';
import type { TargetDisk } from './target.ts';

/**
 * @param syncsWrites a flush follows each write, as a part of it
 * @returns null: the target tells the slot by itself
 */
export function callTarget(slot: RequestSlot, syncsWrites: boolean): Promise<unknown> | null {
  const { disk } = slot.disk!;
  const { offsetBytes, lengthBytes } = slot;
  switch (slot.operation) {
    case READ:
      if (disk.startRead === undefined) return disk.read(offsetBytes, slot.readBytes());
      disk.startRead(offsetBytes, slot.readBytes(), slot);
      return null;
    case WRITE:
      return write(disk, slot, syncsWrites);
    case TRIM:
      return disk.trim(offsetBytes, lengthBytes);
    case FLUSH:
      return disk.flush();
  }
}

function write(disk: TargetDisk, slot: RequestSlot, isSynced: boolean): Promise<unknown> | null {
  const { offsetBytes } = slot;
  if (disk.startWrite === undefined || isSynced) {
    const written = disk.write(offsetBytes, slot.writeBytes());
    return isSynced ? written.then(() => disk.flush()) : written;
  }
  disk.startWrite(offsetBytes, slot.writeBytes(), slot);
  return null;
}
