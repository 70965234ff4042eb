/**
 * Control messages between main and a shard. Sector I/O does not go this way: see shard-channel.ts.
 *
 * 1. Main gives a shard wrapped keys only. No message in either direction has a field that could
 *    hold a plaintext data key.
 * 2. Main drains a disk's ring requests before it sends a control message about that disk.
 * 3. Replies carry the id of their request.
 */
import type { ErrorRecord } from '../base/errors.ts';
import type { WrapContext } from './kms-message.ts';
import type { ShardChannelMemory } from './shard-channel.ts';

/** What a shard thread is started with. Port: a MessagePort, moved. */
export interface ShardStart<Port> {
  readonly memory: ShardChannelMemory;
  readonly control: Port;
  /** The private channel to the KMS thread; main gave away both ends. */
  readonly kms: Port;
  readonly store:
    | { readonly kind: 'memory'; readonly memoryLimitBytes: number }
    | { readonly kind: 'file'; readonly directory: string };
  readonly engine: 'auto' | 'openssl-ffi' | 'node-crypto' | 'noble-reference';
  readonly pollMicroseconds: number;
}

/** The shard's first message, id 0: it is ready, or says why not and ends. */
export const START_ID = 0;

/** One layer of a volume: a tree, and the wrapped data key it is encrypted under, or plain. */
export interface VolumeLayer {
  readonly tree: string;
  readonly wrappedKey: Uint8Array | null;
  readonly context: WrapContext | null;
}

/** What a step of re-encryption answers; what it says is committed. */
export interface ReencryptProgress {
  /** Sectors it moved to the top layer. */
  readonly movedSectors: number;
  /**
   * Sectors of lower layers that steps have still to look at, as far as they are counted: the first
   * steps count more of a large disk each. Those that a caller discards meanwhile go on being
   * counted until a step passes them.
   */
  readonly remainingSectors: number;
  /** The lower layers are empty, and what was in them is on stable storage. */
  readonly isDone: boolean;
}

/** What a shard is told to do, other than I/O. */
export type ShardRequest =
  /** Opens a volume under a handle of main's choosing. Wrapped keys are unwrapped through KMS. */
  | {
      readonly op: 'openVolume';
      readonly handle: number;
      readonly diskId: string;
      readonly sizeBytes: number;
      /** Top first, at least one. */
      readonly layers: readonly VolumeLayer[];
      /** No request may change it: what is open is a snapshot. */
      readonly isReadOnly?: boolean;
    }
  /** Puts a new, empty layer on top of an open volume: from then on it takes the writes. */
  | { readonly op: 'pushLayer'; readonly handle: number; readonly layer: VolumeLayer }
  /**
   * Moves at most so many sectors from lower layers to the top one, so many at once between the
   * requests of callers. Result: ReencryptProgress.
   */
  | {
      readonly op: 'reencryptStep';
      readonly handle: number;
      readonly sectorsMax: number;
      readonly sliceSectors: number;
    }
  /** Lower layers, which have to be empty, are given up and their keys erased. */
  | { readonly op: 'dropLowerLayers'; readonly handle: number }
  /** Closes a volume and erases its keys. */
  | { readonly op: 'closeVolume'; readonly handle: number }
  /** Shows the shard memory of a caller; ring slots name it by its number. */
  | {
      readonly op: 'registerBuffer';
      readonly number: number;
      readonly buffer: SharedArrayBuffer;
    }
  /** No slot in the ring names it any more. */
  | { readonly op: 'unregisterBuffer'; readonly number: number }
  | { readonly op: 'resizeVolume'; readonly handle: number; readonly sizeBytes: number }
  /** Lengths of runs of sectors, mapped and holes by turns (shard/extents.ts). */
  | {
      readonly op: 'findRuns';
      readonly handle: number;
      readonly sector: number;
      readonly sectorCount: number;
    }
  /** Makes tree `target` a copy-on-write copy of tree `source`, durable before the reply. */
  | { readonly op: 'shareTree'; readonly source: string; readonly target: string }
  /** shareTree of all layers at one instant: of a stack shared one by one, older bytes may show. */
  | {
      readonly op: 'shareTrees';
      readonly pairs: readonly { readonly source: string; readonly target: string }[];
    }
  /** Closes volumes that have the tree open: DiskClosed is what they answer from then on. */
  | { readonly op: 'removeTree'; readonly name: string }
  /** Removes every tree not named: what a crash left between a removal's two halves. */
  | { readonly op: 'retainTrees'; readonly names: readonly string[] }
  | { readonly op: 'stats' }
  /** Runs the known answers of every cipher engine. */
  | { readonly op: 'surveyEngines' }
  | { readonly op: 'check' }
  /** Erases all keys, flushes and closes the store, and ends the serve loop. */
  | { readonly op: 'stop' };

export interface ShardCall {
  readonly id: number;
  readonly request: ShardRequest;
}

export type ShardReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: ErrorRecord };
