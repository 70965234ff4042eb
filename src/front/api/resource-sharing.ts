/**
 * ResourceSharing, as far as snapshots are shared by it: ECS has no operation that does.
 *
 *   a resource share = snapshots × accounts; to have both in it is to have them shared
 *
 * 1. What is shared is the plane's: ShareSnapshot and UnshareSnapshot do it, and say no. A call
 *    that is refused has shared nothing.
 * 2. A share by its id and name is kept here, and for as long as the server runs.
 * 3. No invitation has to be accepted: accounts of a plane know each other.
 *
 * **Source:** ResourceSharing API 2020-01-10. **Thread:** main.
 */
import { randomBytes } from 'node:crypto';
import { PlaneError } from '../../base/errors.ts';
import { API_SHARES_MAX } from '../../limits.ts';
import type { Plane, PlanePrincipal, PlaneSession } from '../../types.ts';
import { flag, list, readParameters, structures, word } from './parameter-kinds.ts';
import { type Pairs, shown } from './request-pairs.ts';

const KINDS = {
  ResourceShareId: word,
  ResourceShareName: word,
  Resources: structures({ ResourceId: word, ResourceType: word }),
  Targets: list,
  AllowExternalTargets: flag,
};

interface Parameters {
  readonly ResourceShareId?: string;
  readonly ResourceShareName?: string;
  readonly Resources?: readonly { readonly ResourceId?: string; readonly ResourceType?: string }[];
  readonly Targets?: readonly string[];
}

interface Share {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly createdAt: string;
  readonly snapshots: Set<string>;
  readonly accounts: Set<string>;
}

/** A snapshot and an account. */
type Pair = readonly [snapshotId: string, accountId: string];

export class ResourceShares {
  private readonly shares = new Map<string, Share>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  /** Is as at the beginning: the plane is another one. */
  clear(): void {
    this.shares.clear();
  }

  /** @throws PlaneError InvalidAction.NotFound, and what the verbs refuse with */
  async call(
    action: string,
    pairs: Pairs,
    plane: Plane,
    principal: PlanePrincipal,
  ): Promise<object> {
    const parameters = readParameters(KINDS, pairs) as Parameters;
    const caller = { plane, principal };
    switch (action) {
      case 'CreateResourceShare':
        return { ResourceShare: describe(await this.create(parameters, caller)) };
      case 'AssociateResourceShare':
        return this.associate(parameters, caller);
      case 'DisassociateResourceShare':
        return this.disassociate(parameters, caller);
      case 'DeleteResourceShare':
        return this.remove(parameters, caller);
      case 'ListResourceShares': {
        const own = [...this.shares.values()].filter(({ owner }) => owner === principal.accountId);
        return { ResourceShares: own.map(describe) };
      }
      default:
        throw new PlaneError(
          'InvalidAction.NotFound',
          `ResourceSharing has no operation ${shown(action)} here`,
        );
    }
  }

  private async create(parameters: Parameters, caller: Caller): Promise<Share> {
    const { ResourceShareName } = parameters;
    if (ResourceShareName === undefined) throw missing('ResourceShareName');
    if (this.shares.size >= API_SHARES_MAX) {
      throw new PlaneError('Throttling', `expected at most ${API_SHARES_MAX} resource shares`);
    }
    const share: Share = {
      id: `rs-${randomBytes(8).toString('hex')}`,
      name: ResourceShareName,
      owner: caller.principal.accountId,
      createdAt: `${new Date(this.now()).toISOString().slice(0, 19)}Z`,
      snapshots: new Set(snapshotsOf(parameters)),
      accounts: new Set(parameters.Targets),
    };
    await shareAll(caller, product(share.snapshots, share.accounts));
    this.shares.set(share.id, share);
    return share;
  }

  private async associate(parameters: Parameters, caller: Caller): Promise<object> {
    const share = this.find(parameters, caller);
    const snapshots = new Set([...share.snapshots, ...snapshotsOf(parameters)]);
    const accounts = new Set([...share.accounts, ...(parameters.Targets ?? [])]);
    const known = new Set(product(share.snapshots, share.accounts).map(String));
    const added = product(snapshots, accounts).filter((pair) => !known.has(String(pair)));
    await shareAll(caller, added);
    for (const id of snapshots) share.snapshots.add(id);
    for (const id of accounts) share.accounts.add(id);
    return associations(share, parameters, 'Associated');
  }

  private async disassociate(parameters: Parameters, caller: Caller): Promise<object> {
    const share = this.find(parameters, caller);
    const [snapshots, accounts] = [new Set(share.snapshots), new Set(share.accounts)];
    for (const id of snapshotsOf(parameters)) snapshots.delete(id);
    for (const id of parameters.Targets ?? []) accounts.delete(id);
    const kept = new Set(product(snapshots, accounts).map(String));
    await this.unshare(caller, share, (pair) => !kept.has(String(pair)));
    for (const id of share.snapshots) if (!snapshots.has(id)) share.snapshots.delete(id);
    for (const id of share.accounts) if (!accounts.has(id)) share.accounts.delete(id);
    return associations(share, parameters, 'Disassociated');
  }

  private async remove(parameters: Parameters, caller: Caller): Promise<object> {
    const share = this.find(parameters, caller);
    await this.unshare(caller, share, () => true);
    this.shares.delete(share.id);
    return {};
  }

  private async unshare(
    caller: Caller,
    share: Share,
    isRemoved: (pair: Pair) => boolean,
  ): Promise<void> {
    for (const pair of product(share.snapshots, share.accounts).filter(isRemoved)) {
      const [SnapshotId, AccountId] = pair;
      await sessionFor(caller, SnapshotId).call('UnshareSnapshot', { SnapshotId, AccountId });
    }
  }

  private find({ ResourceShareId }: Parameters, { principal }: Caller): Share {
    if (ResourceShareId === undefined) throw missing('ResourceShareId');
    const share = this.shares.get(ResourceShareId);
    if (share !== undefined && share.owner === principal.accountId) return share;
    throw new PlaneError(
      'InvalidResourceId.NotFound',
      `there is no resource share ${shown(ResourceShareId)}`,
    );
  }
}

interface Caller {
  readonly plane: Plane;
  readonly principal: PlanePrincipal;
}

/** All or none. */
async function shareAll(caller: Caller, pairs: readonly Pair[]): Promise<void> {
  const done: Pair[] = [];
  try {
    for (const [SnapshotId, AccountId] of pairs) {
      await sessionFor(caller, SnapshotId).call('ShareSnapshot', { SnapshotId, AccountId });
      done.push([SnapshotId, AccountId]);
    }
  } catch (error) {
    for (const [SnapshotId, AccountId] of done) {
      await sessionFor(caller, SnapshotId).call('UnshareSnapshot', { SnapshotId, AccountId });
    }
    throw error;
  }
}

function sessionFor({ plane, principal }: Caller, snapshotId: string): PlaneSession {
  const regionId = plane.regionOf(snapshotId) ?? principal.regionId;
  return plane.as({ ...principal, ...(regionId === undefined ? {} : { regionId }) });
}

/** @throws PlaneError MissingParameter, InvalidParameter: something else than snapshots */
function snapshotsOf({ Resources = [] }: Parameters): string[] {
  return Resources.map(({ ResourceId, ResourceType }) => {
    if (ResourceId === undefined) throw missing('Resources.N.ResourceId');
    if (ResourceType?.toLowerCase() === 'snapshot') return ResourceId;
    throw new PlaneError('InvalidParameter', 'expected Resources of ResourceType Snapshot');
  });
}

function product(snapshots: Iterable<string>, accounts: ReadonlySet<string>): Pair[] {
  return [...snapshots].flatMap((id) => [...accounts].map((account) => [id, account] as const));
}

function describe({ id, name, owner, createdAt }: Share): object {
  return {
    ResourceShareId: id,
    ResourceShareName: name,
    ResourceShareOwner: owner,
    ResourceShareStatus: 'Active',
    AllowExternalTargets: true,
    CreateTime: createdAt,
    UpdateTime: createdAt,
  };
}

/** What a call was about, one by one. */
function associations(share: Share, parameters: Parameters, AssociationStatus: string): object {
  const common = { ResourceShareId: share.id, ResourceShareName: share.name, AssociationStatus };
  const resources = snapshotsOf(parameters).map((EntityId) => ({
    ...common,
    EntityId,
    EntityType: 'Snapshot',
    AssociationType: 'Resource',
  }));
  const targets = (parameters.Targets ?? []).map((EntityId) => ({
    ...common,
    EntityId,
    EntityType: 'Account',
    AssociationType: 'Target',
  }));
  return { ResourceShareAssociations: [...resources, ...targets] };
}

function missing(name: string): PlaneError {
  return new PlaneError('MissingParameter', `ResourceSharing needs ${name}, string`);
}
