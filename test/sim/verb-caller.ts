/**
 * Control operations: made where the world says that they may be, told to the world while they are
 * under way, and their outcome when they are answered.
 */
import { invariant, unreachable } from '../../src/base/invariant.ts';
import { codeOf, isOutcomeUnknown } from './causes.ts';
import type { CallerSeams } from './io-caller.ts';
import { Content } from './model.ts';
import type { PlaneProcess } from './plane-process.ts';
import { drawKind, type VerbKind } from './swarm.ts';
import type { Effect, Resource, World } from './world.ts';

const DISKS_MAX = 6;
const SNAPSHOTS_MAX = 6;
const UNDER_WAY_MAX = 3;

/** One verb that is to be called. */
interface Plan {
  readonly what: string;
  /** No other verb is called on them meanwhile. */
  readonly on: readonly Resource[];
  readonly effect: Effect | null;
  readonly call: () => Promise<unknown>;
  readonly done: (result: unknown) => void;
  /** Refusals that need no cause. */
  readonly also?: readonly string[];
}

export class VerbCaller {
  made = 0;
  /** Verbs that nobody has answered yet. */
  unanswered = 0;
  readonly #seams: CallerSeams;
  readonly #world: World;
  readonly #keys: readonly string[];
  #names = 0;

  /** @param keys master keys of the caller's own */
  constructor(seams: CallerSeams, world: World, keys: readonly string[]) {
    this.#seams = seams;
    this.#world = world;
    this.#keys = keys;
  }

  forget(): void {
    this.unanswered = 0;
  }

  /** Calls one verb. @returns false: there is nothing it could be called on, or enough under way */
  act(process: PlaneProcess): boolean {
    if (this.unanswered >= UNDER_WAY_MAX) return false;
    const { prng, swarm } = this.#seams;
    const plan = this.#plan(process, drawKind(prng, swarm.verbWeights));
    if (plan === null) return false;
    void this.#run(plan);
    return true;
  }

  /** Attaches a disk, or makes one where none is left. @returns false if it did not */
  attachIfNone(process: PlaneProcess): boolean {
    const disks = this.#world.disks();
    const hasOne = disks.some(({ attachment }) => attachment !== null);
    if (hasOne || this.unanswered > 0) return false;
    const plan = disks.length === 0 ? this.#createDisk(process) : this.#attach(process);
    if (plan !== null) void this.#run(plan);
    return plan !== null;
  }

  async #run(plan: Plan): Promise<void> {
    const { counting, trace } = this.#seams;
    const isCounted = counting();
    const { what, on, effect } = plan;
    this.made++;
    this.unanswered++;
    trace.note('verb', what);
    for (const resource of on) resource.isBusy = true;
    if (effect !== null) this.#world.pending.add(effect);
    try {
      const result = await plan.call();
      if (!isCounted()) return;
      this.#settle(plan);
      trace.note('verb done', what);
      plan.done(result);
    } catch (error) {
      if (!isCounted()) return;
      this.#settle(plan);
      this.#failed(plan, error);
    }
  }

  #settle({ on, effect }: Plan): void {
    this.unanswered--;
    for (const resource of on) resource.isBusy = false;
    if (effect !== null) this.#world.pending.delete(effect);
  }

  #failed({ what, on, effect, also }: Plan, error: unknown): void {
    this.#seams.trace.note('verb refused', what, codeOf(error));
    if (isOutcomeUnknown(error)) {
      // A shard that was lost removes what nobody names when it is replaced.
      if (codeOf(error) !== 'ShardLost') this.#world.hasLeftovers = true;
      if (effect !== null) this.#world.unknown(effect);
      for (const resource of on) resource.isStuck = true;
    }
    this.#seams.refused(what, error, also);
  }

  #plan(process: PlaneProcess, kind: VerbKind): Plan | null {
    switch (kind) {
      case 'attach':
        return this.#attach(process);
      case 'detach':
        return this.#detach();
      case 'openSnapshot':
        return this.#openSnapshot(process);
      case 'createDisk':
        return this.#createDisk(process);
      case 'createSnapshot':
        return this.#createSnapshot(process);
      case 'diskFromSnapshot':
        return this.#diskFromSnapshot(process);
      case 'resetDisk':
        return this.#resetDisk(process);
      case 'rekeyDisk':
        return this.#rekeyDisk(process);
      case 'deleteDisk':
        return this.#delete(process, this.#available());
      case 'deleteSnapshot':
        return this.#delete(process, this.#closedSnapshot());
      case 'check':
        return this.#check(process);
      default:
        return unreachable(kind);
    }
  }

  #attach(process: PlaneProcess): Plan | null {
    const disk = this.#available();
    if (disk === null) return null;
    return {
      what: `attach ${disk.id}`,
      on: [disk],
      effect: null,
      call: () => process.attach(disk.id),
      done: (attached) => {
        disk.wasAttached = true;
        disk.attachment = {
          disk: attached as Awaited<ReturnType<PlaneProcess['attach']>>,
          isClosing: false,
        };
      },
    };
  }

  #detach(): Plan | null {
    const resources = [...this.#world.resources.values()];
    const disk = this.#draw(resources.filter(({ attachment }) => attachment !== null));
    const attachment = disk?.attachment;
    if (disk === null || attachment === null || attachment === undefined) return null;
    attachment.isClosing = true;
    return {
      what: `detach ${disk.id}`,
      on: [disk],
      effect: null,
      call: () => attachment.disk.close(),
      done: () => {
        disk.attachment = null;
      },
    };
  }

  #openSnapshot(process: PlaneProcess): Plan | null {
    const snapshot = this.#closedSnapshot();
    if (snapshot === null) return null;
    return {
      what: `open ${snapshot.id}`,
      on: [snapshot],
      effect: null,
      call: () => process.openSnapshot(snapshot.id),
      done: (reader) => {
        const disk = reader as Awaited<ReturnType<PlaneProcess['openSnapshot']>>;
        snapshot.attachment = { disk, isClosing: false };
      },
    };
  }

  #createDisk(process: PlaneProcess): Plan | null {
    if (this.#world.disks().length >= DISKS_MAX) return null;
    const name = this.#newName();
    const key = this.#drawKey();
    const isEncrypted = this.#seams.prng.nextBelow(4) > 0;
    const withKey = isEncrypted && key !== null ? { KMSKeyId: key } : {};
    const parameters = { Size: 1, DiskName: name, Encrypted: isEncrypted, ...withKey };
    const effect: Effect = {
      kind: 'make',
      name,
      isEncrypted,
      sourceDiskId: null,
      states: () => [new Content()],
    };
    return {
      what: `CreateDisk ${JSON.stringify(parameters)}`,
      on: [],
      effect,
      call: () => process.call('CreateDisk', parameters),
      done: (result) => this.#made((result as { DiskId: string }).DiskId, effect),
    };
  }

  #createSnapshot(process: PlaneProcess): Plan | null {
    if (this.#world.snapshots().length >= SNAPSHOTS_MAX) return null;
    const disk = this.#draw(this.#world.disks().filter(({ wasAttached }) => wasAttached));
    if (disk === null) return null;
    const name = this.#newName();
    const effect: Effect = {
      kind: 'make',
      name,
      isEncrypted: disk.isEncrypted,
      sourceDiskId: disk.id,
      states: this.#world.captureOf(disk),
    };
    const parameters = { DiskId: disk.id, SnapshotName: name };
    return {
      what: `CreateSnapshot ${JSON.stringify(parameters)}`,
      on: [disk],
      effect,
      call: () => process.call('CreateSnapshot', parameters),
      done: (result) => this.#made((result as { SnapshotId: string }).SnapshotId, effect),
    };
  }

  #diskFromSnapshot(process: PlaneProcess): Plan | null {
    if (this.#world.disks().length >= DISKS_MAX) return null;
    const snapshot = this.#draw(this.#world.snapshots());
    if (snapshot === null) return null;
    const name = this.#newName();
    const key = this.#drawKey();
    const isRekeyed = this.#seams.prng.nextBelow(2) === 0 && key !== null;
    const isEncrypted = snapshot.isEncrypted || isRekeyed;
    const withKey = isRekeyed ? { Encrypted: true, KMSKeyId: key } : {};
    const parameters = { SnapshotId: snapshot.id, DiskName: name, ...withKey };
    const effect: Effect = {
      kind: 'make',
      name,
      isEncrypted,
      sourceDiskId: null,
      states: () => snapshot.volume.copyStates(),
    };
    return {
      what: `CreateDisk ${JSON.stringify(parameters)}`,
      on: [snapshot],
      effect,
      call: () => process.call('CreateDisk', parameters),
      done: (result) => this.#made((result as { DiskId: string }).DiskId, effect),
    };
  }

  #resetDisk(process: PlaneProcess): Plan | null {
    const snapshot = this.#draw(this.#world.snapshots());
    const disk = this.#world.resources.get(snapshot?.sourceDiskId ?? '');
    if (snapshot === null || disk === undefined || !isFree(disk)) return null;
    if (disk.attachment !== null) return null;
    const states = (): Content[] => snapshot.volume.copyStates();
    return {
      what: `ResetDisk ${disk.id} ${snapshot.id}`,
      on: [disk, snapshot],
      effect: { kind: 'reset', id: disk.id, states },
      call: () => process.call('ResetDisk', { DiskId: disk.id, SnapshotId: snapshot.id }),
      done: () => {
        disk.volume.states = states();
      },
    };
  }

  #rekeyDisk(process: PlaneProcess): Plan | null {
    const disk = this.#draw(this.#world.disks().filter(({ isEncrypted }) => isEncrypted));
    const key = this.#drawKey();
    if (disk === null) return null;
    const parameters = { DiskId: disk.id, ...(key === null ? {} : { KMSKeyId: key }) };
    return {
      what: `RekeyDisk ${JSON.stringify(parameters)}`,
      on: [disk],
      effect: null,
      call: () => process.call('RekeyDisk', parameters),
      done: () => {},
      // The task of the last one has not ended.
      also: ['OperationConflict'],
    };
  }

  #delete(process: PlaneProcess, resource: Resource | null): Plan | null {
    if (resource === null) return null;
    const { id, isDisk } = resource;
    return {
      what: `delete ${id}`,
      on: [resource],
      effect: { kind: 'remove', id },
      call: () =>
        isDisk
          ? process.call('DeleteDisk', { DiskId: id })
          : process.call('DeleteSnapshot', { SnapshotId: id, Force: true }),
      done: () => {
        this.#world.resources.delete(id);
      },
    };
  }

  #check(process: PlaneProcess): Plan {
    const index = this.#seams.prng.nextBelow(process.threads.length);
    const { scars, errors } = process.threads[index]!.disk;
    return {
      what: `check of shard ${index}`,
      on: [],
      effect: null,
      call: () => process.checkShard(index),
      done: (found) => {
        const { problems } = found as { readonly problems: readonly string[] };
        const isDamaged = scars.isDamaged || scars.hasLostPages || errors.read > 0;
        if (problems.length === 0 || isDamaged) return;
        this.#seams.violation(`check of shard ${index}: ${problems[0]}`);
      },
    };
  }

  #made(id: string, effect: Effect): void {
    invariant(effect.kind === 'make', 'what makes something says what');
    this.#world.add(id, effect, effect.states());
  }

  /** A disk that is not attached. */
  #available(): Resource | null {
    return this.#draw(this.#world.disks().filter(({ attachment }) => attachment === null));
  }

  #closedSnapshot(): Resource | null {
    return this.#draw(this.#world.snapshots().filter(({ attachment }) => attachment === null));
  }

  #draw(resources: readonly Resource[]): Resource | null {
    const free = resources.filter(isFree);
    return free[this.#seams.prng.nextBelow(Math.max(1, free.length))] ?? null;
  }

  #drawKey(): string | null {
    return this.#keys[this.#seams.prng.nextBelow(this.#keys.length + 1)] ?? null;
  }

  /** By its name a resource is known whose verb was cut off. */
  #newName(): string {
    return `made-${++this.#names}`;
  }
}

function isFree({ isBusy, isStuck }: Resource): boolean {
  return !isBusy && !isStuck;
}
