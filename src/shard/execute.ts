/**
 * The one switch of the data path: a ring slot, by its operation, on its volume.
 *
 * **Thread:** shard.
 */
import type { MemoryRegion } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant, unreachable } from '../base/invariant.ts';
import { FLAG_FUA, OPERATION, type Operation, type ShardChannel } from '../record/shard-channel.ts';
import type { ShardStore } from '../segment/shard-store.ts';
import type { Volume } from './volume.ts';

/**
 * Executes the slot at `position`. Its outcome is in the slot; nothing is published yet.
 *
 * @returns true if the request asks for stable storage before it completes
 */
export function executeSlot(
  channel: ShardChannel,
  position: number,
  volumes: ReadonlyMap<number, Volume>,
  buffers: ReadonlyMap<number, MemoryRegion>,
): boolean {
  const handle = channel.handle(position);
  const volume = volumes.get(handle);
  if (volume === undefined) {
    channel.fail(position, 'DiskClosed', `no open volume has handle ${handle}`);
    return false;
  }
  const operation = channel.operation(position) as Operation;
  const offset = channel.offsetBytes(position);
  const length = channel.lengthBytes(position);
  const at = channel.bufferOffset(position);
  const buffer = buffers.get(channel.buffer(position));
  invariant(buffer !== undefined, 'a slot names a buffer that is registered');
  try {
    switch (operation) {
      case OPERATION.read:
        volume.read(offset, length, buffer, at);
        return false;
      case OPERATION.write:
        volume.write(offset, length, buffer, at);
        break;
      case OPERATION.zero:
        volume.zero(offset, length);
        break;
      case OPERATION.flush:
        return true;
      default:
        unreachable(operation);
    }
    return (channel.flags(position) & FLAG_FUA) !== 0;
  } catch (error) {
    failSlot(channel, position, error);
    return false;
  }
}

/** Records an operating error in a slot; a broken invariant goes on and ends the thread. */
export function failSlot(channel: ShardChannel, position: number, error: unknown): void {
  if (!(error instanceof PlaneError)) throw error;
  const record = error.toRecord();
  channel.fail(position, record.code, record.message);
}

/** Makes everything executed so far durable. @returns the error if the store refused */
export function settleStore(store: ShardStore, isFlush: boolean): PlaneError | null {
  try {
    if (isFlush) store.flush();
    else store.commit();
    return null;
  } catch (error) {
    if (error instanceof PlaneError) return error;
    throw error;
  }
}
