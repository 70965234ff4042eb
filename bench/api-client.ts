/**
 * A client process of api.ts: the official ECS client, unchanged, and so many calls in flight.
 *
 * One process of it takes more of the processor for a call than the server does, so two are needed
 * to ask a server on a machine of two cores for all it can do.
 */
import ecsModule, * as ecs from '@alicloud/ecs20140526';
import { $OpenApiUtil } from '@alicloud/openapi-core';

export const REGION = 'cn-hangzhou';
export const CREDENTIALS = { accessKeyId: 'bench', accessKeySecret: 'bench-secret' };

/** CommonJS: Node gives the module as its default, the client is that one's. */
const EcsClass = ecsModule.default;
export type EcsClient = InstanceType<typeof EcsClass>;

/** What is to be called, by so many lanes, until the time is over or so many calls are made. */
export interface ClientJob {
  /** mixed: DescribeDisks, but every sixteenth call changes a disk. */
  readonly kind: 'describe' | 'create' | 'mixed';
  readonly lanes: number;
  readonly seconds: number;
  readonly calls: number;
}

export interface ClientResult {
  readonly calls: number;
  /** Of the processor, in this process. */
  readonly cpuSeconds: number;
}

export function ecsClient(port: number): EcsClient {
  return new EcsClass(
    new $OpenApiUtil.Config({
      ...CREDENTIALS,
      endpoint: `127.0.0.1:${port}`,
      protocol: 'http',
      regionId: REGION,
    }),
  );
}

const CALLS_A_CHANGE = 16;

/** One call after the other, by its number. */
async function callsOf(
  client: EcsClient,
  kind: ClientJob['kind'],
): Promise<(index: number) => Promise<unknown>> {
  const describe = new ecs.DescribeDisksRequest({ regionId: REGION });
  const create = new ecs.CreateDiskRequest({ regionId: REGION, size: 20, encrypted: true });
  if (kind === 'create') return () => client.createDisk(create);
  if (kind === 'describe') return () => client.describeDisks(describe);
  const { body } = await client.describeDisks(describe);
  const diskId = body?.disks?.disk?.[0]?.diskId ?? '';
  return (index) =>
    index % CALLS_A_CHANGE === 0
      ? client.modifyDiskAttribute(
          new ecs.ModifyDiskAttributeRequest({ regionId: REGION, diskId, diskName: `n${index}` }),
        )
      : client.describeDisks(describe);
}

async function runJob(client: EcsClient, job: ClientJob): Promise<ClientResult> {
  const call = await callsOf(client, job.kind);
  const cpu = process.cpuUsage();
  const deadline = performance.now() + job.seconds * 1_000;
  let begun = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < deadline && begun < job.calls) {
      await call(begun++);
      done++;
    }
  };
  await Promise.all(Array.from({ length: job.lanes }, lane));
  const { user, system } = process.cpuUsage(cpu);
  return { calls: done, cpuSeconds: (user + system) / 1e6 };
}

/** As a process: jobs come as messages, their results go as messages. */
if (process.argv[2] === 'client') {
  const client = ecsClient(Number(process.argv[3]));
  process.on('message', async (job: ClientJob) => process.send?.(await runJob(client, job)));
}
