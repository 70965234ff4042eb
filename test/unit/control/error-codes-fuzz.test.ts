/**
 * Every verb, with parameters nobody has thought of.
 *
 * 1. With one thing wrong, by the verb's own schema: InvalidParameter or MissingParameter, and
 *    nothing is changed.
 * 2. With any text in any place of a text: done, or refused by a code of the table.
 * 3. Of the right types, with ids of one's own, of others, of other kinds and of nothing: done, or
 *    a PlaneError whose code is in the table; a refusal changes nothing, and nothing done by one
 *    account changes what is another's.
 */
import fc from 'fast-check';
import type * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES, PlaneError } from '../../../src/base/errors.ts';
import { ACCESS_VERBS } from '../../../src/control/access/table.ts';
import { AUDIT_VERBS } from '../../../src/control/audit/table.ts';
import { BILLING_VERBS } from '../../../src/control/billing/table.ts';
import { verbFacts } from '../../../src/control/call.ts';
import { DISK_VERBS } from '../../../src/control/disks/table.ts';
import { IMAGE_VERBS } from '../../../src/control/images/table.ts';
import { INSTANCE_VERBS } from '../../../src/control/instances/table.ts';
import { TASK_VERBS } from '../../../src/control/jobs/table.ts';
import { KEY_VERBS } from '../../../src/control/keys/table.ts';
import { LINEAGE_VERBS } from '../../../src/control/lineage/table.ts';
import { SNAPSHOT_VERBS } from '../../../src/control/snapshots/table.ts';
import type { Verbs } from '../../../src/control/verbs.ts';
import { type ErrorWorld, errorWorld, OTHER, OWNER } from '../../support/error-world.ts';
import { longFactor } from '../../support/long.ts';
import {
  likelyParameters,
  resolveIds,
  textVariants,
  wrongParameters,
} from '../../support/parameter-arbitrary.ts';
import { dumpState } from '../../support/state-dump.ts';

const WRONG_RUNS = Math.ceil(20 * longFactor);
const LIKELY_RUNS = Math.ceil(30 * longFactor);
const timeout = 120_000 * Math.max(1, longFactor);
const ID = /\b(?:[dsmit]|key)-[a-z0-9]{20}\b/g;
/** What the name of a parameter says of its ids. */
const KINDS = [
  ['KeyId', 'key-'],
  ['Snapshot', 's-'],
  ['Image', 'm-'],
  ['Instance', 'i-'],
  ['Task', 't-'],
] as const;
const NO_IDS = ['d', 's', 'm', 'i', 't', 'key'].map((kind) => `${kind}-${'0'.repeat(20)}`);

const ROWS: Readonly<Record<string, { readonly schema: v.GenericSchema }>> = {
  ...DISK_VERBS,
  ...INSTANCE_VERBS,
  ...SNAPSHOT_VERBS,
  ...IMAGE_VERBS,
  ...LINEAGE_VERBS,
  ...AUDIT_VERBS,
  ...BILLING_VERBS,
  ...ACCESS_VERBS,
  ...TASK_VERBS,
  ...KEY_VERBS,
};

test('every verb is tried', () => {
  expect(Object.keys(ROWS).sort()).toEqual(
    verbFacts()
      .map(({ name }) => name)
      .sort(),
  );
});

/** Ids there are: the owner's, another account's, those shared, and some of nothing. */
interface Furnished {
  readonly world: ErrorWorld;
  readonly ids: readonly string[];
  readonly own: ReadonlyMap<string, ReadonlySet<string>>;
}

/** An account's own things: a key, a disk in plain and one encrypted, and what is made of them. */
async function furnish(world: ErrorWorld, accountId: string): Promise<void> {
  const by = { accountId };
  const KMSKeyId = await world.key({}, by);
  const partner = accountId === OWNER ? OTHER : OWNER;
  for (const wishes of [{}, { Encrypted: true, KMSKeyId }, { Encrypted: true }]) {
    const { DiskId } = await world.call('CreateDisk', { Size: 20, ...wishes }, by);
    const { SnapshotId } = await world.call('CreateSnapshot', { DiskId }, by);
    const { ImageId } = await world.call('CreateImage', { SnapshotId }, by);
    const InstanceType = 'ecs.g7.large';
    await world.call('CreateInstance', { ImageId, InstanceType }, by);
    if (wishes.Encrypted === true && !('KMSKeyId' in wishes)) continue;
    await world.call('ShareSnapshot', { SnapshotId, AccountId: partner }, by);
    await world.call('ModifyImageSharePermission', { ImageId, AddAccount: [partner] }, by);
  }
  const { DiskId } = await world.call('CreateDisk', { Size: 20 }, by);
  await world.call('ModifyDiskSpec', { DiskId, DiskCategory: 'cloud_essd' }, by);
}

async function furnished(): Promise<Furnished> {
  const world = await errorWorld();
  // Work in the background that is begun, and does nothing.
  world.replaceTasks({ reencrypt: async () => `t-${'1'.repeat(20)}` });
  const own = new Map<string, Set<string>>();
  const ids = new Set(NO_IDS);
  for (const accountId of [OWNER, OTHER]) {
    await furnish(world, accountId);
    const places = [...dumpState(world.control).keys()].join(' ');
    const made = (places.match(ID) ?? []).filter((id) => !ids.has(id));
    own.set(accountId, new Set(made));
    for (const id of made) ids.add(id);
  }
  return { world, own, ids: [...ids].sort() };
}

async function outcomeOf(world: ErrorWorld, verb: string, parameters: unknown, accountId: string) {
  return world.call(verb as keyof Verbs, parameters as never, { accountId }).then(
    () => null,
    (error: unknown) => error,
  );
}

/** @returns the code; whatever else was thrown is thrown again */
function codeOf(error: unknown): string {
  if (!(error instanceof PlaneError)) throw error;
  expect(Object.keys(ERROR_CODES)).toContain(error.code);
  expect(error.message.length).toBeLessThan(2_000);
  return error.code;
}

/** What a schema refuses is refused with one of these. */
const OF_SCHEMAS: readonly string[] = [
  'InvalidParameter',
  'MissingParameter',
  'InvalidDescription.Malformed',
  'InvalidDiskName.Malformed',
  'InvalidInstanceName.Malformed',
  'InvalidSnapshotName.Malformed',
];

describe.each(Object.entries(ROWS))('%s', (verb, { schema }) => {
  test('refuses what its schema refuses, and changes nothing', { timeout }, async () => {
    const { world, ids } = await furnished();
    const before = dumpState(world.control);
    await fc.assert(
      fc.asyncProperty(wrongParameters(schema), async (drawn) => {
        const error = await outcomeOf(world, verb, resolveIds(drawn, ids), OWNER);
        expect(error, 'it was done').not.toBeNull();
        expect(OF_SCHEMAS).toContain(codeOf(error));
        expect(dumpState(world.control)).toEqual(before);
      }),
      { numRuns: WRONG_RUNS },
    );
  });

  test('takes any text in any place of a text for what it is', { timeout }, async () => {
    const { world, own } = await furnished();
    const ids = [...(own.get(OWNER) ?? [])].sort();
    const idOf = (name: string): string => {
      const kind = KINDS.find(([part]) => name.includes(part))?.[1] ?? 'd-';
      return ids.find((id) => id.startsWith(kind)) ?? name;
    };
    for (const parameters of textVariants(schema, idOf)) {
      const error = await outcomeOf(world, verb, parameters, OWNER);
      if (error !== null) codeOf(error);
    }
    expect(world.context.metadata.check()).toEqual([]);
  });

  test('is done, or refused by a code of the table and changes nothing', { timeout }, async () => {
    const all = await furnished();
    const { world, ids } = all;
    await fc.assert(
      fc.asyncProperty(likelyParameters(schema), fc.boolean(), async (drawn, isOwner) => {
        const [caller, partner] = isOwner ? [OWNER, OTHER] : [OTHER, OWNER];
        const before = dumpState(world.control);
        const error = await outcomeOf(world, verb, resolveIds(drawn, ids), caller);
        const after = dumpState(world.control);
        if (error !== null) expect(after, codeOf(error)).toEqual(before);
        expect(thoseOf(all, partner, after)).toEqual(thoseOf(all, partner, before));
        expect(world.context.metadata.check()).toEqual([]);
      }),
      { numRuns: LIKELY_RUNS },
    );
  });
});

/** What is stored of what an account was furnished with, and of nothing else besides. */
function thoseOf(
  { own }: Furnished,
  accountId: string,
  dump: ReadonlyMap<string, string>,
): Map<string, string> {
  const ids = own.get(accountId) ?? new Set();
  const isTheirs = (place: string): boolean => {
    const named = place.match(ID) ?? [];
    return named.length > 0 && named.every((id) => ids.has(id));
  };
  return new Map([...dump].filter(([place]) => isTheirs(place)));
}
