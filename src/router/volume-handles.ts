/**
 * The numbers open volumes go by, as slots of the ring name them: unique among open volumes, and
 * used again as late as can be.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../base/errors.ts';
import { ATTACHED_DISKS_MAX } from '../limits.ts';

export class VolumeHandles {
  private readonly taken = new Set<number>();
  private next = 1;

  /** @throws PlaneError Busy: as many are open as may be */
  take(): number {
    if (this.taken.size === ATTACHED_DISKS_MAX) {
      throw new PlaneError('Busy', `${ATTACHED_DISKS_MAX} disks are attached`);
    }
    while (this.taken.has(this.next)) this.next = after(this.next);
    const handle = this.next;
    this.taken.add(handle);
    this.next = after(handle);
    return handle;
  }

  /** The volume is closed in its shard. */
  giveBack(handle: number): void {
    this.taken.delete(handle);
  }
}

function after(handle: number): number {
  return handle >= 2 * ATTACHED_DISKS_MAX ? 1 : handle + 1;
}
