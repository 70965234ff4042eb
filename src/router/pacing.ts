/**
 * Which face an opened volume gets: the plain one, or the one that is no faster than its category
 * and, with the other disks of its instance, than its instance.
 *
 * Chosen once, when the volume is opened, so that disks that are not modelled pay nothing. What
 * modelled ones need, a thread among it, is made for the first of them; the limits of an instance
 * are there while one of its disks is open.
 *
 * **Thread:** main.
 */
import { systemClock } from '../base/clock.ts';
import { DiskPacer } from '../performance/pacer.ts';
import { stageOf } from '../performance/profile.ts';
import { DiskIo, type DiskIoOptions } from './disk-io.ts';
import { HeldCompletions } from './held-completions.ts';
import { PacedDiskIo, type SharedStage } from './paced-disk-io.ts';
import type { InstanceLimits, VolumeToOpen } from './volume-to-open.ts';

export class Pacing {
  private completions: HeldCompletions | null = null;
  private readonly instances = new Map<string, InstanceStage>();

  faceOf(options: DiskIoOptions, volume: Pick<VolumeToOpen, 'profile' | 'instance'>): DiskIo {
    const { profile, instance } = volume;
    if (profile === undefined) return new DiskIo(options);
    this.completions ??= new HeldCompletions();
    const shared = instance === undefined ? null : this.enter(instance);
    return new PacedDiskIo(options, profile, this.completions, shared);
  }

  /** When every volume is closed. */
  async close(): Promise<void> {
    await this.completions?.close();
  }

  /** Instances that have an open disk, and limits. */
  get instanceCount(): number {
    return this.instances.size;
  }

  private enter(limits: InstanceLimits): InstanceStage {
    const { instanceId } = limits;
    let stage = this.instances.get(instanceId);
    if (stage === undefined) {
      stage = new InstanceStage(limits, () => this.instances.delete(instanceId));
      this.instances.set(instanceId, stage);
    }
    stage.enter();
    return stage;
  }
}

class InstanceStage implements SharedStage {
  private readonly pacer: DiskPacer;
  private readonly onEmpty: () => void;
  private disks = 0;

  constructor(limits: InstanceLimits, onEmpty: () => void) {
    this.pacer = new DiskPacer(stageOf(limits), systemClock.monotonic() * 1_000);
    this.onEmpty = onEmpty;
  }

  enter(): void {
    this.disks++;
  }

  pass(now: number, bytes: number): number {
    this.pacer.admit(now, bytes, 0);
    return this.pacer.startedAt;
  }

  leave(): void {
    if (--this.disks === 0) this.onEmpty();
  }
}
