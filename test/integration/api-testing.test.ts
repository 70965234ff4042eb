/** sealdisk/testing: what tests of programs that use the cloud do to their server. */
import { describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../../dist/src/testing.js';
import { type EcsClient, ecs, ecsClient, kms, kmsClient } from '../support/official-sdk.ts';

const regionId = 'cn-hangzhou';
const DAY_MS = 24 * 60 * 60 * 1_000;
const SEED = { disks: [{ id: 'd-seeded00000000000000', size: 20, encrypted: true }] };

function create(client: EcsClient, more: object = {}): Promise<string> {
  const request = new ecs.CreateDiskRequest({ regionId, size: 20, encrypted: true, ...more });
  return client.createDisk(request).then(({ body }) => body!.diskId!);
}

async function diskIds(client: EcsClient): Promise<string[]> {
  const { body } = await client.describeDisks(new ecs.DescribeDisksRequest({ regionId }));
  return body!.disks!.disk!.map(({ diskId }) => diskId!);
}

function admin(server: TestServer, method: string, path: string, body?: unknown) {
  return fetch(`${server.url}/-/admin/${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
}

describe('a test server', () => {
  test('begins with its seed, and again after a reset', async () => {
    await using server = await startServer({ seed: SEED });
    const client = ecsClient(server.port);
    expect(server.endpoint).toBe(`127.0.0.1:${server.port}`);
    const made = await create(client);
    expect((await diskIds(client)).sort()).toEqual([made, SEED.disks[0]!.id].sort());
    await server.reset();
    expect(await diskIds(client)).toEqual([SEED.disks[0]!.id]);
  });

  test('counts the uses of keys: three unwraps, no plaintext key', async () => {
    await using server = await startServer();
    const client = ecsClient(server.port);
    const diskId = await create(client);
    for (let time = 0; time < 3; time++) await (await server.plane.attach(diskId)).close();
    expect(await server.auditLog()).toMatchObject({ unwraps: 3, wraps: 1, plaintextKeys: 0 });
    const keys = kmsClient(server.port);
    const { keyMetadata } = await keys.createKey(new kms.CreateKeyRequest({}));
    await keys.generateDataKey(new kms.GenerateDataKeyRequest({ keyId: keyMetadata.keyId }));
    expect(await server.auditLog()).toMatchObject({ unwraps: 3, wraps: 1, plaintextKeys: 1 });
  });

  test('moves the clock: a key whose deletion is due is gone', async () => {
    await using server = await startServer();
    const keys = kmsClient(server.port);
    const { keyMetadata } = await keys.createKey(new kms.CreateKeyRequest({}));
    const { keyId } = keyMetadata;
    await keys.scheduleKeyDeletion(
      new kms.ScheduleKeyDeletionRequest({ keyId, pendingWindowInDays: 7 }),
    );
    server.moveClock(6 * DAY_MS);
    const pending = await keys.describeKey(new kms.DescribeKeyRequest({ keyId }));
    expect(pending.keyMetadata.keyState).toBe('PendingDeletion');
    server.moveClock(2 * DAY_MS);
    await expect(keys.describeKey(new kms.DescribeKeyRequest({ keyId }))).rejects.toMatchObject({
      data: { Code: 'Forbidden.KeyNotFound' },
    });
  });

  test('brings KMS down: what needs a key is refused, an attached disk serves on', async () => {
    await using server = await startServer();
    const client = ecsClient(server.port);
    const diskId = await create(client);
    await using disk = await server.plane.attach(diskId);
    server.setKmsDown(true);
    expect((await fetch(`${server.url}/-/ready`)).status).toBe(503);
    expect((await fetch(`${server.url}/-/health`)).status).toBe(200);
    await expect(create(client)).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      statusCode: 503,
    });
    await disk.write(0, Buffer.from('still here'));
    expect(Buffer.from(await disk.read(0, 10)).toString()).toBe('still here');
    server.setKmsDown(false);
    expect((await fetch(`${server.url}/-/ready`)).status).toBe(200);
    await create(client);
  });

  test('throttles as often as it is told, and takes its time', async () => {
    await using server = await startServer();
    const client = ecsClient(server.port);
    server.inject({ service: 'ecs', action: 'CreateDisk', code: 'Throttling', times: 1 });
    await expect(create(client)).rejects.toMatchObject({ code: 'Throttling', statusCode: 400 });
    await create(client);
    server.inject({ action: 'DescribeDisks', latencyMs: 3_500, times: 1 });
    // The SDK gives up after 3 s, and says so.
    await expect(diskIds(client)).rejects.toThrow(/timeout|timed out/i);
    server.clearFaults();
    expect(await diskIds(client)).toHaveLength(1);
  });

  test('is the same by HTTP, for other languages', async () => {
    await using server = await startServer({ seed: SEED });
    const client = ecsClient(server.port);
    const fault = { action: 'CreateDisk', code: 'Throttling' };
    expect((await admin(server, 'POST', 'faults', fault)).status).toBe(200);
    await expect(create(client)).rejects.toMatchObject({ code: 'Throttling' });
    expect((await admin(server, 'DELETE', 'faults')).status).toBe(200);
    await create(client);
    expect((await admin(server, 'POST', 'clock', { moveMs: DAY_MS })).status).toBe(200);
    const audit = (await (await admin(server, 'GET', 'audit')).json()) as { wraps: number };
    expect(audit.wraps).toBe(1);
    expect((await admin(server, 'POST', 'kms', { down: true })).status).toBe(200);
    expect((await fetch(`${server.url}/-/ready`)).status).toBe(503);
    expect((await admin(server, 'POST', 'reset')).status).toBe(200);
    expect((await fetch(`${server.url}/-/ready`)).status).toBe(200);
    expect(await diskIds(client)).toEqual([SEED.disks[0]!.id]);
  });

  test('refuses by HTTP what cannot be, and pages of a browser', async () => {
    await using server = await startServer();
    const bad = [
      admin(server, 'POST', 'faults', { code: 'NoSuchCode' }),
      admin(server, 'POST', 'faults', { times: '1' }),
      admin(server, 'POST', 'clock', { moveMs: 'soon' }),
      fetch(`${server.url}/-/admin/reset`, { method: 'POST', body: '{}' }),
    ];
    for (const answer of await Promise.all(bad)) expect(answer.status).toBe(400);
    const origin = { origin: 'http://evil.example' };
    const page = await fetch(`${server.url}/-/admin/reset`, { method: 'POST', headers: origin });
    expect(page.status).toBe(403);
    expect((await admin(server, 'POST', 'nothing')).status).toBe(404);
    await using closed = await startServer({ admin: false });
    expect((await admin(closed, 'POST', 'reset')).status).toBe(404);
  });

  test('shows metrics Prometheus can read', async () => {
    await using server = await startServer();
    const client = ecsClient(server.port);
    const diskId = await create(client);
    await create(client, { encrypted: false });
    await using _disk = await server.plane.attach(diskId);
    const answer = await fetch(`${server.url}/-/metrics`);
    expect(answer.headers.get('content-type')).toContain('version=0.0.4');
    const page = await answer.text();
    const line = /^(#.*|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+)$/;
    for (const each of page.trimEnd().split('\n')) expect(each).toMatch(line);
    const calls = 'sealdisk_api_calls_total{service="ecs",action="CreateDisk",code="OK"} 2';
    expect(page).toContain(calls);
    expect(page).toContain('sealdisk_disks{status="In_use",encrypted="true"} 1');
    expect(page).toContain('sealdisk_disks{status="Available",encrypted="false"} 1');
    expect(page).toMatch(/sealdisk_held_keys\{[^}]*\} 1/);
  });

  test('counts requests to disks by what they are, and KMS calls, in its metrics', async () => {
    await using server = await startServer();
    const client = ecsClient(server.port);
    await using disk = await server.plane.attach(await create(client));
    const plain = await create(client, { encrypted: false });
    await using other = await server.plane.attach(plain);
    await disk.write(0, new Uint8Array(8192));
    await disk.write(8192, new Uint8Array(4096));
    await other.read(0, 512);
    await disk.flush();
    await disk.trim(0, 4096);
    const page = await (await fetch(`${server.url}/-/metrics`)).text();
    const sumOf = (name: string, labels: string): number => {
      const rows = page.split('\n').filter((row) => row.startsWith(`${name}{shard=`));
      const values = rows.filter((row) => row.includes(labels)).map((row) => row.split(' ')[1]);
      return values.reduce((sum, value) => sum + Number(value), 0);
    };
    const wrote = 'operation="write",encrypted="true"';
    expect(sumOf('sealdisk_io_requests_total', wrote)).toBe(2);
    expect(sumOf('sealdisk_io_bytes_total', wrote)).toBe(12288);
    expect(sumOf('sealdisk_io_bytes_total', 'operation="read",encrypted="false"')).toBe(512);
    expect(sumOf('sealdisk_io_requests_total', 'operation="flush",encrypted="true"')).toBe(1);
    expect(sumOf('sealdisk_io_requests_total', 'operation="zero",encrypted="true"')).toBe(1);
    expect(sumOf('sealdisk_io_requests_total', 'operation="write",encrypted="false"')).toBe(0);
    expect(sumOf('sealdisk_io_failures_total', 'operation')).toBe(0);
    expect(sumOf('sealdisk_io_seconds_count', 'operation')).toBeGreaterThan(0);
    for (const stage of ['queue', 'crypto', 'store', 'held', 'answer']) {
      const counted = sumOf('sealdisk_io_stage_seconds_count', `${wrote},stage="${stage}"`);
      expect(counted, stage).toBe(1);
    }
    const attached = 'operation="attach",encrypted="true",stage="kms"';
    expect(sumOf('sealdisk_io_stage_seconds_count', attached)).toBe(1);
    const kmsCalls = /sealdisk_kms_call_seconds_count\{operation="generateWrappedDataKey"\} (\d+)/;
    expect(Number(kmsCalls.exec(page)?.[1])).toBeGreaterThan(0);
    expect(page).toMatch(/sealdisk_kms_failures_total\{operation="generateWrappedDataKey"\} 0/);
  });
});
