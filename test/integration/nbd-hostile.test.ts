/** NBD clients that mean harm, or are slow: nothing hangs, nothing grows, nobody else notices. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { listExports, type NbdExport } from '../../dist/src/front/nbd/exports.js';
import { startNbdServer } from '../../dist/src/front/nbd/server.js';
import { type Disk, openPlane, PlaneError } from '../../dist/src/index.js';
import { clientFlagsBytes, goBytes, optionBytes, requestBytes } from '../support/nbd-bytes.ts';
import { RawClient } from '../support/nbd-raw-client.ts';
import { diskWith, nbdSubject } from '../support/nbd-server.ts';
import { tempDir } from '../support/temp-dir.ts';

const MIB = 2 ** 20;
const ACK = 1;
const ERROR_POLICY = 0x80000002;

/** A clock that is ahead by as much as a test says. */
function movedClock(): { aheadMs: number; now(): number; monotonic(): number } {
  return {
    aheadMs: 0,
    now: () => 0,
    monotonic() {
      return performance.now() + this.aheadMs;
    },
  };
}

/** What makes of a disk one that tells how many reads of clients it was asked for. */
function countReads(): { reads: number; wrap(disk: Disk): Disk } {
  const counted = {
    reads: 0,
    wrap: (disk: Disk): Disk =>
      diskWith(disk, {
        read: ((offset: number, into: Uint8Array) => {
          // A read of nothing is the server's own: whether the disk is still open.
          if (into.byteLength > 0) counted.reads++;
          return disk.read(offset, into);
        }) as Disk['read'],
      }),
  };
  return counted;
}

test('CVE-2019-14850: a thousand silent clients open no disk and are let go in time', async () => {
  const clock = movedClock();
  await using plane = await openPlane({ memory: true });
  const { DiskId } = await plane.call('CreateDisk', { Size: 1, Encrypted: true });
  let opened = 0;
  const shown: NbdExport = {
    name: 'disk',
    description: '',
    isReadOnly: false,
    open: async () => {
      opened++;
      const disk = await plane.attach(DiskId);
      return { disk, close: () => disk.close() };
    },
  };
  using directory = tempDir();
  const socketPath = `${directory.path}/s`;
  await using server = await startNbdServer({
    address: { socketPath },
    directory: listExports([shown]),
    registerBuffer: (buffer) => plane.registerBuffer(buffer),
    clock,
    onBug: (error) => expect(error).toBe(null),
  });
  const silent: RawClient[] = [];
  for (let count = 0; count < 1_000; count++) silent.push(new RawClient(socketPath));
  await wait(300);
  expect(server.connectionCount).toBeLessThanOrEqual(100);
  expect(opened).toBe(0);
  expect((await plane.stats()).shards.reduce((sum, { heldKeys }) => sum + heldKeys, 0)).toBe(0);
  clock.aheadMs = 11_000;
  await Promise.all(silent.map((client) => client.closed));
  const late = new RawClient(socketPath);
  expect(await late.go('disk')).toBe(ACK);
  expect(opened).toBe(1);
  late.send(requestBytes({ command: 2 }));
  await late.closed;
  await expect.poll(() => server.connectionCount).toBe(0);
  // The disk was given back with its last connection.
  const again = await plane.attach(DiskId);
  await again.close();
});

describe('deadlines', () => {
  test('a request left half said ends the connection, an idle one does not', async () => {
    const clock = movedClock();
    await using subject = await nbdSubject([{ name: 'disk' }], { clock });
    const idle = new RawClient(subject.socketPath);
    const half = new RawClient(subject.socketPath);
    expect([await idle.go('disk'), await half.go('disk')]).toEqual([ACK, ACK]);
    half.send(requestBytes({ command: 1, length: 65_536, payload: Buffer.alloc(1_000, 1) }));
    await wait(100);
    clock.aheadMs = 31_000;
    await half.closed;
    expect(await subject.disks[0]!.read(0, 1)).toEqual(new Uint8Array(1));
    idle.send(requestBytes({ command: 3 }));
    expect(await idle.simple()).toBe(0);
  });

  test('a client that does not take its replies holds little memory, then goes', async () => {
    const clock = movedClock();
    const counted = countReads();
    await using subject = await nbdSubject([{ name: 'disk', wrap: counted.wrap }], { clock });
    await subject.disks[0]!.write(0, randomBytes(MIB));
    const deaf = new RawClient(subject.socketPath);
    expect(await deaf.go('disk')).toBe(ACK);
    deaf.socket.pause();
    const read = requestBytes({ command: 0, length: MIB });
    for (let count = 0; count < 1_000; count++) deaf.send(read);
    await expect.poll(() => counted.reads, { timeout: 20_000 }).toBeGreaterThan(10);
    await wait(1_000);
    expect(counted.reads).toBeLessThan(80);
    const other = new RawClient(subject.socketPath);
    expect(await other.go('disk')).toBe(ACK);
    other.send(requestBytes({ command: 3 }));
    expect(await other.simple()).toBe(0);
    clock.aheadMs = 31_000;
    await expect.poll(() => subject.server.connectionCount, { timeout: 5_000 }).toBe(1);
    deaf.socket.destroy();
  });
});

test('options sent together, and a request right behind GO, are all answered', async () => {
  await using subject = await nbdSubject([{ name: 'disk' }]);
  const client = new RawClient(subject.socketPath);
  await client.take(18);
  const flood = Array.from({ length: 20 }, () => optionBytes(99, randomBytes(30_000)));
  const go = optionBytes(7, goBytes('disk'));
  client.send(clientFlagsBytes(), ...flood, go, requestBytes({ command: 3, cookie: 5n }));
  for (let count = 0; count < 20; count++) expect((await client.reply()).type).toBe(0x80000001);
  expect(await client.lastReply()).toBe(ACK);
  expect(await client.simple()).toBe(0);
});

test('stopping answers what is in flight and closes clients in the middle of a word', async () => {
  const counted = countReads();
  const subject = await nbdSubject([{ name: 'disk', wrap: counted.wrap }]);
  const haggling = new RawClient(subject.socketPath);
  const half = new RawClient(subject.socketPath);
  const busy = new RawClient(subject.socketPath);
  await haggling.take(18);
  expect([await half.go('disk'), await busy.go('disk')]).toEqual([ACK, ACK]);
  half.send(requestBytes({ command: 1, length: 4096, payload: Buffer.alloc(9) }));
  const payload = randomBytes(MIB);
  busy.send(requestBytes({ command: 1, length: MIB, payload, flags: 1 }));
  busy.send(requestBytes({ command: 0, length: MIB }));
  await expect.poll(() => counted.reads, { timeout: 20_000 }).toBe(1);
  await subject.server.stop();
  expect([await busy.simple(), await busy.simple()]).toEqual([0, 0]);
  expect(Buffer.compare(await busy.take(MIB), payload)).toBe(0);
  await Promise.all([haggling.closed, half.closed, busy.closed]);
  await subject[Symbol.asyncDispose]();
  expect(subject.bugs).toEqual([]);
});

test('an export whose key is disabled is refused; one that runs serves on', async () => {
  await using plane = await openPlane({ memory: true });
  const { KeyMetadata } = await plane.call('CreateKey', {});
  const KMSKeyId = KeyMetadata.KeyId;
  const ids = [];
  for (let count = 0; count < 2; count++) {
    const made = await plane.call('CreateDisk', { Size: 1, Encrypted: true, KMSKeyId });
    ids.push(made.DiskId);
  }
  using directory = tempDir();
  const socketPath = `${directory.path}/s`;
  const exports = ids.map(
    (name): NbdExport => ({
      name,
      description: '',
      isReadOnly: false,
      open: async () => {
        const disk = await plane.attach(name);
        return { disk, close: () => disk.close() };
      },
    }),
  );
  await using server = await startNbdServer({
    address: { socketPath },
    directory: listExports(exports),
    registerBuffer: (buffer) => plane.registerBuffer(buffer),
    onBug: (error) => expect(error).toBe(null),
  });
  const running = new RawClient(socketPath);
  expect(await running.go(ids[0]!)).toBe(ACK);
  await plane.call('DisableKey', { KeyId: KMSKeyId });
  const refused = new RawClient(socketPath);
  expect(await refused.go(ids[1]!)).toBe(ERROR_POLICY);
  running.send(requestBytes({ command: 1, length: 4, payload: Buffer.from('fine') }));
  expect(await running.simple()).toBe(0);
  await plane.call('EnableKey', { KeyId: KMSKeyId });
  refused.send(optionBytes(7, goBytes(ids[1]!)));
  expect(await refused.lastReply()).toBe(ACK);
  expect(server.connectionCount).toBe(2);
});

test('errors of the disk are error numbers, and the connection lives on', async () => {
  const codes = ['NoSpace', 'ChecksumMismatch', 'StoreFailed', 'DiskClosed', 'Busy'] as const;
  let next = 0;
  const fail = (): Promise<never> => Promise.reject(new PlaneError(codes[next++]!, 'planted'));
  await using subject = await nbdSubject([
    { name: 'disk', wrap: (disk) => diskWith(disk, { write: fail }) },
  ]);
  const client = new RawClient(subject.socketPath);
  expect(await client.go('disk')).toBe(ACK);
  for (const errno of [28, 5, 5, 108, 5]) {
    client.send(requestBytes({ command: 1, length: 9, payload: Buffer.alloc(9) }));
    expect(await client.simple()).toBe(errno);
  }
  expect(subject.bugs).toEqual([]);
});

test('a bug ends the connection it came up on, is told, and nobody else notices', async () => {
  const bug = (): Promise<never> => Promise.reject(new TypeError('planted'));
  await using subject = await nbdSubject([
    { name: 'broken', wrap: (disk) => diskWith(disk, { flush: bug }) },
    { name: 'fine' },
  ]);
  const fine = new RawClient(subject.socketPath);
  const broken = new RawClient(subject.socketPath);
  expect([await fine.go('fine'), await broken.go('broken')]).toEqual([ACK, ACK]);
  broken.send(requestBytes({ command: 3 }));
  await broken.closed;
  expect(subject.bugs).toMatchObject([{ message: 'planted' }]);
  fine.send(requestBytes({ command: 3 }));
  expect(await fine.simple()).toBe(0);
});

test('an address others can reach is refused without TLS', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com']) {
    const server = startNbdServer({
      address: { host, port: 0 },
      directory: listExports([]),
      registerBuffer: () => Promise.reject(new Error('not asked for')),
      onBug: () => {},
    });
    await expect(server).rejects.toMatchObject({ code: 'InvalidArgument' });
  }
});
