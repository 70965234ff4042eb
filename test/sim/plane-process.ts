/**
 * One process of a plane in simulated time: src/plane.ts put together again, from the real KMS,
 * metadata, router, control plane and shards, over threads, stores and disks that are simulated.
 *
 * It opens and closes in the order src/plane.ts does.
 */
import { PlaneError } from '../../src/base/errors.ts';
import { invariant } from '../../src/base/invariant.ts';
import type { Prng } from '../../src/base/prng.ts';
import { ensureAccount } from '../../src/control/access/accounts.ts';
import { removeExpiredTokens, TokensInUse } from '../../src/control/access/tokens.ts';
import { attachDisk, detachDisk } from '../../src/control/attach.ts';
import { callVerb } from '../../src/control/call.ts';
import type { PlaneContext, Principal } from '../../src/control/context.ts';
import { TaskRunner } from '../../src/control/jobs/task-runner.ts';
import type { TaskVolumes } from '../../src/control/jobs/task-work.ts';
import { quotasOf } from '../../src/control/quotas.ts';
import { reconcile } from '../../src/control/reconcile.ts';
import { reopenVolume } from '../../src/control/reopen-volume.ts';
import { ResourceLocks } from '../../src/control/resource-locks.ts';
import { openSnapshot } from '../../src/control/snapshots/open-snapshot.ts';
import { UnnamedTrees } from '../../src/control/unnamed-trees.ts';
import type { Verbs } from '../../src/control/verbs.ts';
import { volumeOf } from '../../src/control/volume-of.ts';
import type { FillRandom } from '../../src/kms/envelope.ts';
import { ACCOUNT_DEFAULT, REGION_DEFAULT } from '../../src/limits.ts';
import { type Metadata, metadataOver } from '../../src/meta/metadata.ts';
import type { DiskRecord } from '../../src/record/resource.ts';
import type { VolumeLayer } from '../../src/record/shard-message.ts';
import type { DiskIo } from '../../src/router/disk-io.ts';
import { HeldVolumes } from '../../src/router/held-volumes.ts';
import { ShardSet } from '../../src/router/shard-set.ts';
import type { SnapshotIo } from '../../src/router/snapshot-io.ts';
import type { StoreGeometry } from '../../src/segment/geometry.ts';
import type { ShardThread } from '../../src/threads/shard-thread.ts';
import type { Durable } from './machine.ts';
import type { KeyValueContent, SimulatedKeyValueStore } from './simulated-key-value-store.ts';
import { SimulatedKms } from './simulated-kms.ts';
import { SimulatedShardThread } from './simulated-shard-thread.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { Trace } from './trace.ts';

export interface ProcessSeams {
  readonly time: SimulatedTime;
  readonly trace: Trace;
  readonly geometry: StoreGeometry;
  readonly weight: () => number;
  readonly durable: Durable;
  readonly rootKey: Uint8Array;
  readonly fillRandom: FillRandom;
  readonly openStore: (content: KeyValueContent) => SimulatedKeyValueStore;
}

const OWNER: Principal = {
  accountId: ACCOUNT_DEFAULT,
  userName: null,
  regionId: REGION_DEFAULT,
};
/** With one main never waits in place for a shard, which would be in vain here. */
const CORES = 1;

export class PlaneProcess {
  /** By shard; one that was lost is replaced. */
  readonly threads: SimulatedShardThread[];
  readonly kms: SimulatedKms;
  metadataStore: SimulatedKeyValueStore | null = null;
  readonly #seams: ProcessSeams;
  #shards: ShardSet | null = null;
  #metadata: Metadata | null = null;
  #context: PlaneContext | null = null;
  #tasks: TaskRunner | null = null;
  readonly #replaced: SimulatedShardThread[] = [];
  /** What the vault's store held when the KMS thread ended. */
  #vaultLeft: KeyValueContent | undefined;

  constructor(seams: ProcessSeams) {
    this.#seams = seams;
    const { time, weight, openStore, rootKey, fillRandom } = seams;
    this.kms = new SimulatedKms({ time, rootKey, fillRandom, weight, openStore });
    this.threads = seams.durable.disks.map((_, index) => this.#makeThread(index));
  }

  /** One of the key-value stores takes nothing any more. */
  get isStoreFailed(): boolean {
    return this.metadataStore?.isFailed === true || this.kms.store?.isFailed === true;
  }

  get metadata(): Metadata {
    invariant(this.#metadata !== null, 'the metadata is open');
    return this.#metadata;
  }

  /** @throws PlaneError what one of the parts refuses with */
  async open(): Promise<void> {
    const { durable, openStore, time, fillRandom } = this.#seams;
    await this.kms.start(durable.vault);
    this.metadataStore = openStore(durable.metadata);
    const metadata = metadataOver(this.metadataStore, { now: time.clock.now });
    this.#metadata = metadata;
    const outcomes = await Promise.allSettled(this.threads.map((thread) => thread.start()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    const { clock } = time;
    const unnamedTrees = new UnnamedTrees();
    // The router knows no more of a thread than this has.
    const shards = new ShardSet({
      threads: this.threads as unknown as readonly ShardThread[],
      restart: async (index) => (await this.#replace(index)) as unknown as ShardThread,
      isVolatile: false,
      cores: CORES,
      treesToKeep: (shardIndex) => unnamedTrees.namesToKeep(metadata, shardIndex),
      reopen: (id, open) => reopenVolume({ clock, metadata }, id, open),
    });
    this.#shards = shards;
    const randomBytes = (byteCount: number): Uint8Array => {
      const bytes = new Uint8Array(byteCount);
      fillRandom(bytes);
      return bytes;
    };
    const untasked = {
      clock,
      randomBytes,
      metadata,
      kms: this.kms,
      shards,
      volumes: volumesOf(shards),
      locks: new ResourceLocks(),
      unnamedTrees,
      tokens: new TokensInUse(time.clock.now()),
      ruleSet: '2025' as const,
      quotas: quotasOf({}),
    };
    const taskVolumes: TaskVolumes = {
      openReencryption: (volume) => shards.openReencryption(volume),
      openReader: (volume) => shards.attach(volume, async () => {}),
      dropLowerLayers: (resourceId) => shards.dropLowerLayers(resourceId),
    };
    this.#tasks = new TaskRunner({ ...untasked, taskVolumes, exportFiles: null });
    this.#context = { ...untasked, tasks: this.#tasks };
    await reconcile(this.#context);
    await removeExpiredTokens(metadata, time.clock.now());
    await ensureAccount(metadata, ACCOUNT_DEFAULT, time.clock.now());
    await this.#tasks.start();
  }

  async close(): Promise<void> {
    const outcomes: PromiseSettledResult<void>[] = [];
    for (const part of [this.#tasks, this.#shards, this.kms, this.#metadata]) {
      outcomes.push(...(await Promise.allSettled([part?.close()])));
    }
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** It is no more: memory is given back. */
  end(): void {
    for (const thread of [...this.threads, ...this.#replaced]) thread.end();
  }

  call<V extends keyof Verbs>(
    verb: V,
    parameters: Verbs[V]['parameters'],
  ): Promise<Verbs[V]['result']> {
    return callVerb(this.#open(), OWNER, verb, parameters);
  }

  attach(diskId: string): Promise<DiskIo> {
    const context = this.#open();
    const detached = (): Promise<void> => detachDisk(context, diskId);
    const open = (record: DiskRecord): Promise<DiskIo> =>
      this.#openShards().attach(volumeOf(record), detached);
    return attachDisk(context, OWNER, diskId, open);
  }

  openSnapshot(snapshotId: string): Promise<SnapshotIo> {
    return openSnapshot(this.#open(), OWNER, snapshotId, (record) =>
      this.#openShards().openSnapshot(volumeOf(record)),
    );
  }

  /**
   * A volume of a disk or snapshot that nobody has attached, to look into; opened as a verb would,
   * while no task changes its layers.
   *
   * @returns null: it has no record
   */
  look(id: string): Promise<DiskIo | null> {
    return this.#open().locks.hold([id], async () => {
      const record = this.metadata.getDisk(id) ?? this.metadata.getSnapshot(id);
      if (record === undefined) return null;
      return this.#openShards().attach(volumeOf(record), async () => {});
    });
  }

  checkShard(shardIndex: number): Promise<unknown> {
    return this.#openShards().call(shardIndex, { op: 'check' });
  }

  /** The KMS thread ends; restartKms() starts it again. */
  crashKms(prng: Prng): void {
    this.#vaultLeft = this.vaultContent(prng);
    this.kms.crash();
  }

  async restartKms(): Promise<void> {
    if (this.kms.isRunning || this.#vaultLeft === undefined) return;
    await this.kms.start(this.#vaultLeft);
    await this.#shards?.connectKms();
  }

  vaultContent(prng: Prng): KeyValueContent | undefined {
    return this.kms.store?.afterCrash(prng) ?? this.#vaultLeft;
  }

  #open(): PlaneContext {
    if (this.#context !== null) return this.#context;
    throw new PlaneError('PlaneClosed', 'the simulated plane is not open yet');
  }

  #openShards(): ShardSet {
    invariant(this.#shards !== null, 'the shards are open');
    return this.#shards;
  }

  #makeThread(index: number): SimulatedShardThread {
    const { time, trace, geometry, weight, durable } = this.#seams;
    const unwrap: SimulatedKms['unwrap'] = (request, answer) => this.kms.unwrap(request, answer);
    const seams = { time, trace, geometry, weight, unwrap };
    return new SimulatedShardThread(index, durable.disks[index]!, seams);
  }

  /** A thread in place of one that was lost. @throws PlaneError what recovery refuses with */
  async #replace(index: number): Promise<SimulatedShardThread> {
    const thread = this.#makeThread(index);
    // Its memory is not another thread's while the router may look at what it left there.
    this.#replaced.push(this.threads[index]!);
    this.threads[index] = thread;
    await thread.start();
    return thread;
  }
}

function volumesOf(shards: ShardSet): PlaneContext['volumes'] {
  const held = new HeldVolumes(shards);
  return {
    drain: (diskId) => shards.drain(diskId),
    resize: (diskId, sizeBytes) => shards.resize(diskId, sizeBytes),
    changeProfile: (diskId, profile) => shards.changeProfile(diskId, profile),
    pushLayer: (diskId: string, layer: VolumeLayer) => shards.pushLayer(diskId, layer),
    hold: (disk) => held.hold(volumeOf(disk)),
    release: (diskId) => held.release(diskId),
    readerCount: (snapshotId) => shards.readerCount(snapshotId),
  };
}
