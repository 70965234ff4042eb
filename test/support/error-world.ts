/**
 * Refused calls as data: what is there, who calls which verb with what, and the code, the HTTP
 * status and the words it is refused with. And a world to make what is there in.
 */
import type { Clock } from '../../src/base/clock.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import { fullAccount } from '../../src/control/access/accounts.ts';
import { callVerb } from '../../src/control/call.ts';
import type { ControlContext, Principal } from '../../src/control/context.ts';
import type { RuleSet, Verbs } from '../../src/control/verbs.ts';
import type { AccountRecord, ImageRecord, InstanceRecord } from '../../src/record/document.ts';
import type { KmsRequest } from '../../src/record/kms-message.ts';
import type { DiskRecord, SnapshotRecord } from '../../src/record/resource.ts';
import { NEW_INSTANCE } from './control-caller.ts';
import { type TestControl, testControl } from './control-context.ts';

export const OWNER = '1000000000000001';
export const OTHER = '2000000000000002';
export const HOME = 'cn-hangzhou';
export const ABROAD = 'cn-beijing';
export const DAY_MS = 86_400_000;

/** The call that is refused. */
export interface RefusedCall {
  readonly parameters: object;
  /** What the message names: which id, what was expected, what came. */
  readonly says: readonly string[];
  /** What it must not hold. */
  readonly hides?: string;
  /** Who calls, if it is not the owner in its home. */
  readonly by?: Partial<Principal>;
}

export interface ErrorCase {
  readonly code: ErrorCode;
  /** As the page of the verb says; where no page does, as pages of like errors do. */
  readonly status: number;
  readonly verb: keyof Verbs;
  /** When it is refused: the name of the test. */
  readonly when: string;
  readonly prepare: (world: ErrorWorld) => Promise<RefusedCall>;
  readonly ruleSet?: RuleSet;
  readonly throttling?: boolean;
}

/** A row of a table of cases. */
export function refused(
  code: ErrorCode,
  status: number,
  verb: keyof Verbs,
  when: string,
  prepare: ErrorCase['prepare'],
  options: Pick<ErrorCase, 'ruleSet' | 'throttling'> = {},
): ErrorCase {
  return { code, status, verb, when, prepare, ...options };
}

type Parameters<V extends keyof Verbs> = Verbs[V]['parameters'] & {
  readonly ClientToken?: string;
  readonly RegionId?: string;
};

/** Tasks there are, to whom it may concern. */
type Tasks = ControlContext['tasks'];

export class ErrorWorld {
  readonly control: TestControl;
  readonly clock: Clock & { advance(ms: number): void };
  #context: ControlContext;

  constructor(control: TestControl, clock: ErrorWorld['clock'], ruleSet: RuleSet) {
    this.control = control;
    this.clock = clock;
    this.#context = { ...control.context, ruleSet };
  }

  get context(): ControlContext {
    return this.#context;
  }

  call<V extends keyof Verbs>(
    verb: V,
    parameters: Parameters<V>,
    by: Partial<Principal> = {},
  ): Promise<Verbs[V]['result']> {
    const principal = { accountId: OWNER, userName: null, regionId: HOME, ...by };
    return callVerb(this.#context, principal, verb, parameters);
  }

  /** From here on the rules of another generation hold. */
  setRuleSet(ruleSet: RuleSet): void {
    this.#context = { ...this.#context, ruleSet };
  }

  replaceTasks(tasks: Partial<Tasks>): void {
    this.#context = { ...this.#context, tasks: { ...this.#context.tasks, ...tasks } };
  }

  replaceKms(answer: (request: KmsRequest) => Promise<unknown>): void {
    const call = (request: KmsRequest): Promise<never> => answer(request) as Promise<never>;
    this.#context = { ...this.#context, kms: { call } };
  }

  /** What the operator of the KMS says of the owner's account. */
  async setKmsStatus(status: 'NotEnabled' | 'Enabled', regionId = HOME): Promise<void> {
    const request = { op: 'setAccountStatus', accountId: OWNER, regionId, status } as const;
    await this.control.context.kms.call(request);
  }

  async key(
    parameters: Parameters<'CreateKey'> = {},
    by: Partial<Principal> = {},
  ): Promise<string> {
    return (await this.call('CreateKey', parameters, by)).KeyMetadata.KeyId;
  }

  /** A disk of a category every rule set can encrypt. */
  async disk(parameters: Parameters<'CreateDisk'> = {}): Promise<string> {
    const kind = { DiskCategory: 'cloud_essd', PerformanceLevel: 'PL0' };
    const wishes = 'DiskCategory' in parameters ? parameters : { ...kind, ...parameters };
    return (await this.call('CreateDisk', { Size: 20, ...wishes })).DiskId;
  }

  async snapshot(DiskId?: string): Promise<string> {
    const id = DiskId ?? (await this.disk());
    return (await this.call('CreateSnapshot', { DiskId: id })).SnapshotId;
  }

  async image(SnapshotId?: string): Promise<string> {
    const id = SnapshotId ?? (await this.snapshot());
    return (await this.call('CreateImage', { SnapshotId: id })).ImageId;
  }

  async instance(parameters: Partial<Parameters<'CreateInstance'>> = {}): Promise<string> {
    return (await this.call('CreateInstance', { ...NEW_INSTANCE, ...parameters })).InstanceId;
  }

  async running(): Promise<string> {
    const InstanceId = await this.instance();
    await this.call('StartInstance', { InstanceId });
    return InstanceId;
  }

  systemDiskOf(instanceId: string): string {
    const { records } = this.#context.metadata.listDisks({ instanceId }, 0, 100);
    const found = records.find(({ type }) => type === 'system');
    if (found === undefined) throw new Error(`the test expects a system disk of ${instanceId}`);
    return found.diskId;
  }

  /** A record as a crash, or work in the background, has left it. */
  async setDisk(diskId: string, change: Partial<DiskRecord>): Promise<void> {
    const found = this.#context.metadata.getDisk(diskId) as DiskRecord;
    await this.#context.metadata.commit({ putDisks: [{ ...found, ...change }] });
  }

  async setSnapshot(snapshotId: string, change: Partial<SnapshotRecord>): Promise<void> {
    const found = this.#context.metadata.getSnapshot(snapshotId) as SnapshotRecord;
    await this.#context.metadata.commit({ putSnapshots: [{ ...found, ...change }] });
  }

  async setImage(imageId: string, change: Partial<ImageRecord>): Promise<void> {
    const found = this.#context.metadata.getDocument('image', imageId) as ImageRecord;
    const record = { ...found, ...change };
    await this.#context.metadata.commit({ putDocuments: [{ kind: 'image', record }] });
  }

  async setInstance(instanceId: string, change: Partial<InstanceRecord>): Promise<void> {
    const found = this.#context.metadata.getDocument('instance', instanceId) as InstanceRecord;
    const record = { ...found, ...change };
    await this.#context.metadata.commit({ putDocuments: [{ kind: 'instance', record }] });
  }

  async setAccount(change: Partial<AccountRecord>, accountId = OWNER): Promise<void> {
    const record = { ...fullAccount(accountId, 0), ...change };
    await this.#context.metadata.commit({ putDocuments: [{ kind: 'account', record }] });
  }
}

const START = Date.UTC(2026, 0, 31, 12);

export async function errorWorld(
  given: Pick<ErrorCase, 'ruleSet' | 'throttling'> = {},
): Promise<ErrorWorld> {
  let now = START;
  const advance = (ms: number): void => {
    now += ms;
  };
  const clock = { now: () => now, monotonic: () => now - START, advance };
  const control = await testControl(clock, given.throttling ?? false);
  return new ErrorWorld(control, clock, given.ruleSet ?? '2025');
}
