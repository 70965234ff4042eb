/**
 * Memory under a flood: NBD clients by the hundred that ask for much and take little, and a
 * thousand that say nothing. Memory stays within the budgets of src/limits.ts, and who behaves is
 * served meanwhile. Deadlines are out of the game: the clock stands still.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  NBD_BYTES_MAX,
  NBD_CONNECTIONS_MAX,
  NBD_POOL_BYTES_MAX,
  NBD_RECEIVE_BLOCKS_MAX,
  NBD_RECEIVE_BYTES,
  NBD_RESERVED_BYTES,
  STAGING_BYTES,
} from '../../src/limits.ts';
import { clientFlagsBytes, goBytes, optionBytes, requestBytes } from '../support/nbd-bytes.ts';
import { RawClient } from '../support/nbd-raw-client.ts';
import { nbdSubject } from '../support/nbd-server.ts';

const MIB = 2 ** 20;
const ACK = 1;
const SLOW_CLIENTS = 24;
const REQUESTS_EACH = 8;

/** Asks for 32 MiB again and again, and takes 1 KB a second. */
function slowReader(path: string): Socket {
  const socket = connect(path);
  socket.on('error', () => {});
  socket.write(Buffer.concat([clientFlagsBytes(), optionBytes(7, goBytes('disk'))]));
  const read = requestBytes({ command: 0, length: 32 * MIB });
  for (let count = 0; count < REQUESTS_EACH; count++) socket.write(read);
  const timer = setInterval(() => socket.read(1_000), 1_000);
  socket.on('close', () => clearInterval(timer));
  return socket;
}

test('200 clients, slow or silent, take no more memory than the limits say', async () => {
  await using subject = await nbdSubject([{ name: 'disk' }], {
    clock: { now: () => 0, monotonic: () => 0 },
  });
  const [disk] = subject.disks;
  for (let at = 0; at < 32; at++) await disk?.write(at * MIB, randomBytes(MIB));
  const healthy = new RawClient(subject.socketPath);
  expect(await healthy.go('disk')).toBe(ACK);

  const before = process.memoryUsage.rss();
  let peak = before;
  const sampling = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 10);
  const sockets = Array.from({ length: SLOW_CLIENTS }, () => slowReader(subject.socketPath));
  await wait(500);
  for (let count = 0; count < 160; count++) sockets.push(connect(subject.socketPath));
  for (let count = 0; count < 1_000; count++) sockets.push(connect(subject.socketPath));
  for (const socket of sockets) socket.on('error', () => {});
  await wait(1_500);
  expect(subject.server.connectionCount).toBeLessThanOrEqual(NBD_CONNECTIONS_MAX);

  // Who behaves is served, though the budget of all is taken.
  for (let count = 0; count < 200; count++) {
    const payload = randomBytes(4096);
    const offset = BigInt(40 + count) * 4096n;
    healthy.send(requestBytes({ command: 1, offset, length: 4096, payload }));
    expect(await healthy.simple()).toBe(0);
    healthy.send(requestBytes({ command: 0, offset, length: 4096 }));
    expect(await healthy.simple()).toBe(0);
    expect((await healthy.take(4096)).equals(payload)).toBe(true);
  }
  clearInterval(sampling);
  const received = NBD_RECEIVE_BLOCKS_MAX * NBD_RECEIVE_BYTES;
  const perConnection = NBD_CONNECTIONS_MAX * (received + NBD_RESERVED_BYTES);
  const bound = NBD_BYTES_MAX + NBD_POOL_BYTES_MAX + 2 * STAGING_BYTES + perConnection;
  // 128 MiB for sockets of both sides, which are in this process, and the collector.
  expect(peak - before).toBeLessThan(bound + 128 * MIB);
  // The flood was one: without limits it would have been ten gigabytes.
  expect(peak - before).toBeGreaterThan(100 * MIB);
  for (const socket of sockets) socket.destroy();
  healthy.socket.destroy();
  await expect.poll(() => subject.server.connectionCount, { timeout: 120_000 }).toBe(0);
}, 300_000);
