/**
 * ClientToken: a call that is repeated with its token is done once, and answered as the first time.
 *
 *   (unknown) ──call──▶ in use ──done──▶ kept, 24 hours ──▶ (unknown)
 *                         └──refused──▶ (unknown)
 *
 * 1. A token is of an account and a verb. Used again with other parameters, or in another region,
 *    it is IdempotentParameterMismatch; while the first call runs, LastTokenProcessing.
 * 2. The commit that makes a resource carries the token's record, naming the resource: a crash
 *    right after it leaves no resource whose token is unknown. The answer is committed when the
 *    verb is done; a crash in between leaves a record without an answer, and the answer is then
 *    made of the ids (ANSWERS). A verb it cannot be made for: LastTokenProcessing, naming the ids.
 * 3. Keys are made in the KMS thread, in a transaction of its own: their token is recorded, without
 *    an answer, before the verb begins.
 * 4. A verb that makes nothing is remembered when it is done: if the process ends between its
 *    effect and that, the repeated call runs again, and is judged by the state it finds.
 * 5. Records older than 24 hours count as absent. They are removed when a plane is opened, and
 *    afterwards a few with every token that is remembered.
 * 6. No answer of a verb that gives out a plaintext key is kept: such verbs take no token.
 *
 * **Thread:** main. **Source:** ECS, "How to ensure idempotence".
 */
import { createHash } from 'node:crypto';
import { PlaneError } from '../../base/errors.ts';
import { invariant } from '../../base/invariant.ts';
import { TOKEN_HOUR_MS, TOKEN_LIFETIME_MS, TOKENS_SWEPT_MAX } from '../../limits.ts';
import { tokenHourGroup, tokenKey } from '../../meta/documents.ts';
import type { Metadata, MetadataChange } from '../../meta/metadata.ts';
import type { TokenRecord } from '../../record/document.ts';
import type { ControlContext } from '../context.ts';
import { overlay } from './overlay.ts';
import type { VerbFacts } from './policies.ts';

/** KMS verbs that make something, and answer nothing secret. */
const KMS_MAKERS: readonly string[] = ['CreateKey', 'CreateKeyVersion'];

/** The first of the ids that begin alike. */
function first(ids: readonly string[], prefix: string): string | undefined {
  return ids.find((id) => id.startsWith(prefix));
}

/** What a verb answered that made these, if that can be told. */
const ANSWERS: Readonly<Record<string, (ids: readonly string[]) => object>> = {
  CreateDisk: (ids) => ({ DiskId: first(ids, 'd-') }),
  CloneDisk: (ids) => ({ DiskId: first(ids, 'd-') }),
  ReplaceSystemDisk: (ids) => ({ DiskId: first(ids, 'd-') }),
  CreateSnapshot: (ids) => ({ SnapshotId: first(ids, 's-') }),
  CopySnapshot: (ids) => ({ SnapshotId: first(ids, 's-') }),
  CreateImage: (ids) => ({ ImageId: first(ids, 'm-') }),
  CopyImage: (ids) => ({ ImageId: first(ids, 'm-') }),
  CreateInstance: (ids) => ({ InstanceId: first(ids, 'i-') }),
  RunInstances: (ids) => ({ InstanceIdSets: ids.filter((id) => id.startsWith('i-')) }),
};

/** The tokens whose first call runs, and how far old ones were removed. One per plane. */
export class TokensInUse {
  /** The hash of the running call's parameters, by the token's key. */
  readonly running: Map<string, string> = new Map();
  /** The first hour whose records may not have been removed. */
  sweepHour: number;

  constructor(now: number) {
    this.sweepHour = hourOf(now - TOKEN_LIFETIME_MS);
  }
}

/** Removes the records of a plane that are too old. Called once, when it is opened. */
export async function removeExpiredTokens(metadata: Metadata, now: number): Promise<void> {
  for (let skip = 0; ; ) {
    const { records } = metadata.listDocuments('token', null, skip, TOKENS_SWEPT_MAX);
    if (records.length === 0) return;
    const expired = records.filter((record) => !isFresh(record, now));
    const removeDocuments = expired.map(
      (record) => ({ kind: 'token', key: keyOf(record) }) as const,
    );
    if (expired.length > 0) await metadata.commit({ removeDocuments });
    skip += records.length - expired.length;
  }
}

/** Whether a verb heeds ClientToken; others ignore it, as they have nothing to do once. */
export function takesToken({ name, access, service }: VerbFacts): boolean {
  return access === 'write' && (service !== 'kms' || KMS_MAKERS.includes(name));
}

/** A call with a token. */
export interface TokenCall {
  readonly verb: string;
  readonly token: string;
  /** The verb's own parameters. */
  readonly parameters: unknown;
  /** Makes its resources in another store than the metadata. */
  readonly isKms: boolean;
}

/**
 * Runs a verb, or answers what it answered before.
 *
 * @param run the verb; it must use the context it is given
 * @throws PlaneError IdempotentParameterMismatch, LastTokenProcessing; what the verb throws
 */
export async function runOnce<R>(
  context: ControlContext,
  call: TokenCall,
  run: (context: ControlContext) => Promise<R>,
): Promise<R> {
  const { accountId, clock, metadata, tokens } = context;
  const key = tokenKey(accountId, call.verb, call.token);
  const parametersHash = hashOf(context.regionId, call.parameters);
  const runningHash = tokens.running.get(key);
  if (runningHash !== undefined) {
    if (runningHash !== parametersHash) throw mismatch(call);
    throw new PlaneError('LastTokenProcessing', `the first ${call.verb} with it still runs`);
  }
  const known = metadata.getDocument('token', key);
  if (known !== undefined && isFresh(known, clock.now())) {
    if (known.parametersHash !== parametersHash) throw mismatch(call);
    const answer = answerOf(metadata, known);
    if (answer !== null) return answer as R;
  }
  // Nothing was awaited since the look at what runs: nobody else has the token.
  tokens.running.set(key, parametersHash);
  try {
    const { verb, token } = call;
    const createdAt = clock.now();
    const record = { accountId, token, verb, parametersHash, result: '', created: [], createdAt };
    return await runMarked(context, record, call.isKms, run);
  } finally {
    tokens.running.delete(key);
  }
}

async function runMarked<R>(
  context: ControlContext,
  record: TokenRecord,
  isKms: boolean,
  run: (context: ControlContext) => Promise<R>,
): Promise<R> {
  const { metadata } = context;
  let created: readonly string[] = [];
  const commit = async (change: MetadataChange): Promise<void> => {
    const made = madeBy(metadata, change);
    if (made.length === 0) return metadata.commit(change);
    const all = [...created, ...made];
    const mark = { kind: 'token', record: { ...record, created: all } } as const;
    await metadata.commit({ ...change, putDocuments: [...(change.putDocuments ?? []), mark] });
    created = all;
  };
  if (isKms) await metadata.commit({ putDocuments: [{ kind: 'token', record }] });
  let result: R;
  try {
    result = await run({ ...context, metadata: overlay(metadata, { commit }) });
  } catch (error) {
    // What was made and is still there is what a repeated call is to be answered with.
    const isMarked = isKms || created.length > 0;
    if (isMarked && !created.some((id) => exists(metadata, id))) {
      await metadata.commit({ removeDocuments: [{ kind: 'token', key: keyOf(record) }] });
    }
    throw error;
  }
  const done = { ...record, created: [...created], result: JSON.stringify(result) };
  const removeDocuments = expiredTokens(context);
  await metadata.commit({ putDocuments: [{ kind: 'token', record: done }], removeDocuments });
  return result;
}

/** @returns null: the call left nothing, it may run again */
function answerOf(metadata: Metadata, known: TokenRecord): unknown {
  if (known.result !== '') return JSON.parse(known.result);
  const isGone = known.created.length > 0 && !known.created.some((id) => exists(metadata, id));
  if (isGone) return null;
  const answer = known.created.length === 0 ? undefined : ANSWERS[known.verb];
  if (answer !== undefined) return answer(known.created);
  const made = known.created.length === 0 ? '' : `; it made ${known.created.join(', ')}`;
  throw new PlaneError(
    'LastTokenProcessing',
    `the process ended while the first ${known.verb} with it ran${made}`,
  );
}

/** Ids of the resources a change brings into being. */
function madeBy(metadata: Metadata, change: MetadataChange): string[] {
  const ids: string[] = [];
  for (const { diskId } of change.putDisks ?? []) ids.push(diskId);
  for (const { snapshotId } of change.putSnapshots ?? []) ids.push(snapshotId);
  for (const document of change.putDocuments ?? []) {
    if (document.kind === 'image') ids.push(document.record.imageId);
    if (document.kind === 'instance') ids.push(document.record.instanceId);
  }
  return ids.filter((id) => !exists(metadata, id));
}

function exists(metadata: Metadata, id: string): boolean {
  if (id.startsWith('d-')) return metadata.getDisk(id) !== undefined;
  if (id.startsWith('s-')) return metadata.getSnapshot(id) !== undefined;
  if (id.startsWith('m-')) return metadata.getDocument('image', id) !== undefined;
  invariant(id.startsWith('i-'), 'what is made is a disk, snapshot, image or instance');
  return metadata.getDocument('instance', id) !== undefined;
}

/** Some of the records that are too old. */
function expiredTokens({ metadata, tokens, clock }: ControlContext) {
  const lastHour = hourOf(clock.now() - TOKEN_LIFETIME_MS) - 1;
  const found: { readonly kind: 'token'; readonly key: string }[] = [];
  for (let hours = 0; hours < TOKENS_SWEPT_MAX && tokens.sweepHour <= lastHour; hours++) {
    const group = tokenHourGroup(tokens.sweepHour * TOKEN_HOUR_MS);
    const { total, records } = metadata.listDocuments('token', group, 0, TOKENS_SWEPT_MAX);
    for (const record of records) found.push({ kind: 'token', key: keyOf(record) });
    if (total > records.length || found.length >= TOKENS_SWEPT_MAX) break;
    tokens.sweepHour++;
  }
  return found;
}

function isFresh({ createdAt }: TokenRecord, now: number): boolean {
  return now - createdAt < TOKEN_LIFETIME_MS;
}

function keyOf({ accountId, verb, token }: TokenRecord): string {
  return tokenKey(accountId, verb, token);
}

function hourOf(milliseconds: number): number {
  return Math.floor(milliseconds / TOKEN_HOUR_MS);
}

function mismatch({ verb, token }: TokenCall): PlaneError {
  return new PlaneError(
    'IdempotentParameterMismatch',
    `ClientToken ${token} was used for a ${verb} with other parameters`,
  );
}

function hashOf(regionId: string, parameters: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([regionId, sorted(parameters)]))
    .digest('hex');
}

/** The same parameters in the order of their names, at every depth; absent ones left out. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, each]) => [name, sorted(each)]));
}
