/** A plane served over NBD: its disks and snapshots as they come and go. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { serveNbd } from '../../dist/src/front/nbd/serve-plane.js';
import type { NbdServer } from '../../dist/src/front/nbd/server.js';
import { openPlane, type Plane } from '../../dist/src/index.js';
import { expectBytes } from '../support/expect-bytes.ts';
import { clientFlagsBytes, goBytes, optionBytes, requestBytes } from '../support/nbd-bytes.ts';
import { RawClient } from '../support/nbd-raw-client.ts';
import { absentTools, run } from '../support/nbd-server.ts';
import { tempDir } from '../support/temp-dir.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const ACK = 1;
const ERROR_POLICY = 0x80000002;
const ERROR_UNKNOWN = 0x80000006;
const EPERM = 1;
const EINVAL = 22;
const ENOSPC = 28;
const ESHUTDOWN = 108;
const [READ, WRITE, DISCONNECT, FLUSH, TRIM, ZERO, RESIZE] = [0, 1, 2, 3, 4, 6, 8];

const INSTANCE = {
  ImageId: 'debian_12_x64_20G_alibase_20250117.vhd',
  InstanceType: 'ecs.g7.large',
  SystemDisk: {},
};

interface Served extends AsyncDisposable {
  readonly plane: Plane;
  readonly server: NbdServer;
  readonly socketPath: string;
  readonly directory: string;
  makeDisk(more?: object): Promise<string>;
  /** Transmitting with an export. */
  client(name: string): Promise<RawClient>;
  uri(name: string): string;
}

async function serve(options: Partial<Parameters<typeof serveNbd>[1]> = {}): Promise<Served> {
  const directory = tempDir();
  const plane = await openPlane({ memory: true });
  const socketPath = join(directory.path, 's');
  const bugs: unknown[] = [];
  const server = await serveNbd(plane, {
    address: { socketPath },
    disks: 'all',
    onBug: (error) => bugs.push(error),
    ...options,
  });
  return {
    plane,
    server,
    socketPath,
    directory: directory.path,
    makeDisk: async (more = {}) =>
      (await plane.call('CreateDisk', { Size: 1, Encrypted: true, ...more })).DiskId,
    client: async (name) => {
      const client = new RawClient(socketPath);
      expect(await client.go(name)).toBe(ACK);
      return client;
    },
    uri: (name) => `nbd+unix:///${name}?socket=${socketPath}`,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await plane.close();
      directory[Symbol.dispose]();
      expect(bugs).toEqual([]);
    },
  };
}

/** Names a client is shown. */
async function listed(socketPath: string): Promise<string[]> {
  const client = new RawClient(socketPath);
  await client.take(18);
  client.send(clientFlagsBytes(), optionBytes(3));
  const names: string[] = [];
  for (;;) {
    const { type, bytes } = await client.reply();
    if (type !== 2) break;
    names.push(bytes.subarray(4).toString());
  }
  client.socket.destroy();
  return names.sort();
}

/** How GO of a name ends. */
async function goOf(socketPath: string, name: string): Promise<number> {
  const client = new RawClient(socketPath);
  const type = await client.go(name);
  client.socket.destroy();
  return type;
}

async function ask(
  client: RawClient,
  request: Parameters<typeof requestBytes>[0],
): Promise<number> {
  client.send(requestBytes(request));
  return client.simple();
}

async function leave(client: RawClient): Promise<void> {
  client.send(requestBytes({ command: DISCONNECT }));
  await client.closed;
}

/** The size an export says it has. */
async function sizeOf(socketPath: string, name: string): Promise<number> {
  const client = new RawClient(socketPath);
  await client.take(18);
  client.send(clientFlagsBytes(), optionBytes(6, goBytes(name)));
  const { bytes } = await client.reply();
  client.socket.destroy();
  return Number(bytes.readBigUInt64BE(2));
}

describe('what is exported', () => {
  test('is every disk and snapshot under its id, those that are made later too', async () => {
    await using served = await serve();
    const { plane, socketPath } = served;
    expect(await listed(socketPath)).toEqual([]);
    const one = await served.makeDisk();
    const two = await served.makeDisk({ Encrypted: false });
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId: one });
    expect(await listed(socketPath)).toEqual([one, two, SnapshotId].sort());
    for (const name of [one, two, SnapshotId]) expect(await goOf(socketPath, name)).toBe(ACK);
    await expect.poll(() => served.server.connectionCount).toBe(0);
    await plane.call('DeleteSnapshot', { SnapshotId });
    await plane.call('DeleteDisk', { DiskId: two });
    expect(await listed(socketPath)).toEqual([one]);
    for (const name of [two, SnapshotId, '', 'd-', 's-1', 'd-../x', one.toUpperCase()]) {
      expect(await goOf(socketPath, name)).toBe(ERROR_UNKNOWN);
    }
  });

  test('is another account’s for nobody', async () => {
    await using served = await serve({ principal: { accountId: '1000000000000001' } });
    const own = await served.makeDisk();
    expect(await listed(served.socketPath)).toEqual([own]);
    const socketPath = join(served.directory, 'other');
    const principal = { accountId: '1234567890123456' };
    const onBug = (error: unknown): void => expect(error).toBe(null);
    const other = await serveNbd(served.plane, { address: { socketPath }, principal, onBug });
    // The account is not there: that it may not is said, and the connection goes on.
    const client = new RawClient(socketPath);
    expect(await client.go(own)).toBe(ERROR_POLICY);
    client.send(optionBytes(3));
    expect(await client.lastReply()).toBe(ERROR_POLICY);
    await other.stop();
  });

  test('more than a page of them is listed whole', async () => {
    await using served = await serve();
    const { plane } = served;
    const ids = await Promise.all(Array.from({ length: 110 }, () => served.makeDisk()));
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId: ids[0]! });
    expect(await listed(served.socketPath)).toEqual([...ids, SnapshotId].sort());
  });
});

describe('a disk', () => {
  test('is attached while it is used, once for all its connections', async () => {
    await using served = await serve();
    const { plane } = served;
    const DiskId = await served.makeDisk();
    const statusOf = async (): Promise<string | undefined> =>
      (await plane.call('DescribeDisks', { DiskIds: [DiskId] })).Disks[0]?.Status;
    const [one, two] = await Promise.all([served.client(DiskId), served.client(DiskId)]);
    expect(await statusOf()).toBe('In_use');
    await expect(plane.attach(DiskId)).rejects.toMatchObject({ code: 'IncorrectDiskStatus' });
    expect(await ask(one, { command: WRITE, length: 4, payload: Buffer.from('same') })).toBe(0);
    await leave(one);
    expect(await ask(two, { command: READ, length: 4 })).toBe(0);
    expect((await two.take(4)).toString()).toBe('same');
    await leave(two);
    await expect.poll(statusOf).toBe('Available');
  });

  test('that somebody else has attached is refused, and found free again later', async () => {
    await using served = await serve();
    const DiskId = await served.makeDisk();
    const disk = await served.plane.attach(DiskId);
    expect(await goOf(served.socketPath, DiskId)).toBe(ERROR_POLICY);
    await disk.close();
    expect(await goOf(served.socketPath, DiskId)).toBe(ACK);
  });

  test('that grows is larger for new connections and for those there are', async () => {
    await using served = await serve();
    const DiskId = await served.makeDisk();
    const client = await served.client(DiskId);
    const atEnd = { command: READ, offset: BigInt(GIB), length: 4096 };
    expect(await ask(client, atEnd)).toBe(EINVAL);
    await served.plane.call('ResizeDisk', { DiskId, NewSize: 3 });
    expect(await sizeOf(served.socketPath, DiskId)).toBe(3 * GIB);
    expect(await ask(client, atEnd)).toBe(0);
    expectBytes(await client.take(4096), Buffer.alloc(4096));
  });

  test('grows when a client asks, if the server lets it', async () => {
    await using served = await serve({ allowResize: true });
    const DiskId = await served.makeDisk();
    const { SnapshotId } = await served.plane.call('CreateSnapshot', { DiskId });
    const client = await served.client(DiskId);
    const resize = (size: bigint): Promise<number> =>
      ask(client, { command: RESIZE, offset: size });
    expect(await resize(BigInt(2 * GIB))).toBe(0);
    expect(await sizeOf(served.socketPath, DiskId)).toBe(2 * GIB);
    expect(await ask(client, { command: READ, offset: BigInt(2 * GIB - 1), length: 1 })).toBe(0);
    await client.take(1);
    expect(await resize(BigInt(2 * GIB))).toBe(0);
    expect(await resize(BigInt(GIB))).toBe(EPERM);
    expect(await resize(BigInt(2 * GIB + 4096))).toBe(EINVAL);
    expect(await resize(2n ** 63n)).toBe(EINVAL);
    expect(await resize(BigInt(GIB) * 2n ** 20n)).toBe(ENOSPC);
    expect(await ask(client, { command: FLUSH })).toBe(0);
    const frozen = await served.client(SnapshotId);
    expect(await ask(frozen, { command: RESIZE, offset: BigInt(2 * GIB) })).toBe(EINVAL);
  });
});

describe('disks of instances', () => {
  test('alone are exported by default, beside their instance', async () => {
    await using served = await serve({ disks: 'attached' });
    const { plane, socketPath } = served;
    const free = await served.makeDisk();
    const DiskId = await served.makeDisk();
    const { InstanceIdSets } = await plane.call('RunInstances', INSTANCE);
    const InstanceId = String(InstanceIdSets[0]);
    const { Disks } = await plane.call('DescribeDisks', { InstanceId });
    const system = Disks[0]!.DiskId;
    await plane.call('AttachDisk', { DiskId, InstanceId });
    expect(await listed(socketPath)).toEqual([DiskId, system].sort());
    expect(await goOf(socketPath, free)).toBe(ERROR_UNKNOWN);
    const client = await served.client(DiskId);
    const payload = Buffer.from('guest');
    expect(await ask(client, { command: WRITE, length: 5, payload })).toBe(0);
    await plane.call('StopInstance', { InstanceId });
    expect(await ask(client, { command: FLUSH })).toBe(ESHUTDOWN);
    expect(await goOf(socketPath, DiskId)).toBe(ERROR_POLICY);
    await plane.call('StartInstance', { InstanceId });
    // The old connection has what was closed; a new one has what is open.
    expect(await ask(client, { command: FLUSH })).toBe(ESHUTDOWN);
    const later = await served.client(DiskId);
    expect(await ask(later, { command: READ, length: 5 })).toBe(0);
    expect((await later.take(5)).toString()).toBe('guest');
    await leave(client);
    expect(await ask(later, { command: FLUSH })).toBe(0);
  });
});

describe('a snapshot', () => {
  test('is read-only, has holes and its key, and cannot be deleted while it is used', async () => {
    await using served = await serve();
    const { plane } = served;
    const { KeyMetadata } = await plane.call('CreateKey', {});
    const DiskId = await served.makeDisk({ KMSKeyId: KeyMetadata.KeyId });
    const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
    const client = await served.client(SnapshotId);
    const changes = [
      { command: WRITE, length: 4096, payload: Buffer.alloc(4096) },
      { command: TRIM, length: 4096 },
      { command: ZERO, length: 4096 },
    ];
    for (const change of changes) expect(await ask(client, change)).toBe(EPERM);
    expect(await ask(client, { command: FLUSH })).toBe(0);
    const inUse = { code: 'InvalidSnapshotId.InUse' };
    await expect(plane.call('DeleteSnapshot', { SnapshotId })).rejects.toMatchObject(inUse);
    await plane.call('DisableKey', { KeyId: KeyMetadata.KeyId });
    expect(await ask(client, { command: READ, length: 512 })).toBe(0);
    await client.take(512);
    await leave(client);
    await expect.poll(() => goOf(served.socketPath, SnapshotId)).toBe(ERROR_POLICY);
    await plane.call('EnableKey', { KeyId: KeyMetadata.KeyId });
    const reader = await served.client(SnapshotId);
    await plane.call('DeleteSnapshot', { SnapshotId, Force: true });
    expect(await ask(reader, { command: READ, length: 512 })).toBe(ESHUTDOWN);
  });

  const absent = absentTools('nbdcopy');
  test.skipIf(absent !== '')(
    `copied by nbdcopy while its disk is written has the bytes of its instant ${absent}`,
    async () => {
      await using served = await serve();
      const { plane } = served;
      const DiskId = await served.makeDisk();
      const writer = await served.client(DiskId);
      const first = randomBytes(32 * MIB);
      expect(await ask(writer, { command: WRITE, length: 32 * MIB, payload: first })).toBe(0);
      const { SnapshotId } = await plane.call('CreateSnapshot', { DiskId });
      let isCopied = false;
      const image = join(served.directory, 'image');
      const copied = run('nbdcopy', '--connections=4', served.uri(SnapshotId), image).finally(
        () => {
          isCopied = true;
        },
      );
      const noise = randomBytes(2 * MIB);
      let writes = 0;
      for (; !isCopied || writes < 16; writes++) {
        const offset = BigInt(((writes * 7) % 16) * 2 * MIB);
        const request = { command: WRITE, offset, length: noise.length, payload: noise };
        expect(await ask(writer, request)).toBe(0);
      }
      expect(await copied).toMatchObject({ code: 0 });
      const { openSync, readSync, closeSync, statSync } = await import('node:fs');
      expect(statSync(image).size).toBe(GIB);
      const file = openSync(image, 'r');
      const got = Buffer.alloc(33 * MIB);
      readSync(file, got, 0, got.length, 0);
      closeSync(file);
      expectBytes(got, Buffer.concat([first, Buffer.alloc(MIB)]));
      // And the disk has what was written since.
      expect(await ask(writer, { command: READ, length: 2 * MIB })).toBe(0);
      expectBytes(await writer.take(2 * MIB), noise);
    },
  );
});
