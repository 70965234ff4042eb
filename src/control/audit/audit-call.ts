/**
 * Every management call that may change something, and every use of a key it makes, in the audit
 * log; and what it counts towards the KMS quota.
 *
 * 1. A call that is done is one entry, in the transaction of the first change it commits: nothing
 *    is changed that the log does not tell of. A call that commits nothing is an entry of its own.
 * 2. A refused call is one entry with the code it was refused with. If it had committed something
 *    before, there are two: it had begun, and it failed.
 * 3. Wrapped data keys a call had made, and volumes it opened, are entries beside it, in the next
 *    transaction of the call.
 * 4. Calls that only read are not logged, refused or not: as in the cloud's ActionTrail, whose
 *    default is write events. Calls of the KMS API that use a key are, whatever they return.
 *    Dry runs are not: they change nothing at all.
 *
 * A verb knows nothing of this: the metadata and the KMS it is given see to it.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import type { AuditEntry, Metadata, MetadataChange } from '../../meta/metadata.ts';
import type { UsageRecord } from '../../record/document.ts';
import type { EncryptionRecord } from '../../record/resource.ts';
import { readWrappedKeyHead } from '../../record/wrapped-key.ts';
import { isKeyCall } from '../billing/billing-rules.ts';
import { usageOf, usageOfKeys } from '../billing/usage.ts';
import type { KmsCalls, PlaneContext, Principal } from '../context.ts';

/** A call as the log tells of it. */
export interface AuditedCall {
  readonly verb: string;
  readonly access: 'read' | 'write';
  readonly principal: Principal;
  readonly regionId: string;
  readonly parameters: unknown;
  readonly isDryRun: boolean;
  /** Of a call nobody made: why the plane does it by itself. */
  readonly reason?: string;
}

type Volumes = PlaneContext['volumes'];

/** What a call is told by outside of its verb: who, when, in which region. */
type AuditCaller = Pick<AuditedCall, 'principal' | 'regionId'>;

/** @param run is given the plane to work on: what it commits there is logged with it */
export async function auditCall<T>(
  plane: PlaneContext,
  call: AuditedCall,
  run: (audited: PlaneContext) => Promise<T>,
): Promise<T> {
  const isLogged = call.access === 'write' || isKeyCall(call.verb);
  if (!isLogged || call.isDryRun) return run(plane);
  const log = new CallLog(plane, call);
  const commit: Metadata['commit'] = (change) => log.commit(change);
  const metadata = replacing(plane.metadata, { commit });
  const hold: Volumes['hold'] = (disk) => log.hold(disk);
  const volumes = replacing(plane.volumes, { hold });
  const kms: KmsCalls = { call: (request) => log.callKms(request) };
  try {
    const result = await run({ ...plane, metadata, kms, volumes });
    await log.end('OK', result);
    return result;
  } catch (error) {
    await log.end(error instanceof PlaneError ? error.code : 'InternalError', null);
    throw error;
  }
}

/** A call that is not of a verb: the library's own attach and detach. */
export function callEntry(
  plane: Pick<PlaneContext, 'clock'>,
  caller: AuditCaller & { readonly verb: string },
  resourceId: string,
  outcome: string,
): AuditEntry {
  const none = { keyId: '', keyVersion: 0, reason: '' };
  const told = { action: caller.verb, resourceIds: [resourceId], outcome };
  return { ...entryHead(plane, caller), ...none, ...told };
}

/** A use of the data keys of a disk's or snapshot's layers, to be committed with what it is for. */
export function keyUseEntries(
  plane: Pick<PlaneContext, 'clock'>,
  caller: AuditCaller,
  use: {
    /** The verb, or what the plane does by itself. */
    readonly reason: string;
    readonly resourceId: string;
    readonly layers: readonly { readonly encryption: EncryptionRecord | null }[];
    readonly outcome: string;
  },
): AuditEntry[] {
  const entries: AuditEntry[] = [];
  const seen = new Set<string>();
  for (const { encryption } of use.layers) {
    if (encryption === null) continue;
    const { keyId, wrappedKey, lineageId } = encryption;
    const version = readWrappedKeyHead(wrappedKey)?.version ?? 0;
    if (seen.has(`${keyId} ${version} ${lineageId}`)) continue;
    seen.add(`${keyId} ${version} ${lineageId}`);
    entries.push({
      ...entryHead(plane, caller),
      action: 'UnwrapDataKey',
      resourceIds: [...new Set([use.resourceId, lineageId])],
      keyId,
      keyVersion: version,
      outcome: use.outcome,
      reason: use.reason,
    });
  }
  return entries;
}

interface UsedVersion {
  readonly keyId: string;
  readonly version: number;
}

/** The key a call of the KMS API says it used. */
function usedVersionOf(result: unknown): UsedVersion | null {
  if (typeof result !== 'object' || result === null) return null;
  const { keyId, version } = result as Partial<UsedVersion>;
  return typeof keyId === 'string' && typeof version === 'number' ? { keyId, version } : null;
}

/** What one call adds to the log. */
class CallLog {
  readonly #plane: PlaneContext;
  readonly #call: AuditedCall;
  /** Key uses no commit has taken along yet. */
  #keyUses: AuditEntry[] = [];
  #hasCommitted = false;
  /** What a call of the KMS API used. */
  #used: UsedVersion | null = null;

  constructor(plane: PlaneContext, call: AuditedCall) {
    this.#plane = plane;
    this.#call = call;
  }

  async commit(change: MetadataChange): Promise<void> {
    const keyUses = this.#keyUses;
    const isFirst = !this.#hasCommitted;
    const ids = [...idsIn(this.#call.parameters), ...idsOfChange(change)];
    const own = isFirst ? [this.#entry('OK', ids)] : [];
    const usage = isFirst ? usageOf(this.#plane, this.#call, change) : [];
    this.#keyUses = [];
    this.#hasCommitted = true;
    try {
      await this.#commitAll(change, [...own, ...keyUses], usage);
    } catch (error) {
      this.#keyUses = [...keyUses, ...this.#keyUses];
      if (isFirst) this.#hasCommitted = false;
      throw error;
    }
  }

  async callKms(...[request]: Parameters<KmsCalls['call']>): Promise<never> {
    const result = await this.#plane.kms.call(request);
    if (result instanceof Uint8Array) this.#noteWrap(result, request);
    if (isKeyCall(this.#call.verb)) this.#used = usedVersionOf(result) ?? this.#used;
    return result as never;
  }

  /** A volume is opened: its data keys are unwrapped, or one of them is refused. */
  async hold(...[disk]: Parameters<Volumes['hold']>): Promise<void> {
    const use = { reason: this.#call.verb, resourceId: disk.diskId, layers: disk.layers };
    const note = (outcome: string): void => {
      this.#keyUses.push(...keyUseEntries(this.#plane, this.#call, { ...use, outcome }));
    };
    try {
      await this.#plane.volumes.hold(disk);
    } catch (error) {
      note(error instanceof PlaneError ? error.code : 'InternalError');
      throw error;
    }
    note('OK');
  }

  async end(outcome: string, result: unknown): Promise<void> {
    const isTold = this.#hasCommitted && outcome === 'OK';
    if (isTold && this.#keyUses.length === 0) return;
    const ids = [...idsIn(this.#call.parameters), ...idsIn(result)];
    const own = isTold ? [] : [this.#entry(outcome, ids)];
    const keyIds = this.#used === null || outcome !== 'OK' ? [] : [this.#used.keyId];
    const usage = usageOfKeys(this.#plane, this.#call, keyIds);
    try {
      await this.#commitAll({}, [...own, ...this.#keyUses], usage);
    } catch (error) {
      // A call that failed says why it did: that the log failed too, the next call will say.
      if (outcome === 'OK') throw error;
    }
  }

  #commitAll(
    change: MetadataChange,
    entries: readonly AuditEntry[],
    usage: readonly UsageRecord[],
  ): Promise<void> {
    const appendAudit = [...(change.appendAudit ?? []), ...entries];
    const addUsage = [...(change.addUsage ?? []), ...usage];
    return this.#plane.metadata.commit({ ...change, appendAudit, addUsage });
  }

  /** A data key was made: its wrapped form names the key and its version. */
  #noteWrap(wrappedKey: Uint8Array, request: object): void {
    const head = readWrappedKeyHead(wrappedKey);
    if (head === null) return;
    this.#keyUses.push({
      ...entryHead(this.#plane, this.#call),
      action: 'WrapDataKey',
      resourceIds: idsIn('context' in request ? request.context : null),
      keyId: head.keyId,
      keyVersion: head.version,
      outcome: 'OK',
      reason: this.#call.verb,
    });
  }

  #entry(outcome: string, ids: readonly string[]): AuditEntry {
    const named = [...new Set(ids)];
    return {
      ...entryHead(this.#plane, this.#call),
      action: this.#call.verb,
      resourceIds: named.filter((id) => !id.startsWith('key-')).slice(0, RESOURCES_MAX),
      keyId: this.#used?.keyId ?? named.find((id) => id.startsWith('key-')) ?? '',
      keyVersion: this.#used?.version ?? 0,
      outcome,
      reason: this.#call.reason ?? '',
    };
  }
}

/** Resources one entry names: those of a call on many are the first so many. */
const RESOURCES_MAX = 128;

function entryHead(plane: Pick<PlaneContext, 'clock'>, { principal, regionId }: AuditCaller) {
  const { accountId, userName } = principal;
  return { at: plane.clock.now(), accountId, regionId, principal: userName ?? 'root' };
}

const ID = /^(?:[dsmit]|key)-[a-z0-9]{20}$/;

/** Deeper than any parameter or answer; a malformed call may give anything. */
const DEPTH_MAX = 8;

/** The ids in what a caller gave, or is answered. */
function idsIn(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return ID.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  if (depth === DEPTH_MAX) return [];
  return Object.values(value).flatMap((each) => idsIn(each, depth + 1));
}

function idsOfChange(change: MetadataChange): string[] {
  const documents = change.putDocuments ?? [];
  return [
    ...(change.putDisks ?? []).map((disk) => disk.diskId),
    ...(change.putSnapshots ?? []).map((snapshot) => snapshot.snapshotId),
    ...documents.flatMap(({ kind, record }) => {
      if (kind === 'image') return [record.imageId];
      if (kind === 'instance') return [record.instanceId];
      return kind === 'share' ? [record.snapshotId] : [];
    }),
  ];
}

/** The same object, but for some of its methods. */
function replacing<T extends object>(object: T, methods: Partial<T>): T {
  return new Proxy(object, {
    get: (target, name) => {
      if (Object.hasOwn(methods, name)) return methods[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
