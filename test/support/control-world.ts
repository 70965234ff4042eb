/** Calls by several accounts in several regions, on one control context. */

import { PlaneError } from '../../src/base/errors.ts';
import { fullAccount } from '../../src/control/access/accounts.ts';
import { callVerb } from '../../src/control/call.ts';
import type { CommonParameters, Verbs } from '../../src/control/verbs.ts';
import type { SnapshotRecord } from '../../src/record/resource.ts';
import { type TestControl, testControl } from './control-context.ts';

export const OWNER = '1000000000000001';
export const RECIPIENT = '2000000000000002';
export const STRANGER = '3000000000000003';
export const HOME = 'cn-hangzhou';
export const ABROAD = 'cn-beijing';

export type Caller = <V extends keyof Verbs>(
  verb: V,
  parameters: Verbs[V]['parameters'] & CommonParameters,
) => Promise<Verbs[V]['result']>;

export interface ControlWorld {
  readonly control: TestControl;
  /** Calls of an account. */
  readonly as: (accountId: string) => Caller;
  /** The code a call of the owner is refused with. */
  readonly refused: <V extends keyof Verbs>(verb: V, parameters: object) => Promise<string>;
  readonly snapshot: (snapshotId: string) => SnapshotRecord;
  /** A disk of the owner's and a snapshot of it, encrypted under a key of its own or in plain. */
  readonly snapshotOf: (
    encryption: 'plain' | 'service' | 'user',
  ) => Promise<{ DiskId: string; SnapshotId: string; KMSKeyId: string }>;
  /** What the task runner does when it has ended. */
  readonly finish: (snapshotId: string) => Promise<void>;
}

export async function controlWorld(
  ruleSet: '2018' | '2020' | '2025' = '2025',
): Promise<ControlWorld> {
  const control = await testControl();
  const context = { ...control.context, ruleSet };
  const { metadata } = context;
  await metadata.commit({
    putDocuments: [RECIPIENT, STRANGER].map((id) => ({
      kind: 'account',
      record: fullAccount(id, 0),
    })),
  });
  const as =
    (accountId: string): Caller =>
    (verb, parameters) =>
      callVerb(context, { accountId, userName: null, regionId: HOME }, verb, parameters);
  const call = as(OWNER);
  const snapshot = (snapshotId: string): SnapshotRecord => {
    const found = metadata.getSnapshot(snapshotId);
    if (found === undefined) throw new Error(`the test expects a snapshot ${snapshotId}`);
    return found;
  };
  return {
    control,
    as,
    snapshot,
    refused: (verb, parameters) => codeOf(call(verb, parameters as never)),
    snapshotOf: async (encryption) => {
      const key =
        encryption === 'user' ? (await call('CreateKey', {})).KeyMetadata.KeyId : undefined;
      const { DiskId } = await call('CreateDisk', {
        Size: 2,
        // Of a category that every rule set can encrypt.
        DiskCategory: 'cloud_essd',
        PerformanceLevel: 'PL0',
        Encrypted: encryption !== 'plain',
        ...(key === undefined ? {} : { KMSKeyId: key }),
      });
      const { SnapshotId } = await call('CreateSnapshot', { DiskId });
      return { DiskId, SnapshotId, KMSKeyId: snapshot(SnapshotId).encryption?.keyId ?? '' };
    },
    finish: async (snapshotId) => {
      const found = snapshot(snapshotId);
      const layers = found.layers.slice(0, 1);
      await metadata.commit({ putSnapshots: [{ ...found, layers, status: 'accomplished' }] });
    },
  };
}

/** The code a call is refused with, or a sentence that no code equals. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'it was not refused',
    (error: unknown) => (error instanceof PlaneError ? error.code : String(error)),
  );
}

/** Turns default encryption on in a region. */
export async function turnDefaultEncryptionOn(
  { control }: ControlWorld,
  regionId: string,
  defaultKeyId: string | null = null,
): Promise<void> {
  const record = { accountId: OWNER, regionId, isDefaultEncryptionOn: true, defaultKeyId };
  await control.context.metadata.commit({ putDocuments: [{ kind: 'region', record }] });
}
