/** The cloud's official clients, pointed at a server of ours: nothing in them is changed. */
import ecsModule, * as ecs from '@alicloud/ecs20140526';
import kmsModule, * as kms from '@alicloud/kms20160120';
import coreModule, { $OpenApiUtil, OpenApiUtil } from '@alicloud/openapi-core';
import RPCClient from '@alicloud/pop-core';
import * as rpc from '@alicloud/rpc-client';

/** Requests of the ECS SDK, and of the KMS SDK, by their class names. */
export { ecs, kms };

/** A module of theirs is its client here and has it as its default there: by who loads it. */
function clientOf<T>(module: { readonly default: T }): T {
  return typeof module === 'function' ? (module as T) : module.default;
}

const EcsClass = clientOf(ecsModule);
const KmsClass = clientOf(kmsModule);
const CoreClass = clientOf(coreModule);

interface Credentials {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
}

/** Any will do where the server takes any. */
export const TEST_CREDENTIALS: Credentials = {
  accessKeyId: 'testid',
  accessKeySecret: 'testsecret',
};

export type EcsClient = InstanceType<typeof EcsClass>;
export type KmsClient = InstanceType<typeof KmsClass>;

function configOf(port: number, credentials: Credentials, signatureAlgorithm?: 'v2') {
  return new $OpenApiUtil.Config({
    ...credentials,
    endpoint: `127.0.0.1:${port}`,
    protocol: 'http',
    regionId: 'cn-hangzhou',
    ...(signatureAlgorithm === undefined ? {} : { signatureAlgorithm }),
  });
}

/** @param signatureAlgorithm v2: HMAC-SHA1 in the query; otherwise ACS3 */
export function ecsClient(
  port: number,
  credentials: Credentials = TEST_CREDENTIALS,
  signatureAlgorithm?: 'v2',
): EcsClient {
  return new EcsClass(configOf(port, credentials, signatureAlgorithm));
}

/** The KMS SDK signs with HMAC-SHA1. */
export function kmsClient(port: number, credentials: Credentials = TEST_CREDENTIALS): KmsClient {
  const config = new rpc.Config({
    ...credentials,
    endpoint: `127.0.0.1:${port}`,
    protocol: 'http',
    regionId: 'cn-hangzhou',
  });
  return new KmsClass(config);
}

/** The client for operations no SDK has: GET or POST by name. */
export function popClient(
  port: number,
  apiVersion: string,
  credentials: Credentials = TEST_CREDENTIALS,
): RPCClient {
  return new RPCClient({
    ...credentials,
    endpoint: `http://127.0.0.1:${port}`,
    apiVersion,
  });
}

/** Any operation of any version by openapi-core, signed with ACS3. */
export function callByCore(
  port: number,
  version: string,
  action: string,
  query: Readonly<Record<string, string>>,
  body?: Readonly<Record<string, string>>,
): Promise<Record<string, unknown>> {
  const client = new CoreClass(configOf(port, TEST_CREDENTIALS));
  const parameters = {
    action,
    version,
    protocol: 'HTTP',
    pathname: '/',
    method: 'POST',
    authType: 'AK',
    style: 'RPC',
    reqBodyType: 'formData',
    bodyType: 'json',
  };
  const request = new $OpenApiUtil.OpenApiRequest({
    query,
    ...(body === undefined ? {} : { body }),
  });
  return client.callApi(new $OpenApiUtil.Params(parameters), request, {} as never);
}

/** A model class of either SDK: what its members are called on the wire, and their types. */
export interface ModelClass {
  new (members: Readonly<Record<string, unknown>>): object;
  names(): Readonly<Record<string, string>>;
  types(): Readonly<Record<string, unknown>>;
}

/** A request of the SDK as it writes it into a query. */
export function flatten(request: object): Record<string, string> {
  const map = (request as { toMap?: () => unknown }).toMap?.() ?? request;
  return OpenApiUtil.query(map as Record<string, unknown>);
}

/** An operation of ECS by its name, parameters and answer named as on the wire. */
export async function callBySdk(
  client: EcsClient,
  operation: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const models = ecs as unknown as Record<string, ModelClass>;
  const Request = models[`${operation}Request`]!;
  const members = Object.entries(Request.names()).filter(([, name]) => name in parameters);
  const request = new Request(
    Object.fromEntries(members.map(([member, name]) => [member, parameters[name]])),
  );
  const method = operation.charAt(0).toLowerCase() + operation.slice(1);
  const methods = client as unknown as Record<
    string,
    (request: object) => Promise<{ body: { toMap(): Record<string, unknown> } }>
  >;
  return (await methods[method]!.call(client, request)).body.toMap();
}
