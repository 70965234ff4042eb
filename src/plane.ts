/**
 * The composition root: builds every part of a plane in order, and closes them in reverse.
 *
 *   data directory (lock) ─▶ KMS thread ─▶ metadata ─▶ shards, each introduced to the KMS thread
 *     ─▶ reconcile (what a crash left half done) ─▶ accounts, and a world if one is given ─▶ open
 *
 *   open ──close()──▶ closing: disks drained and detached, shards stopped, KMS closed ──▶ closed
 *
 * **Thread:** main.
 */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { systemClock } from './base/clock.ts';
import { PlaneError } from './base/errors.ts';
import { checkNoDebugger, hardenProcess } from './base/process-hardening.ts';
import { ensureAccount } from './control/access/accounts.ts';
import { seedWorld } from './control/access/seed-world.ts';
import { removeExpiredTokens, TokensInUse } from './control/access/tokens.ts';
import { attachDisk, detachDisk } from './control/attach.ts';
import { callVerb } from './control/call.ts';
import type { PlaneContext, Principal } from './control/context.ts';
import { countDisks, type DiskCount } from './control/disks/count-disks.ts';
import { explainEncryption } from './control/encryption/explain.ts';
import { findDisk, findRegionOf } from './control/find.ts';
import { TaskRunner } from './control/jobs/task-runner.ts';
import { toDiskError } from './control/kms-errors.ts';
import { quotasOf } from './control/quotas.ts';
import { reconcile } from './control/reconcile.ts';
import { reopenVolume } from './control/reopen-volume.ts';
import { ResourceLocks } from './control/resource-locks.ts';
import { Scrubs } from './control/scrubs.ts';
import { openSnapshot } from './control/snapshots/open-snapshot.ts';
import { RetentionSweeps } from './control/snapshots/retention.ts';
import { UnnamedTrees } from './control/unnamed-trees.ts';
import type { CommonParameters, EncryptionQuestion, Verbs } from './control/verbs.ts';
import { volumeOf, volumeWith } from './control/volume-of.ts';
import { ACCOUNT_DEFAULT, CONTROL_CALLS_MAX, SHARDS_DEFAULT } from './limits.ts';
import type { DataDirectory } from './meta/data-directory.ts';
import { type Metadata, openMetadata } from './meta/metadata.ts';
import {
  checkAttach,
  checkObject,
  checkOptions,
  checkText,
  openDirectory,
  openExports,
  performanceOf,
  principalOf,
} from './plane-options.ts';
import { requireMetadata, sabotageOf, shardStarter, startShards } from './plane-shards.ts';
import { taskVolumesOf, volumesOf } from './plane-volumes.ts';
import type { DiskRecord } from './record/resource.ts';
import type { ShardRequest } from './record/shard-message.ts';
import { HeldVolumes } from './router/held-volumes.ts';
import { ShardSet } from './router/shard-set.ts';
import { type KmsThread, startKmsThread } from './threads/kms-thread.ts';
import type {
  AttachOptions,
  Disk,
  DiskPerformance,
  EngineSurvey,
  KeySearch,
  Plane,
  PlaneCheck,
  PlaneOptions,
  PlanePrincipal,
  PlaneSession,
  PlaneStats,
  RegisteredBuffer,
  ScrubOptions,
  ScrubReport,
  SnapshotReader,
} from './types.ts';

/** Whom a plane's own calls are made by. */
const OWNER: Principal = principalOf({ accountId: ACCOUNT_DEFAULT });

/** Everything open, in the order it was opened; what a failure or close() has to undo. */
interface Parts {
  readonly directory: DataDirectory | null;
  readonly kms: KmsThread;
  readonly shards: ShardSet;
  readonly held: HeldVolumes;
  readonly metadata: Metadata;
  readonly tasks: TaskRunner;
  readonly retention: RetentionSweeps;
  readonly scrubs: Scrubs;
  readonly context: PlaneContext;
  /** @throws PlaneError DebuggerOpen */
  readonly checkDebugger: () => void;
}

interface OpenParts extends Parts {
  readonly performance: DiskPerformance;
  /** Lets the process be debugged again, as far as this plane is concerned. */
  readonly soften: () => void;
}

/**
 * Opens a plane: in memory, or on a data directory that is made if there is none.
 *
 * @param options see PlaneOptions
 * @throws PlaneError InvalidArgument, DataDirectoryLocked, DataDirectoryForeign,
 *   DataDirectoryVersion, DataDirectoryCorrupt, DataDirectoryUnusable, NoSpace, RootKeyInvalid,
 *   CipherUnavailable, WorldInvalid, DebuggerOpen
 *
 * **Thread:** main.
 */
export async function openPlane(options: PlaneOptions): Promise<Plane> {
  checkOptions(options);
  const undo: (() => Promise<void>)[] = [];
  const soften = options.allowDebugging === true ? () => {} : hardenProcess();
  undo.push(async () => soften());
  try {
    const performance = performanceOf(options);
    return new OpenPlane({ ...(await build(options, undo)), performance, soften });
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

async function build(options: PlaneOptions, undo: (() => Promise<void>)[]): Promise<Parts> {
  const clock = options.simulation?.clock ?? systemClock;
  const directory = openDirectory(options);
  if (directory !== null) undo.push(async () => directory.release());
  const kms = await startKms(options, directory);
  undo.push(() => kms.close());
  const metaPath = directory === null ? null : join(directory.path, 'meta');
  const metadata = await openMetadata(metaPath, { now: clock.now });
  undo.push(() => metadata.close());
  const shardCount = directory?.shards ?? options.shards ?? SHARDS_DEFAULT;
  const start = shardStarter(options, directory, shardCount, kms);
  const threads = await startShards(start, shardCount, undo);
  const unnamedTrees = new UnnamedTrees();
  const shards = new ShardSet({
    threads,
    restart: start,
    isVolatile: directory === null,
    lossesMax: sabotageOf(options)?.options.lossesMax,
    cores: availableParallelism(),
    treesToKeep: (shardIndex) => unnamedTrees.namesToKeep(metadata, shardIndex),
    reopen: (id, open) => reopenVolume({ clock, metadata }, id, open),
  });
  kms.onRestarted = () => void shards.connectKms();
  const held = new HeldVolumes(shards);
  // Checked again before each key: an inspector may have been opened since.
  const checkDebugger = options.allowDebugging === true ? () => {} : checkNoDebugger;
  const untasked = {
    clock,
    randomBytes: (byteCount: number) => randomBytes(byteCount),
    metadata,
    kms,
    shards,
    volumes: volumesOf(shards, held, checkDebugger, performanceOf(options), metadata),
    locks: new ResourceLocks(),
    unnamedTrees,
    tokens: new TokensInUse(clock.now()),
    ruleSet: options.ruleSet ?? ('2025' as const),
    quotas: quotasOf(options.quotas ?? {}),
  };
  const tasks = new TaskRunner({
    ...untasked,
    taskVolumes: taskVolumesOf(shards),
    exportFiles: openExports(options, directory),
  });
  const context: PlaneContext = { ...untasked, tasks };
  await populate(context, options, shards);
  await tasks.start();
  undo.push(() => tasks.close());
  const retention = new RetentionSweeps(context);
  retention.start();
  undo.push(() => retention.close());
  const scrubs = new Scrubs(context);
  const base = { directory, kms, shards, held, metadata };
  return { ...base, tasks, retention, scrubs, context, checkDebugger };
}

function startKms(options: PlaneOptions, directory: DataDirectory | null): Promise<KmsThread> {
  return startKmsThread({
    dataDir: directory?.path ?? null,
    rootKeyFile: options.rootKeyFile ?? null,
    throttling: options.kmsThrottling ?? false,
    sabotage: sabotageOf(options),
    simulation: options.simulation ?? null,
  });
}

/** What a crash left half done is put right; there is an account, and a world if one is given. */
async function populate(
  context: PlaneContext,
  options: PlaneOptions,
  shards: ShardSet,
): Promise<void> {
  await requireMetadata(context.metadata, shards);
  await reconcile(context);
  await removeExpiredTokens(context.metadata, context.clock.now());
  await ensureAccount(context.metadata, ACCOUNT_DEFAULT, context.clock.now());
  if (options.world === undefined) return;
  const releases: (() => void)[] = [];
  await seedWorld(context, options.world, (disk) => {
    releases.push(context.unnamedTrees.hold(disk));
    return shards.attach(volumeOf(disk), async () => {});
  });
  for (const release of releases) release();
}

class OpenPlane implements Plane {
  private readonly parts: OpenParts;
  private closing: Promise<void> | null = null;
  private callsInFlight = 0;

  constructor(parts: OpenParts) {
    this.parts = parts;
  }

  call<V extends keyof Verbs>(
    verb: V,
    parameters: Verbs[V]['parameters'] & CommonParameters,
  ): Promise<Verbs[V]['result']> {
    return this.callAs(OWNER, verb, parameters);
  }

  attach(diskId: string, options?: AttachOptions): Promise<Disk> {
    return this.attachAs(OWNER, diskId, options);
  }

  openSnapshot(snapshotId: string): Promise<SnapshotReader> {
    return this.openSnapshotAs(OWNER, snapshotId);
  }

  as(caller: PlanePrincipal): PlaneSession {
    const principal = principalOf(caller);
    return {
      call: (verb, parameters) => this.callAs(principal, verb, parameters),
      attach: (diskId, options) => this.attachAs(principal, diskId, options),
      openSnapshot: (snapshotId) => this.openSnapshotAs(principal, snapshotId),
    };
  }

  async registerBuffer(buffer: SharedArrayBuffer): Promise<RegisteredBuffer> {
    this.checkOpen();
    const close = await this.parts.shards.buffers.register(buffer);
    return { buffer, close, [Symbol.asyncDispose]: close };
  }

  async explain(about: EncryptionQuestion | string): Promise<readonly string[]> {
    if (typeof about !== 'string') {
      checkObject('the question', about);
      return explainEncryption(about).lines;
    }
    return (await this.call('ExplainEncryption', { ResourceId: about })).Lines;
  }

  countDisks(): readonly DiskCount[] {
    this.checkOpen();
    return countDisks(this.parts.metadata);
  }

  regionOf(resourceId: string): string | undefined {
    this.checkOpen();
    return findRegionOf(this.parts.metadata, resourceId);
  }

  async stats(): Promise<PlaneStats> {
    this.checkOpen();
    const found = await this.everyShard({ op: 'stats' });
    const shards = found.map((stats, shardIndex) => {
      const { losses, dispatch } = this.parts.shards.lane(shardIndex);
      const ofShard = stats as Omit<PlaneStats['shards'][number], 'losses' | 'io'>;
      return { ...ofShard, losses, io: dispatch.counters.read() };
    });
    return { shards, kms: this.parts.kms.counts() };
  }

  async searchForKey(diskId: string): Promise<KeySearch> {
    this.checkOpen();
    checkText('a disk id', diskId);
    const { context, directory, kms } = this.parts;
    const layer = volumeOf(findDisk({ ...context, ...OWNER }, diskId)).layers[0];
    if (directory === null || layer?.wrappedKey == null || layer.context === null) {
      throw new PlaneError('InvalidArgument', 'expected an encrypted disk of a plane on files');
    }
    const { wrappedKey, context: wrapContext } = layer;
    const request = { op: 'searchForKey', wrappedKey, directory: directory.path } as const;
    return kms.call({ ...request, context: wrapContext }).catch((error: unknown) => {
      throw toDiskError(error);
    });
  }

  async surveyEngines(): Promise<readonly EngineSurvey[]> {
    this.checkOpen();
    const survey = await this.parts.shards.call(0, { op: 'surveyEngines' });
    return survey as readonly EngineSurvey[];
  }

  async check(): Promise<PlaneCheck> {
    this.checkOpen();
    const found = (await this.everyShard({ op: 'check' })) as {
      sectorsChecked: number;
      problems: string[];
    }[];
    return {
      sectorsChecked: found.reduce((sum, shard) => sum + shard.sectorsChecked, 0),
      problems: [
        ...this.parts.metadata.check(),
        ...found.flatMap((shard, index) => shard.problems.map((text) => `shard ${index}: ${text}`)),
      ],
    };
  }

  async scrub(options: ScrubOptions = {}): Promise<ScrubReport> {
    this.checkOpen();
    checkObject('the options', options);
    return this.parts.scrubs.start(options);
  }

  close(): Promise<void> {
    this.closing ??= this.closeParts();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async callAs<V extends keyof Verbs>(
    principal: Principal,
    verb: V,
    parameters: Verbs[V]['parameters'] & CommonParameters,
  ): Promise<Verbs[V]['result']> {
    this.checkOpen();
    return this.bounded(() => callVerb(this.parts.context, principal, verb, parameters));
  }

  /** Every other queue of the control plane is fed by calls, so it is bounded by this one. */
  private async bounded<T>(call: () => Promise<T>): Promise<T> {
    if (this.callsInFlight >= CONTROL_CALLS_MAX) {
      throw new PlaneError('Busy', `${CONTROL_CALLS_MAX} control calls are in flight`);
    }
    this.callsInFlight++;
    try {
      return await call();
    } finally {
      this.callsInFlight--;
    }
  }

  private async attachAs(
    principal: Principal,
    diskId: string,
    options: AttachOptions = {},
  ): Promise<Disk> {
    this.checkOpen();
    checkAttach(diskId, options);
    const { context, shards, held, checkDebugger } = this.parts;
    checkDebugger();
    const performance = options.performance ?? this.parts.performance;
    const detached = (): Promise<void> => detachDisk(context, diskId);
    const open = (record: DiskRecord): Promise<Disk> =>
      shards.attach(volumeWith(record, performance), detached);
    const face = (id: string): Disk => held.face(id);
    return this.bounded(() => attachDisk(context, principal, diskId, open, face));
  }

  private async openSnapshotAs(principal: Principal, snapshotId: string): Promise<SnapshotReader> {
    this.checkOpen();
    checkText('a snapshot id', snapshotId);
    const { context, shards } = this.parts;
    return openSnapshot(context, principal, snapshotId, (record) =>
      shards.openSnapshot(volumeOf(record)),
    );
  }

  private async closeParts(): Promise<void> {
    const { directory, kms, shards, metadata, tasks, retention, scrubs, soften } = this.parts;
    // Tasks stop where they are; the next open goes on with them.
    // Keys first: shards erase theirs, then the KMS thread its own; files are released last.
    // What cannot be closed is thrown when all the rest is.
    const outcomes: PromiseSettledResult<void>[] = [];
    for (const part of [scrubs, retention, tasks, shards, kms, metadata]) {
      outcomes.push(...(await Promise.allSettled([part.close()])));
    }
    directory?.release();
    soften();
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  private everyShard(request: ShardRequest): Promise<unknown[]> {
    const { shards } = this.parts;
    const indexes = Array.from({ length: shards.count }, (_, index) => index);
    return this.bounded(() => Promise.all(indexes.map((index) => shards.call(index, request))));
  }

  private checkOpen(): void {
    if (this.closing !== null) throw new PlaneError('PlaneClosed', 'the plane was closed');
  }
}
