/**
 * One call of the cloud's API, from a request as read to an answer as written.
 *
 *   version ─▶ service ─▶ credentials ─▶ operation ─▶ region ─▶ parameters ─▶ verb ─▶ answer
 *
 * 1. What is refused and why is the verb's: nothing here knows a rule of the product.
 * 2. Every request gets an answer with a RequestId; what no PlaneError says is a bug, told to
 *    onBug, and answered InternalError.
 * 3. Action and version come from the headers x-acs-action and x-acs-version, else from parameters;
 *    if both say something, it is the same.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { REGION_DEFAULT } from '../../limits.ts';
import type { Plane, PlanePrincipal, PlaneSession } from '../../types.ts';
import { shapeAnswer } from './answer-shape.ts';
import { type AuthenticationRules, authenticate, type WireRequest } from './authenticate.ts';
import {
  DEFAULT_ENCRYPTION_OPERATIONS,
  DISK_OPERATIONS,
  SNAPSHOT_OPERATIONS,
} from './ecs-disks.ts';
import {
  IMAGE_OPERATIONS,
  INSTANCE_OPERATIONS,
  REGION_OPERATIONS,
  RESOURCE_GROUP_OPERATIONS,
  TAG_OPERATIONS,
  TASK_OPERATIONS,
} from './ecs-images.ts';
import { KMS_OPERATIONS } from './kms-operations.ts';
import type { Operation, Operations } from './operation.ts';
import { readParameters } from './parameter-kinds.ts';
import { mergePairs, type Pairs, shown } from './request-pairs.ts';
import type { ResourceShares } from './resource-sharing.ts';
import { callSts } from './sts-operations.ts';
import { type Service, type WireAnswer, wireRefusal } from './wire-refusal.ts';

const ECS_OPERATIONS: Operations = {
  ...DISK_OPERATIONS,
  ...SNAPSHOT_OPERATIONS,
  ...DEFAULT_ENCRYPTION_OPERATIONS,
  ...IMAGE_OPERATIONS,
  ...INSTANCE_OPERATIONS,
  ...REGION_OPERATIONS,
  ...TAG_OPERATIONS,
  ...RESOURCE_GROUP_OPERATIONS,
  ...TASK_OPERATIONS,
};

/** DATA: which API a version is of. */
const VERSIONS: Readonly<Record<string, Service>> = {
  '2014-05-26': 'ecs',
  '2016-01-20': 'kms',
  '2015-04-01': 'sts',
  '2020-01-10': 'resourcesharing',
};

/** Every operation there is, by API and by its name on the wire. */
export const OPERATIONS: Readonly<Partial<Record<Service, Operations>>> = {
  ecs: ECS_OPERATIONS,
  kms: KMS_OPERATIONS,
};

/** Parameters whose id says which region a call is in, if it names none. */
const LOCATING = ['DiskId', 'SnapshotId', 'ImageId', 'InstanceId', 'SourceDiskId', 'DiskIds.1'];

export interface Api {
  readonly plane: () => Plane;
  readonly authentication: AuthenticationRules;
  /** The region of calls that name none, nor anything that is in one. @default cn-hangzhou */
  readonly regionId?: string;
  /** What a test decided that becomes of the call; throws what it is to be refused with. */
  readonly interfere: (service: Service, action: string) => Promise<void>;
  readonly shares: ResourceShares;
  readonly requestId: () => string;
  readonly onBug: (error: unknown) => void;
}

/** What a call was, for the log and the counters. */
export interface CallRecord {
  service: Service;
  /** Empty: not known. One of the tables, or the name is not kept. */
  action: string;
  accountId: string;
  regionId: string;
  requestId: string;
}

export interface CallOutcome {
  readonly call: Readonly<CallRecord>;
  readonly answer: WireAnswer;
}

/** Answers a request. Never throws. */
export async function callApi(api: Api, request: WireRequest): Promise<CallOutcome> {
  const call: CallRecord = {
    service: 'ecs',
    action: '',
    accountId: '',
    regionId: api.regionId ?? REGION_DEFAULT,
    requestId: api.requestId(),
  };
  try {
    const body = await run(api, request, call);
    const answer = { status: 200, code: '', body: { RequestId: call.requestId, ...body } };
    return { call, answer };
  } catch (error) {
    if (!(error instanceof PlaneError)) api.onBug(error);
    return { call, answer: wireRefusal(error, call) };
  }
}

/** An answer to what could not be read as a request. */
export function refuseRequest(api: Api, error: unknown): CallOutcome {
  const requestId = api.requestId();
  const regionId = api.regionId ?? REGION_DEFAULT;
  const call = { service: 'ecs', action: '', accountId: '', regionId, requestId } as const;
  if (!(error instanceof PlaneError)) api.onBug(error);
  return { call, answer: wireRefusal(error, call) };
}

async function run(api: Api, request: WireRequest, call: CallRecord): Promise<object> {
  const parameters = mergePairs(request.query, request.form);
  const version = named(request, parameters, 'x-acs-version', 'Version');
  call.service = serviceOf(version);
  if (call.service === 'kms') call.requestId = call.requestId.toLowerCase();
  const action = named(request, parameters, 'x-acs-action', 'Action');
  const principal = authenticate(request, api.authentication);
  call.accountId = principal.accountId;
  if (call.service === 'sts') {
    const identity = callSts(action, principal);
    call.action = action;
    return identity;
  }
  if (call.service === 'resourcesharing') {
    await api.interfere(call.service, action);
    const answer = await api.shares.call(action, parameters, api.plane(), principal);
    call.action = action;
    return answer;
  }
  const operation = operationOf(call.service, action);
  call.action = action;
  await api.interfere(call.service, action);
  call.regionId = regionOf(api, request, parameters, operation, principal);
  const { accountId, userName } = principal;
  const caller = { accountId, regionId: call.regionId };
  const session = api.plane().as(userName === undefined ? caller : { userName, ...caller });
  const result = await callVerb(session, operation, parameters);
  const answer = shapeAnswer(operation.gives, result);
  return operation.tellsRegion ? { RegionId: call.regionId, ...answer } : answer;
}

function callVerb(
  session: PlaneSession,
  { verb, takes }: Operation,
  parameters: Pairs,
): Promise<object> {
  // The table was held to the verbs by the compiler; what came is checked by the verb's schema.
  const call = session.call as (name: string, given: unknown) => Promise<object>;
  return call(verb, readParameters(takes, parameters));
}

/** @throws PlaneError InvalidVersion */
function serviceOf(version: string): Service {
  const service = Object.hasOwn(VERSIONS, version) ? VERSIONS[version] : undefined;
  if (service !== undefined) return service;
  const known = Object.entries(VERSIONS).map(([each, name]) => `${each} (${name})`);
  throw new PlaneError(
    'InvalidVersion',
    `expected version ${known.join(', ')}; got ${shown(version)}`,
  );
}

/** @throws PlaneError InvalidAction.NotFound */
function operationOf(service: Service, action: string): Operation {
  const table = OPERATIONS[service] ?? {};
  const found = Object.hasOwn(table, action) ? table[action] : undefined;
  if (found !== undefined) return found;
  throw new PlaneError(
    'InvalidAction.NotFound',
    `${service.toUpperCase()} has no operation ${shown(action)} here`,
  );
}

/** What a header and a parameter may both say. @throws PlaneError InvalidParameter */
function named(request: WireRequest, parameters: Pairs, header: string, name: string): string {
  const told = request.headers[header];
  const given = parameters.get(name);
  if (told === undefined) return given ?? '';
  if (given === undefined || given === told) return String(told);
  throw new PlaneError('InvalidParameter', `${header} and ${name} differ`);
}

/**
 * Where a call is made: where it says; where its host says; where what it is about is; where its
 * credentials say.
 *
 * @throws PlaneError MissingParameter
 */
function regionOf(
  api: Api,
  request: WireRequest,
  parameters: Pairs,
  operation: Operation,
  principal: PlanePrincipal,
): string {
  const asked = parameters.get('RegionId');
  if (asked !== undefined && asked !== '') return asked;
  if (operation.needsRegion) {
    throw new PlaneError('MissingParameter', `${operation.verb} needs RegionId, string`);
  }
  const host = /^[a-z-]+[.]([a-z0-9-]+)[.]aliyuncs[.]com/.exec(String(request.headers.host ?? ''));
  if (host?.[1] !== undefined) return host[1];
  const arn = /^acs:kms:([a-z0-9-]+):/.exec(parameters.get('KeyId') ?? '');
  if (arn?.[1] !== undefined) return arn[1];
  const plane = api.plane();
  for (const name of LOCATING) {
    const id = parameters.get(name);
    const found = id === undefined ? undefined : plane.regionOf(id);
    if (found !== undefined) return found;
  }
  return principal.regionId ?? api.regionId ?? REGION_DEFAULT;
}
