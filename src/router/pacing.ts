/**
 * Which face an opened volume gets: the plain one, or the one that is no faster than its category.
 *
 * Chosen once, when the volume is opened, so that disks that are not modelled pay nothing. What
 * modelled ones need, a thread among it, is made for the first of them.
 *
 * **Thread:** main.
 */
import type { PerformanceProfile } from '../performance/profile.ts';
import { DiskIo, type DiskIoOptions } from './disk-io.ts';
import { HeldCompletions } from './held-completions.ts';
import { PacedDiskIo } from './paced-disk-io.ts';

export class Pacing {
  private completions: HeldCompletions | null = null;

  faceOf(options: DiskIoOptions, profile: PerformanceProfile | undefined): DiskIo {
    if (profile === undefined) return new DiskIo(options);
    this.completions ??= new HeldCompletions();
    return new PacedDiskIo(options, profile, this.completions);
  }

  /** When every volume is closed. */
  async close(): Promise<void> {
    await this.completions?.close();
  }
}
