/**
 * Every operation against the models of the official SDKs: what they can say is what a row takes,
 * what a row gives is what they can read. The SDKs are the oracle, not our tables.
 */
import { describe, expect, test } from 'vitest';
import { AccessKeys } from '../../../../src/front/api/access-keys.ts';
import { callApi, OPERATIONS } from '../../../../src/front/api/call-operation.ts';
import { Nonces } from '../../../../src/front/api/nonces.ts';
import type { Kind, Kinds } from '../../../../src/front/api/parameter-kinds.ts';
import { readPairs } from '../../../../src/front/api/request-pairs.ts';
import { ResourceShares } from '../../../../src/front/api/resource-sharing.ts';
import type { Plane } from '../../../../src/index.ts';
import { ecs, flatten, kms, type ModelClass } from '../../../support/official-sdk.ts';

const VERSIONS = { ecs: '2014-05-26', kms: '2016-01-20' } as const;
type ApiName = keyof typeof VERSIONS;

/** Operations that the pinned KMS SDK does not have yet. */
const NOT_IN_SDK = [
  'CancelTask',
  'DescribeAccountKmsStatus',
  'GetKeyPolicy',
  'ListTagResources',
  'OpenKmsService',
  'ReEncrypt',
  'SetDeletionProtection',
  'SetKeyPolicy',
  'TagResources',
  'UntagResources',
];
/** Parameters a verb has, and its operation does not: of them the last two are ignored anyway. */
const OURS = [
  'DescribeDisks.ImageId',
  'CreateInstance.SecurityGroupIds',
  'CreateInstance.UniqueSuffix',
];
/** Parameters the cloud has and the pinned SDK does not. */
const NEWER = ['CreateKey.Policy', 'CreateKey.Tags', 'ListKeys.Filters'];

function modelOf(api: ApiName, name: string): ModelClass | undefined {
  const models = (api === 'ecs' ? ecs : kms) as unknown as Record<string, ModelClass | undefined>;
  return models[name];
}

const ROWS = (Object.keys(VERSIONS) as ApiName[]).flatMap((api) =>
  Object.entries(OPERATIONS[api] ?? {}).map(([action, operation]) => ({ api, action, operation })),
);

/** A value of each type the SDK's models have. */
function sample(type: unknown, depth = 0): unknown {
  if (type === 'string') return 'text';
  if (type === 'number') return 20;
  if (type === 'boolean') return true;
  if (type === 'any') return 'text';
  if (typeof type === 'function') return sampleModel(type as unknown as ModelClass, depth + 1);
  const { itemType, type: kind, valueType } = type as Record<string, unknown>;
  if (kind === 'array') return [sample(itemType, depth + 1), sample(itemType, depth + 1)];
  if (kind === 'map') return { a: sample(valueType, depth + 1) };
  throw new Error(`a type of the SDK nobody knows: ${String(type)}`);
}

function sampleModel(model: ModelClass, depth = 0): object {
  if (depth > 4) return {};
  const types = Object.entries(model.types());
  return new model(Object.fromEntries(types.map(([name, type]) => [name, sample(type, depth)])));
}

/** What is written inside of a string, which the SDK knows nothing of: JSON, digits, true. */
const SPELLED: Readonly<Partial<Record<Kind['kind'], string>>> = {
  json: '["text"]',
  flag: 'true',
  number: '20',
  clamped: '20',
};

function spelled(takes: Kinds, query: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(query).map(([name, value]) => {
    const kind = kindOf(takes, name.split('.'));
    return [name, (kind === undefined ? undefined : SPELLED[kind.kind]) ?? value];
  });
  return Object.fromEntries(entries);
}

/** The kind of what a path of names and indexes leads to. */
function kindOf(takes: Kinds, path: readonly string[]): Kind | undefined {
  const [head = '', ...below] = path;
  const kind = takes[head];
  if (kind === undefined || !('fields' in kind)) return below.length === 0 ? kind : undefined;
  return kindOf(kind.fields, /^\d+$/.test(below[0] ?? '') ? below.slice(1) : below);
}

/** A plane that remembers what it was asked. */
async function call(api: ApiName, action: string, query: Record<string, string>) {
  const asked: { verb: string; parameters: Record<string, unknown>; regionId: string }[] = [];
  const plane = {
    regionOf: () => undefined,
    as: ({ regionId }: { regionId: string }) => ({
      call: async (verb: string, parameters: Record<string, unknown>) => {
        asked.push({ verb, parameters, regionId });
        return {};
      },
    }),
  } as unknown as Plane;
  const bugs: unknown[] = [];
  const text = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const { answer } = await callApi(
    {
      plane: () => plane,
      authentication: {
        mode: 'off',
        keys: new AccessKeys([]),
        nonces: new Nonces(),
        now: () => 0,
      },
      interfere: async () => {},
      shares: new ResourceShares(() => 0),
      requestId: () => '473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E',
      onBug: (error) => bugs.push(error),
    },
    {
      method: 'POST',
      path: '/',
      headers: { 'x-acs-action': action, 'x-acs-version': VERSIONS[api] },
      query: readPairs(text.join('&')),
      form: new Map(),
      body: new Uint8Array(0),
    },
  );
  expect(bugs).toEqual([]);
  return { asked: asked[0], answer };
}

describe.each(ROWS)('$api $action', ({ api, action, operation }) => {
  const request = modelOf(api, `${action}Request`);
  const response = modelOf(api, `${action}ResponseBody`) ?? modelOf(api, `${action}Response`);

  test('is in the SDK, or known not to be', () => {
    expect(request === undefined).toBe(api === 'kms' ? NOT_IN_SDK.includes(action) : false);
  });

  test('takes nothing the SDK cannot say', () => {
    if (request === undefined) return;
    const names = Object.values(request.names()).map((name) => name.split('.')[0]);
    const own = Object.keys(operation.takes).filter(
      (name) => !['DryRun', 'ClientToken'].includes(name),
    );
    const unknown = own.filter((name) => !names.includes(name));
    expect(unknown.filter((name) => ![...OURS, ...NEWER].includes(`${action}.${name}`))).toEqual(
      [],
    );
  });

  test('gives the verb every parameter it takes, as the SDK flattens them', async () => {
    const query = request === undefined ? {} : flatten(sampleModel(request));
    const { asked, answer } = await call(api, action, {
      ...spelled(operation.takes, query),
      RegionId: 'cn-beijing',
    });
    expect(answer.status).toBe(200);
    expect(asked?.verb).toBe(operation.verb);
    expect(asked?.regionId).toBe('cn-beijing');
    const sent = new Set(Object.keys(query).map((name) => name.split('.')[0] ?? ''));
    const expected = Object.keys(operation.takes).filter((name) => sent.has(name));
    expect(Object.keys(asked?.parameters ?? {}).sort()).toEqual(expected.sort());
  });

  test('gives lists in the wrappers the SDK looks into', () => {
    if (response === undefined) return;
    for (const [name, field] of Object.entries(operation.gives)) {
      if (typeof field === 'string') continue;
      const wire = field.as ?? name;
      const key = Object.entries(response.names()).find(([, value]) => value === wire)?.[0];
      expect(key, `${wire} of ${action}`).toBeDefined();
      const wrapper = response.types()[key ?? ''] as unknown as ModelClass;
      expect(Object.values(wrapper.names())).toContain(field.wrapper);
    }
  });

  test('leaves no list the SDK wants wrapped without its wrapper', () => {
    if (response === undefined) return;
    const given = Object.entries(operation.gives).map(([name, field]) =>
      typeof field === 'string' ? name : (field.as ?? name),
    );
    const wrapped = Object.entries(response.types())
      .filter(([, type]) => typeof type === 'function' && isWrapper(type as unknown as ModelClass))
      .map(([key]) => response.names()[key]);
    const missing = wrapped.filter((name) => !given.includes(name ?? ''));
    const notGiven = ['ShareGroups', 'FeeOfInstances'];
    expect(missing.filter((name) => !notGiven.includes(name ?? ''))).toEqual([]);
  });

  test('needs RegionId where it says so, and says so where the verb is of one region', async () => {
    const { answer } = await call(api, action, {});
    expect(answer.code).toBe(operation.needsRegion ? 'MissingParameter' : '');
  });
});

/** A model of one member, which is a list. */
function isWrapper(model: ModelClass): boolean {
  const types = Object.values(model.types());
  const [only] = types;
  return types.length === 1 && (only as { type?: string } | undefined)?.type === 'array';
}

describe('what is not there', () => {
  test('is named, with 404', async () => {
    const { answer } = await call('ecs', 'CreateDisc', {});
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({
      Code: 'InvalidAction.NotFound',
      HostId: 'ecs.cn-hangzhou.aliyuncs.com',
      RequestId: '473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E',
    });
    expect(answer.body.Message).toContain('CreateDisc');
    const kmsAnswer = (await call('kms', 'constructor', {})).answer;
    expect(kmsAnswer.body).toMatchObject({ HttpStatus: 404, Code: 'InvalidAction.NotFound' });
    expect(kmsAnswer.body.RequestId).toBe('473469c7-aa6f-4dc5-b3db-a3dc0de3c83e');
  });
});
