/** A disk under load: the target's disk, and the model its reads are judged by if they are. */
import type { DiskVerifier } from './disk-verifier.ts';
import type { TargetDisk } from './target.ts';

export interface LoadDisk {
  readonly disk: TargetDisk;
  /** null: nothing on this disk is verified. */
  readonly verifier: DiskVerifier | null;
}
