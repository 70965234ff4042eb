/**
 * What callers of the control pass do: rows of verbs, each with what it makes of a resource; and
 * how all there is is listed.
 */
import type { Prng } from '../../src/base/prng.ts';
import type { VictimProcess } from './victim-process.ts';

export type Kind = 'disk' | 'snapshot' | 'key';

/** What is compared of a resource, by the names the plane describes it with. */
export type State = Readonly<Record<string, unknown>>;

export interface Resource {
  readonly kind: Kind;
  /** Its name, or description, at its creation; no other has it. */
  readonly label: string;
  readonly id: string;
  readonly state: State;
}

/** A call that makes a resource, or changes or removes one. */
export interface Intent {
  readonly verb: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The resource it changes or removes; null: it makes one. */
  readonly target: Resource | null;
  readonly kind: Kind;
  readonly label: string;
  /** null: it is gone then. */
  readonly next: State | null;
}

interface Making {
  readonly kind: Kind;
  /** Of what kind is the resource it is made from. */
  readonly from: Kind | null;
  readonly weight: number;
  readonly make: (
    label: string,
    source: Resource,
    prng: Prng,
  ) => Omit<Intent, 'target' | 'label' | 'kind'>;
}

/** A ClientToken makes a creation repeatable. */
const withToken = (
  label: string,
  parameters: Record<string, unknown>,
): Record<string, unknown> => ({
  ...parameters,
  ClientToken: `token-${label}`,
});

const MAKINGS: readonly Making[] = [
  {
    kind: 'disk',
    from: null,
    weight: 4,
    make: (label, _, prng) => {
      const Encrypted = prng.nextBelow(2) === 0;
      const parameters = withToken(label, { DiskName: label, Size: 1, Encrypted });
      return { verb: 'CreateDisk', parameters, next: { DiskName: label, Size: 1, Encrypted } };
    },
  },
  {
    kind: 'disk',
    from: 'disk',
    weight: 2,
    make: (label, { id, state }) => ({
      verb: 'CloneDisk',
      parameters: withToken(label, { SourceDiskId: id, DiskName: label }),
      next: { DiskName: label, Size: state.Size, Encrypted: state.Encrypted },
    }),
  },
  {
    kind: 'snapshot',
    from: 'disk',
    weight: 4,
    make: (label, { id, state }) => ({
      verb: 'CreateSnapshot',
      parameters: withToken(label, { DiskId: id, SnapshotName: label }),
      next: { SnapshotName: label, Encrypted: state.Encrypted, SourceDiskId: id },
    }),
  },
  {
    kind: 'key',
    from: null,
    weight: 1,
    make: (label) => ({
      verb: 'CreateKey',
      parameters: withToken(label, { Description: label }),
      next: { Description: label, KeyState: 'Enabled' },
    }),
  },
];

interface Change {
  readonly kind: Kind;
  readonly weight: number;
  readonly make: (of: Resource, fresh: string) => Pick<Intent, 'verb' | 'parameters' | 'next'>;
}

const CHANGES: readonly Change[] = [
  {
    kind: 'disk',
    weight: 2,
    make: ({ id, state }, fresh) => ({
      verb: 'ModifyDiskAttribute',
      parameters: { DiskId: id, DiskName: fresh },
      next: { ...state, DiskName: fresh },
    }),
  },
  {
    kind: 'disk',
    weight: 2,
    make: ({ id, state }) => ({
      verb: 'ResizeDisk',
      parameters: { DiskId: id, NewSize: Number(state.Size) + 1 },
      next: { ...state, Size: Number(state.Size) + 1 },
    }),
  },
  {
    kind: 'disk',
    weight: 3,
    make: ({ id }) => ({ verb: 'DeleteDisk', parameters: { DiskId: id }, next: null }),
  },
  {
    kind: 'snapshot',
    weight: 2,
    make: ({ id, state }, fresh) => ({
      verb: 'ModifySnapshotAttribute',
      parameters: { SnapshotId: id, SnapshotName: fresh },
      next: { ...state, SnapshotName: fresh },
    }),
  },
  {
    kind: 'snapshot',
    weight: 3,
    make: ({ id }) => ({
      verb: 'DeleteSnapshot',
      parameters: { SnapshotId: id, Force: true },
      next: null,
    }),
  },
  {
    kind: 'key',
    weight: 2,
    make: ({ id, state }) => {
      const isEnabled = state.KeyState === 'Enabled';
      return {
        verb: isEnabled ? 'DisableKey' : 'EnableKey',
        parameters: { KeyId: id },
        next: { ...state, KeyState: isEnabled ? 'Disabled' : 'Enabled' },
      };
    },
  },
  {
    kind: 'key',
    weight: 1,
    make: ({ id, state }, fresh) => ({
      verb: 'UpdateKeyDescription',
      parameters: { KeyId: id, Description: fresh },
      next: { ...state, Description: fresh },
    }),
  },
];

/** Where a caller has so many, it makes no more. */
const RESOURCES_MAX = 8;

/** The next call of one who has these resources. @param fresh a name nobody has */
export function drawIntent(own: readonly Resource[], fresh: string, prng: Prng): Intent {
  const isMaking = own.length < RESOURCES_MAX && (own.length < 3 || prng.nextBelow(2) === 0);
  const of = (kind: Kind | null): Resource[] => own.filter((one) => one.kind === kind);
  const making = draw(
    MAKINGS.filter(({ from }) => from === null || of(from).length > 0),
    prng,
  );
  if (isMaking) {
    const source = making.from === null ? undefined : pick(of(making.from), prng);
    const made = making.make(fresh, source as Resource, prng);
    return { ...made, target: null, kind: making.kind, label: fresh };
  }
  const target = pick(own, prng);
  const change = draw(
    CHANGES.filter(({ kind }) => kind === target.kind),
    prng,
  );
  return { ...change.make(target, fresh), target, kind: target.kind, label: target.label };
}

function pick<T>(items: readonly T[], prng: Prng): T {
  return items[prng.nextBelow(items.length)]!;
}

function draw<T extends { readonly weight: number }>(rows: readonly T[], prng: Prng): T {
  let at = prng.nextBelow(rows.reduce((sum, { weight }) => sum + weight, 0));
  for (const row of rows) {
    if (at < row.weight) return row;
    at -= row.weight;
  }
  return rows[0]!;
}

/** The field of a state that holds the label when it is made. */
const LABELS: Readonly<Record<Kind, string>> = {
  disk: 'DiskName',
  snapshot: 'SnapshotName',
  key: 'Description',
};

export function labelOf(kind: Kind, state: State): string {
  return String(state[LABELS[kind]]);
}

/** The id in the answer of a call that makes something. */
export function idIn(answered: Readonly<Record<string, unknown>>): string {
  const { KeyMetadata } = answered as { KeyMetadata?: { KeyId: string } };
  return KeyMetadata?.KeyId ?? String(answered.DiskId ?? answered.SnapshotId);
}

/** Everything there is: by id, as it is described. Service keys are nobody's. */
export async function listAll(victim: VictimProcess): Promise<Map<string, [Kind, State]>> {
  const found = new Map<string, [Kind, State]>();
  const { Disks } = await victim.call('DescribeDisks', { MaxResults: 500 });
  for (const { DiskId, DiskName, Size, Encrypted, Status } of Disks as State[]) {
    found.set(String(DiskId), ['disk', { DiskName, Size, Encrypted, Status }]);
  }
  const { Snapshots } = await victim.call('DescribeSnapshots', { MaxResults: 100 });
  for (const {
    SnapshotId,
    SnapshotName,
    Encrypted,
    SourceDiskId,
    Status,
  } of Snapshots as State[]) {
    const state = { SnapshotName, Encrypted, SourceDiskId, Status };
    found.set(String(SnapshotId), ['snapshot', state]);
  }
  const { Keys } = await victim.call('ListKeys', { PageSize: 100 });
  for (const { KeyId } of Keys as State[]) {
    const { KeyMetadata } = await victim.call('DescribeKey', { KeyId });
    const { Description, KeyState, Creator } = KeyMetadata as State;
    if (String(Creator) !== 'Ecs') found.set(String(KeyId), ['key', { Description, KeyState }]);
  }
  return found;
}
