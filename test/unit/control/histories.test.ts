/**
 * Random histories of the control plane: three accounts, two regions, every verb that makes,
 * changes or removes something, with ids of one's own, of others and of nothing.
 *
 * After each call:
 *   1. what a refused call was to change is as it was, but for the audit log
 *   2. what is encrypted was never plain before, and nothing made from it is plain
 *   3. the metadata check finds nothing: no dangling edge, index entry, tree or group
 *   4. a call repeated with its ClientToken answers what it answered, and changes nothing
 *   5. nobody is told of another account's resources, unless they are shared
 *
 * The metadata and the KMS are the real ones; shards only write down what they are told.
 *
 * SEALDISK_SEED does a run again (test/support/seed.ts); SEALDISK_LONG=20 is the long mode, 10,000
 * histories.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { callVerb } from '../../../src/control/call.ts';
import type { Principal } from '../../../src/control/context.ts';
import type { Verbs } from '../../../src/control/verbs.ts';
import type { DiskRecord, SnapshotRecord } from '../../../src/record/resource.ts';
import { furnishWorld, type HistoryWorld, openHistoryWorld } from '../../support/history-world.ts';
import { longFactor } from '../../support/long.ts';
import { suiteSeed } from '../../support/seed.ts';

const HISTORIES = 500 * longFactor;
const WHO = 'three accounts in two regions';
const TITLE = `${HISTORIES} histories of ${WHO} keep every promise: ${suiteSeed}`;
const TEST_MS_MAX = 600_000 * Math.max(1, longFactor);
const CALLS_MAX = 24;
const REGIONS = ['cn-hangzhou', 'cn-beijing'] as const;

/** One call as it is drawn: which verb, who, where, and what its parameters are picked by. */
interface Draw {
  readonly verb: number;
  readonly account: number;
  readonly region: number;
  readonly picks: readonly number[];
  readonly flags: readonly boolean[];
  readonly isRepeated: boolean;
}

type Parameters = Record<string, unknown>;
type Make = (world: HistoryWorld, draw: Draw) => Parameters;

/** Picks an id of a kind: mostly the caller's, else anybody's, or one that never was. */
function id(world: HistoryWorld, draw: Draw, kind: string, at: number): string {
  const { accountId, regionId } = principalOf(world, draw);
  const known = [...world.ids].filter(([each]) => each.startsWith(kind));
  const own = known.filter(
    ([, scope]) => scope.accountId === accountId && scope.regionId === regionId,
  );
  const pick = draw.picks[at] ?? 0;
  const from = pick % 5 > 0 && own.length > 0 ? own : known;
  if (from.length === 0 || pick % 31 === 30) return `${kind}${'0'.repeat(20)}`;
  return from[pick % from.length]?.[0] as string;
}

/** Mostly what belongs to the other parameter: two that are drawn by themselves seldom fit. */
function fitting(draw: Draw, own: string | null | undefined): string | null {
  return (draw.picks[3] ?? 0) % 5 > 0 ? (own ?? null) : null;
}

function principalOf(world: HistoryWorld, draw: Draw): Principal {
  const accountId = world.accounts[draw.account] as string;
  return { accountId, userName: null, regionId: REGIONS[draw.region] as string };
}

const key = (world: HistoryWorld, draw: Draw, at: number): Parameters =>
  draw.flags[at] === true ? { KMSKeyId: id(world, draw, 'key-', at) } : {};

const encrypted = (draw: Draw, at: number): Parameters => {
  const pick = (draw.picks[at] ?? 0) % 3;
  return pick === 0 ? {} : { Encrypted: pick === 1 };
};

const other = (draw: Draw): string =>
  REGIONS[(draw.region + (draw.flags[3] ? 1 : 0)) % 2] as string;

const CALLS: readonly (readonly [keyof Verbs, Make])[] = [
  ['CreateDisk', (w, d) => ({ Size: 20, ...encrypted(d, 0), ...key(w, d, 1) })],
  ['CreateDisk', (w, d) => ({ Size: 20, ...encrypted(d, 0), ...key(w, d, 1) })],
  [
    'CreateDisk',
    (w, d) => ({ SnapshotId: id(w, d, 's-', 2), ...encrypted(d, 0), ...key(w, d, 1) }),
  ],
  ['DeleteDisk', (w, d) => ({ DiskId: id(w, d, 'd-', 0) })],
  ['ResizeDisk', (w, d) => ({ DiskId: id(w, d, 'd-', 0), NewSize: 20 + ((d.picks[1] ?? 0) % 40) })],
  ['CloneDisk', (w, d) => ({ SourceDiskId: id(w, d, 'd-', 0) })],
  ['CreateSnapshot', (w, d) => ({ DiskId: id(w, d, 'd-', 0) })],
  ['CreateSnapshot', (w, d) => ({ DiskId: id(w, d, 'd-', 0) })],
  ['DeleteSnapshot', (w, d) => ({ SnapshotId: id(w, d, 's-', 0), Force: d.flags[0] === true })],
  [
    'CopySnapshot',
    (w, d) => ({
      SnapshotId: id(w, d, 's-', 2),
      DestinationRegionId: other(d),
      ...encrypted(d, 0),
      ...key(w, d, 1),
    }),
  ],
  [
    'ShareSnapshot',
    (w, d) => ({
      SnapshotId: id(w, d, 's-', 0),
      AccountId: w.accounts[(d.picks[1] ?? 0) % 3] as string,
    }),
  ],
  [
    'UnshareSnapshot',
    (w, d) => {
      const shares = w.context.metadata.listDocuments('share', null, 0, 100).records;
      const { accountId, regionId } = principalOf(w, d);
      const own = shares.filter(
        (each) => each.ownerAccountId === accountId && each.regionId === regionId,
      );
      const from = (d.picks[0] ?? 0) % 5 > 0 && own.length > 0 ? own : shares;
      const share = from[(d.picks[1] ?? 0) % Math.max(1, from.length)];
      const AccountId = share?.accountId ?? (w.accounts[0] as string);
      return { SnapshotId: share?.sourceSnapshotId ?? id(w, d, 's-', 0), AccountId };
    },
  ],
  [
    'ResetDisk',
    (w, d) => {
      const diskId = id(w, d, 'd-', 0);
      const [own] = w.context.metadata.listSnapshots({ diskId }, 0, 1).records;
      return { DiskId: diskId, SnapshotId: fitting(d, own?.snapshotId) ?? id(w, d, 's-', 1) };
    },
  ],
  ['CreateImage', (w, d) => ({ SnapshotId: id(w, d, 's-', 0) })],
  [
    'CopyImage',
    (w, d) => ({
      ImageId: id(w, d, 'm-', 2),
      DestinationRegionId: other(d),
      ...encrypted(d, 0),
      ...key(w, d, 1),
    }),
  ],
  ['DeleteImage', (w, d) => ({ ImageId: id(w, d, 'm-', 0), Force: d.flags[0] === true })],
  [
    'ModifyImageSharePermission',
    (w, d) => ({
      ImageId: id(w, d, 'm-', 0),
      [d.flags[0] ? 'AddAccount' : 'RemoveAccount']: [w.accounts[(d.picks[1] ?? 0) % 3] as string],
    }),
  ],
  [
    'CreateInstance',
    (w, d) => ({
      ImageId: id(w, d, 'm-', 0),
      InstanceType: 'ecs.g7.large',
      DataDisk: d.flags[0] ? [{ Size: 20, ...encrypted(d, 1), ...key(w, d, 2) }] : [],
    }),
  ],
  ['StartInstance', (w, d) => ({ InstanceId: id(w, d, 'i-', 0) })],
  ['StopInstance', (w, d) => ({ InstanceId: id(w, d, 'i-', 0) })],
  ['DeleteInstance', (w, d) => ({ InstanceId: id(w, d, 'i-', 0), Force: d.flags[0] === true })],
  ['AttachDisk', (w, d) => ({ DiskId: id(w, d, 'd-', 0), InstanceId: id(w, d, 'i-', 1) })],
  [
    'DetachDisk',
    (w, d) => {
      const DiskId = id(w, d, 'd-', 0);
      const own = w.context.metadata.getDisk(DiskId)?.instanceId;
      return { DiskId, InstanceId: fitting(d, own) ?? id(w, d, 'i-', 1) };
    },
  ],
  [
    'ReplaceSystemDisk',
    (w, d) => ({
      InstanceId: id(w, d, 'i-', 0),
      ImageId: id(w, d, 'm-', 2),
      ...encrypted(d, 1),
      ...key(w, d, 2),
    }),
  ],
  [
    'JoinResourceGroup',
    (w, d) => ({
      ...(d.flags[0]
        ? { ResourceType: 'disk', ResourceId: id(w, d, 'd-', 0) }
        : { ResourceType: 'snapshot', ResourceId: id(w, d, 's-', 0) }),
      ResourceGroupId: d.flags[1] ? 'rg-one' : '',
    }),
  ],
  [
    'ModifyInstanceChargeType',
    (w, d) => ({
      InstanceIds: [id(w, d, 'i-', 0)],
      InstanceChargeType: d.flags[0] ? 'PrePaid' : 'PostPaid',
      IncludeDataDisks: d.flags[1] === true,
    }),
  ],
  [
    'LockSnapshot',
    (w, d) => ({
      SnapshotId: id(w, d, 's-', 0),
      LockMode: 'compliance',
      LockDuration: 1 + ((d.picks[1] ?? 0) % 9),
      CoolOffPeriod: d.flags[0] ? 0 : 1,
    }),
  ],
  ['EnableDiskEncryptionByDefault', () => ({})],
  ['DisableDiskEncryptionByDefault', () => ({})],
  ['DisableDiskEncryptionByDefault', () => ({})],
  ['ModifyDiskDefaultKMSKeyId', (w, d) => ({ KMSKeyId: id(w, d, 'key-', 0) })],
  ['ModifyDiskDefaultKMSKeyId', (w, d) => ({ KMSKeyId: id(w, d, 'key-', 0) })],
  ['CreateKey', () => ({})],
  ['DisableKey', (w, d) => ({ KeyId: id(w, d, 'key-', 0) })],
  ['EnableKey', (w, d) => ({ KeyId: id(w, d, 'key-', 0) })],
  ['ScheduleKeyDeletion', (w, d) => ({ KeyId: id(w, d, 'key-', 0), PendingWindowInDays: 7 })],
  ['CancelKeyDeletion', (w, d) => ({ KeyId: id(w, d, 'key-', 0) })],
];

const draws: fc.Arbitrary<Draw> = fc.record({
  verb: fc.nat(CALLS.length - 1),
  account: fc.nat(2),
  region: fc.nat(1),
  picks: fc.array(fc.nat(1000), { minLength: 4, maxLength: 4 }),
  flags: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  isRepeated: fc.boolean(),
});

const histories = fc.array(draws, { minLength: 6, maxLength: CALLS_MAX });

/** None that a world is furnished with: ids would be drawn twice. */
const idSeeds = fc.noShrink(fc.integer({ min: 2 ** 31, max: 2 ** 32 - 1 }));

/** How many calls of each verb were done, and how many refused: the test proves it tests. */
const done = new Map<string, number>();
const refused = new Map<string, number>();

test(TITLE, { timeout: TEST_MS_MAX }, async () => {
  const furnished = await furnishWorld(REGIONS, suiteSeed % 2 ** 31);
  await fc.assert(
    fc.asyncProperty(histories, idSeeds, async (history, seed) => {
      const world = await openHistoryWorld(furnished, seed);
      for (const [step, draw] of history.entries()) await play(world, draw, step);
      await world.close();
    }),
    { numRuns: HISTORIES, seed: suiteSeed },
  );
  // A shorter run is for looking into histories, not for judging what they reach.
  if (longFactor < 1) return;
  for (const [verb] of CALLS) {
    expect(done.get(verb) ?? 0, `${verb} was done`).toBeGreaterThan(0);
  }
  expect([...refused.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(HISTORIES);
});

async function play(world: HistoryWorld, draw: Draw, step: number): Promise<void> {
  const [verb, make] = CALLS[draw.verb] as (typeof CALLS)[number];
  const principal = principalOf(world, draw);
  const parameters = { ...make(world, draw), ClientToken: `token-${step}` };
  const call = (): Promise<unknown> =>
    callVerb(world.context, principal, verb, parameters as never) as Promise<unknown>;
  world.takeChanges();
  let answer: unknown;
  try {
    answer = await call();
  } catch (error) {
    if (!(error instanceof PlaneError)) throw error;
    refused.set(verb, (refused.get(verb) ?? 0) + 1);
    expect(world.takeChanges(), `${verb} refused with ${error.code}`).toEqual([]);
    return;
  }
  done.set(verb, (done.get(verb) ?? 0) + 1);
  expect(world.foreignIds(answer, principal, parameters), `${verb} told of`).toEqual([]);
  world.learn(answer, principal);
  await checkPromises(world, `${step}: ${verb}`);
  if (draw.isRepeated && world.takesToken(verb)) {
    world.takeChanges();
    expect(await call(), `${verb} again`).toEqual(answer);
    expect(world.takeChanges(), `${verb} again changed something`).toEqual([]);
  }
}

async function checkPromises(world: HistoryWorld, what: string): Promise<void> {
  const broken = world.context.metadata.check();
  for (const [id, record] of world.resources()) {
    const isEncrypted = record.encryption !== null;
    if (world.wasEncrypted.has(id) && !isEncrypted) broken.push(`${id} became plain`);
    if (isEncrypted) world.wasEncrypted.add(id);
    if (isEncrypted) continue;
    const hasKeyBelow = record.layers.some((layer) => layer.encryption !== null);
    if (hasKeyBelow) broken.push(`${id} is plain over encrypted`);
    if (comesFromEncrypted(world, record)) broken.push(`${id} is plain and comes from encrypted`);
  }
  expect(broken, what).toEqual([]);
}

function comesFromEncrypted(world: HistoryWorld, record: DiskRecord | SnapshotRecord): boolean {
  const source =
    'diskId' in record ? record.sourceSnapshotId : (record.sourceSnapshotId ?? record.sourceDiskId);
  return source !== null && world.wasEncrypted.has(source);
}
