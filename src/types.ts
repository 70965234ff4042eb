/** The library's public types. Implemented by plane.ts and router/disk-io.ts. */

import type { ErrorCode } from './base/errors.ts';
import type { Simulation } from './base/simulation.ts';
import type { TimeCounts } from './base/time-histogram.ts';
import type { World } from './control/access/world.ts';
import type {
  CommonParameters,
  DiskCount,
  EncryptionQuestion,
  Quotas,
  RuleSet,
  Verbs,
} from './control/verbs.ts';

export interface PlaneOptions {
  /** Everything in memory: nothing is written to any file. Excludes dataDir. */
  readonly memory?: boolean;
  /** Directory of a plane on files; made if absent. Excludes memory. */
  readonly dataDir?: string;
  /**
   * Where ExportImage writes images, in plain: <exportDirectory>/<OSSBucket>/... Made when it is
   * needed. A plane in memory exports nothing without it. @default <dataDir>/export
   */
  readonly exportDirectory?: string;
  /** Shards (encrypting threads). Fixed when a data directory is made. @default 2 */
  readonly shards?: number;
  /** Ciphertext the memory store may hold, all shards together. @default 4 GiB */
  readonly memoryLimitBytes?: number;
  /**
   * File that holds the 32-byte root key the KMS vault is sealed under. Without it a key is
   * generated into the data directory (mode 0600).
   */
  readonly rootKeyFile?: string;
  /** Sector cipher; 'auto' takes the fastest that passes its known answers. @default 'auto' */
  readonly engine?: 'auto' | 'openssl-ffi' | 'node-crypto' | 'noble-reference';
  /** The generation of the product whose encryption rules hold. @default '2025' */
  readonly ruleSet?: RuleSet;
  /**
   * How much of something an account may have in a region. @default 256 snapshots of a disk, of
   * disks as many as there is room for
   */
  readonly quotas?: Partial<Quotas>;
  /**
   * Accounts, keys, disks and images to begin with: what of it is not there yet is made. From a
   * file by loadWorld().
   */
  readonly world?: World;
  /**
   * Refuses KMS verbs above the cloud's rates with Rejected.Throttling: in a second 1,000 that
   * encrypt or decrypt, 10 that create a key, 20 that read, 10 that write. @default false
   */
  readonly kmsThrottling?: boolean;
  /** How fast disks are, unless attach() says otherwise. @default 'unlimited' */
  readonly performance?: DiskPerformance;
  /** For tests: time that can be moved, a KMS that can be down. @default the system's time */
  readonly simulation?: Simulation;
  /**
   * Opens the plane although a debugger could read its keys. Otherwise openPlane() and attach()
   * refuse with DebuggerOpen while the inspector listens; SIGUSR1 does not open it while the plane
   * is open, but says so; and core dumps of the process are empty, from then on. @default false
   */
  readonly allowDebugging?: boolean;
}

/**
 * unlimited: as fast as this machine. modelled: no faster than the cloud publishes for its
 * category, performance level and size, and with the latency it publishes.
 */
export type DiskPerformance = 'unlimited' | 'modelled';

export interface AttachOptions {
  /**
   * Of a disk that no instance has: the volume of one that an instance runs with is open already.
   *
   * @default that of the plane
   */
  readonly performance?: DiskPerformance;
}

/** Who makes calls. */
export interface PlanePrincipal {
  readonly accountId: string;
  /** A RAM user of the account. @default the account itself */
  readonly userName?: string;
  /** The region of calls that name none. @default cn-hangzhou */
  readonly regionId?: string;
}

/** A plane as one caller sees it. Nothing to close: it is the plane's. */
export interface PlaneSession {
  /** As Plane.call(), by this caller: refused with what the cloud says to who may not. */
  call<V extends keyof Verbs>(
    verb: V,
    parameters: Verbs[V]['parameters'] & CommonParameters,
  ): Promise<Verbs[V]['result']>;
  /** As Plane.attach(), by this caller. */
  attach(diskId: string, options?: AttachOptions): Promise<Disk>;
  /** As Plane.openSnapshot(), by this caller. */
  openSnapshot(snapshotId: string): Promise<SnapshotReader>;
}

export interface DiskWriteOptions {
  /** Resolve only when the bytes are on stable storage (NBD's FUA). @default false */
  readonly fua?: boolean;
}

/** A part of a disk: written, or a hole, which reads as zeros and takes up no space. */
export interface DiskExtent {
  /** Bytes. */
  readonly length: number;
  readonly isHole: boolean;
}

/**
 * An attached disk. Calls may be made without waiting for earlier ones: they are pipelined, and
 * take effect in the order they were made. Offsets and lengths are bytes, of any alignment. What
 * changes a disk, and flush(), is refused as write() is.
 */
export interface Disk extends AsyncDisposable {
  readonly diskId: string;
  /** Size in bytes. */
  readonly size: number;
  readonly encrypted: boolean;
  /** Where the time of a sample of its requests went, since it was attached. */
  readonly stages: IoStages;
  /**
   * Reads length bytes, 32 MiB at most, into a new buffer that is the caller's.
   *
   * @throws PlaneError OutOfRange, InvalidArgument, RequestTooLarge, DiskClosed, Busy,
   *   ChecksumMismatch, ReadFailed, ShardLost (it was in flight when its shard's thread was lost:
   *   it may be made again), DataLost (a plane in memory lost the disk so); after such a loss, what
   *   an attach is refused with, until the disk's key can be unwrapped again
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Fills `into`, borrowed until the promise settles (unspecified if it fails): no allocation. */
  read(offset: number, into: Uint8Array): Promise<Uint8Array>;
  /**
   * Writes bytes. They are borrowed until the promise settles; then the caller may reuse its
   * buffer. Bytes changed before are stored as either; a buffer detached or made smaller before is
   * InvalidArgument. A write is not atomic as a whole, each of its sectors is.
   *
   * @throws PlaneError as read(), and NoSpace, StoreFailed
   */
  write(offset: number, bytes: Uint8Array, options?: DiskWriteOptions): Promise<void>;
  /** Resolves when every write acknowledged before the call is stable. In memory nothing is. */
  flush(): Promise<void>;
  /** Makes a range of any length read as zeros and gives its space back. */
  trim(offset: number, length: number): Promise<void>;
  /** As trim(): zeros take up no space. */
  writeZeroes(offset: number, length: number): Promise<void>;
  /**
   * What lies in a range, in order from `offset`, holes and written extents by turns: every write
   * acknowledged before the call is seen. A range of very many extents is answered in part, but
   * always by one at least; ask again from where it ended. Extents are exact to a sector of 4,096
   * bytes, a sector written in part is written.
   *
   * @throws PlaneError as read()
   */
  allocation(offset: number, length: number): Promise<readonly DiskExtent[]>;
  /** Detaches: waits for requests in flight, erases the key from the shard. Idempotent. */
  close(): Promise<void>;
}

/**
 * A snapshot that is open for reading: what the disk held at one instant, whatever is written to
 * the disk since. Calls may be made without waiting for earlier ones.
 */
export interface SnapshotReader extends AsyncDisposable {
  readonly snapshotId: string;
  /** Size in bytes. */
  readonly size: number;
  readonly encrypted: boolean;
  /** As Disk.stages. */
  readonly stages: IoStages;
  /**
   * As Disk.read().
   *
   * @throws PlaneError as Disk.read(); DiskClosed also: it was deleted by force, and
   *   InvalidSnapshotId.NotFound: its shard has been replaced since
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  read(offset: number, into: Uint8Array): Promise<Uint8Array>;
  /** As Disk.allocation(). */
  allocation(offset: number, length: number): Promise<readonly DiskExtent[]>;
  /** Waits for requests in flight, erases the key from the shard. Idempotent. */
  close(): Promise<void>;
}

export interface PlaneStats {
  readonly shards: readonly {
    readonly engine: string;
    readonly liveSectors: number;
    readonly storedSectors: number;
    readonly mapBytes: number;
    readonly segments: number;
    readonly trees: number;
    readonly reclaimedSectors: number;
    readonly openVolumes: number;
    readonly heldKeys: number;
    /** From asking the KMS thread for a data key to its answer: part of an attach. */
    readonly unwraps: TimeCounts;
    /** Threads the shard has lost since the plane was opened; each was replaced. */
    readonly losses: number;
    /** Requests to its attached disks since the plane was opened. */
    readonly io: readonly IoCount[];
  }[];
  /** Calls of the main thread to the KMS thread since the plane was opened. */
  readonly kms: readonly KmsCallCount[];
}

/**
 * The time of requests from call to answer, by where they were, in seconds: sums over a sample, of
 * which each disk's first request is one, and one in 32. Requests that failed are left out.
 */
export interface IoStages {
  /** How many there are in the sample. */
  readonly requests: number;
  /** Waited for their shard, and for others of their batch. */
  readonly queue: number;
  /** Were encrypted or decrypted. */
  readonly crypto: number;
  /** All else the shard did for them, and its commit. */
  readonly store: number;
  /** Were done, but not by the disk that is modelled (AttachOptions.performance). */
  readonly held: number;
  /** Were on their way back. */
  readonly answer: number;
}

/** Requests of a kind. */
export interface IoCount {
  readonly operation: 'read' | 'write' | 'flush' | 'zero';
  readonly encrypted: boolean;
  readonly requests: number;
  /** Of those that were done. */
  readonly bytes: number;
  readonly failures: number;
  /** From the call to its answer, of a sample. */
  readonly times: TimeCounts;
  /** The same, by where they were. */
  readonly stages: readonly {
    readonly stage: Exclude<keyof IoStages, 'requests'>;
    readonly times: TimeCounts;
  }[];
}

export interface KmsCallCount {
  readonly operation: string;
  readonly failures: number;
  readonly times: TimeCounts;
}

/** What a search of files for a data key found. */
export interface KeySearch {
  readonly files: number;
  readonly bytes: number;
  /** Places where the data key lies in plain, in any form looked for. */
  readonly hits: number;
  /** Places where it lies wrapped: proof that the search finds keys where there are some. */
  readonly wrappedKeyHits: number;
}

/** A sector cipher engine, and what became of it on this machine. */
export interface EngineSurvey {
  readonly name: string;
  /**
   * chosen: what 'auto' takes; passed: gives the known answers too; failed: cannot be used here.
   */
  readonly verdict: 'chosen' | 'passed' | 'failed';
  /** How it works, or why it does not. */
  readonly reason: string;
}

export interface PlaneCheck {
  readonly sectorsChecked: number;
  /** One sentence each; empty if everything is as it should be. */
  readonly problems: readonly string[];
}

export interface ScrubOptions {
  /** Pace; 0: as fast as it goes. @default 64 MiB/s */
  readonly bytesPerSecond?: number;
  /** Called after each step of about 256 KiB. */
  readonly onProgress?: (progress: ScrubProgress) => void;
  /** Ends the scrub where it is. */
  readonly signal?: AbortSignal;
}

export interface ScrubProgress {
  /** Shards are scrubbed one after the other. */
  readonly shardsDone: number;
  /** Of the shard it is at: a tree is a layer of a disk or snapshot. */
  readonly treesDone: number;
  readonly trees: number;
  readonly sectorsRead: number;
  readonly damagedSectors: number;
}

/** A sector that does not hold what was written: reads of it fail, until it is written again. */
export interface ScrubFinding {
  /** The disk or snapshot. */
  readonly resourceId: string;
  /** Byte 4096 times this of the disk. */
  readonly sector: number;
  /** What a read is answered: ChecksumMismatch or ReadFailed. */
  readonly code: ErrorCode;
}

export interface ScrubReport {
  /** false: it was ended before it had read everything. */
  readonly isComplete: boolean;
  /** What several disks and snapshots share is read for each of them. */
  readonly sectorsRead: number;
  readonly damagedSectors: number;
  /** The first 10,000. */
  readonly damage: readonly ScrubFinding[];
}

/** Memory that shards use in place until close(). */
export interface RegisteredBuffer extends AsyncDisposable {
  readonly buffer: SharedArrayBuffer;
  /** Waits for the requests that use it; later ones are copied, as any. Idempotent. */
  close(): Promise<void>;
}

/** An open plane. Holds threads and files until close(). */
export interface Plane extends AsyncDisposable {
  /**
   * Does one control operation, as the account the plane opened with. Names and parameters are the
   * cloud's (ECS and KMS API).
   */
  call<V extends keyof Verbs>(
    verb: V,
    parameters: Verbs[V]['parameters'] & CommonParameters,
  ): Promise<Verbs[V]['result']>;
  /** Attaches a disk for I/O: its data key is unwrapped straight into its shard's memory. */
  attach(diskId: string, options?: AttachOptions): Promise<Disk>;
  /**
   * Opens a snapshot for reading, any number of times: its data key is unwrapped straight into its
   * shard's memory each time. DeleteSnapshot is refused meanwhile, unless by force.
   *
   * @throws PlaneError InvalidSnapshotId.NotFound, InvalidSnapshotId.NotReady; OperationDenied: it
   *   is shared by another account; InvalidParameter.KMSKeyId.CMKNotEnabled and what else an attach
   *   is refused with
   */
  openSnapshot(snapshotId: string): Promise<SnapshotReader>;
  /** The plane as another account, or a RAM user, sees it. */
  as(principal: PlanePrincipal): PlaneSession;
  /**
   * Shows shared memory to the shards, as io_uring's registered buffers are shown to the kernel:
   * reads and writes of whole sectors whose Uint8Array lies in it are then decrypted into it and
   * encrypted from it directly. All others are copied once on the main thread.
   *
   * Bytes of a read that failed are unspecified. Bytes of a write that are changed before it
   * settles are stored as either.
   *
   * @throws PlaneError InvalidArgument: not a SharedArrayBuffer of fixed size, or registered
   *   already; RequestTooLarge: more than 1 GiB; Busy: 4,096 are registered
   */
  registerBuffer(buffer: SharedArrayBuffer): Promise<RegisteredBuffer>;
  /**
   * Which key, and why, in words: what a call would be answered, or why a disk or snapshot that is
   * there is encrypted as it is. The library's explainEncryption() gives the same as data.
   *
   * @throws PlaneError InvalidArgument: no table speaks of it; InvalidDiskId.NotFound,
   *   InvalidSnapshotId.NotFound; InvalidParameter: a disk nothing was decided for
   */
  explain(about: EncryptionQuestion | string): Promise<readonly string[]>;
  /**
   * The region a disk, snapshot, image or instance is in; undefined: there is none of that id. For
   * doors whose callers name a resource and no region.
   */
  regionOf(resourceId: string): string | undefined;
  stats(): Promise<PlaneStats>;
  /** Disks of all accounts, by state and encryption. Reads the record of each. */
  countDisks(): readonly DiskCount[];
  /**
   * Looks for a disk's data key, in plain, in every file of the data directory. The KMS thread does
   * the looking: the key is not given to anybody.
   *
   * @throws PlaneError InvalidDiskId.NotFound; InvalidArgument: a disk stored in plain, or a plane
   *   in memory; what KMS refuses an unwrap with
   */
  searchForKey(diskId: string): Promise<KeySearch>;
  /** Runs every sector cipher engine's known answers in a shard. */
  surveyEngines(): Promise<readonly EngineSurvey[]>;
  /** Checks metadata and every stored sector; problems are sentences. */
  check(): Promise<PlaneCheck>;
  /**
   * Reads every stored sector in the background and compares it with its checksum, at a pace, while
   * the plane serves. What is damaged is in the result and, as it is found, in the audit log.
   *
   * @throws PlaneError OperationConflict: a scrub is under way; InvalidArgument; ShardLost: a shard
   *   is not replaced
   */
  scrub(options?: ScrubOptions): Promise<ScrubReport>;
  /** Waits for requests in flight, erases all keys, closes files, ends threads. Idempotent. */
  close(): Promise<void>;
}
