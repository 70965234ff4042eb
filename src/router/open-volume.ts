/** A volume that is open, as the set of shards keeps it. */
import type { DiskIo } from './disk-io.ts';
import type { VolumeGate } from './volume-gate.ts';

/** A volume that is open, by whatever face. */
export interface OpenVolume {
  readonly io: DiskIo;
  readonly isReadOnly: boolean;
  readonly shardIndex: number;
  /** Of its layers, top first, as they were last opened or changed. */
  trees: readonly string[];
  /** There is one while the volume is not open. */
  gate: VolumeGate | null;
  opening: Promise<void> | null;
}
