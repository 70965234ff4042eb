/**
 * Bugs other NBD servers have had, by the number they are known under, each tried here. Those that
 * need a program of their own are elsewhere:
 *
 *   nbd-conformance.py   CVE-2019-14851, CVE-2017-15118, CVE-2025-47711, CVE-2025-47712
 *   nbd-tls.test.ts      CVE-2021-3716, CVE-2019-14842
 *   nbd.test.ts          CVE-2022-0485
 *   nbd-hostile.test.ts  CVE-2019-14850
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { listExports } from '../../dist/src/front/nbd/exports.js';
import { startNbdServer } from '../../dist/src/front/nbd/server.js';
import { PlaneError } from '../../dist/src/index.js';
import { clientFlagsBytes, goBytes, optionBytes, requestBytes } from '../support/nbd-bytes.ts';
import { RawClient } from '../support/nbd-raw-client.ts';
import { diskWith, nbdSubject } from '../support/nbd-server.ts';

const MIB = 2 ** 20;
const ACK = 1;
const EIO = 5;

test('CVE-2024-7409: a server full of half-open handshakes is stopped under a client', async () => {
  const subject = await nbdSubject([{ name: 'disk' }]);
  const real = new RawClient(subject.socketPath);
  expect(await real.go('disk')).toBe(ACK);
  // In every state of a handshake: connected, greeted, in the middle of an option.
  const halves = [[], [clientFlagsBytes()], [clientFlagsBytes(), optionBytes(3).subarray(0, 9)]];
  const half: RawClient[] = [];
  for (let count = 0; count < 200; count++) {
    const client = new RawClient(subject.socketPath);
    half.push(client);
    client.send(...halves[count % 3]!);
  }
  real.send(requestBytes({ command: 1, length: 4, payload: Buffer.from('real') }));
  expect(await real.simple()).toBe(0);
  expect(subject.server.connectionCount).toBeLessThanOrEqual(100);
  real.send(requestBytes({ command: 0, length: MIB }));
  await Promise.all([subject.server.stop(), ...half.map((client) => client.closed), real.closed]);
  expect(subject.server.connectionCount).toBe(0);
  expect(Buffer.from(await subject.disks[0]!.read(0, 4)).toString()).toBe('real');
  await subject[Symbol.asyncDispose]();
  expect(subject.bugs).toEqual([]);
});

test('CVE-2017-15119: ten thousand options of 32 KiB cost little, and end', async () => {
  await using subject = await nbdSubject([{ name: 'disk' }]);
  const before = process.memoryUsage().rss;
  const client = new RawClient(subject.socketPath);
  client.send(clientFlagsBytes());
  const option = optionBytes(99, randomBytes(32 * 1024));
  let sent = 0;
  const isTaken = (): boolean => client.socket.writable && !client.socket.destroyed;
  for (; sent < 10_000 && isTaken(); sent++) {
    if (client.socket.write(option)) continue;
    await new Promise<void>((resolve) => {
      client.socket.once('drain', resolve);
      client.socket.once('close', resolve);
    });
  }
  await client.closed;
  expect(sent).toBeLessThan(200);
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * MIB);
  const other = new RawClient(subject.socketPath);
  expect(await other.go('disk')).toBe(ACK);
  other.socket.destroy();
});

test.each([255, 256, 257, 4_095, 4_096, 4_097, 65_536, 2 ** 31, 2 ** 32 - 1])(
  'CVE-2017-15118: EXPORT_NAME and GO of a name of %i bytes',
  async (length) => {
    await using subject = await nbdSubject([{ name: 'disk' }]);
    const name = Buffer.alloc(Math.min(length, 65_536), 'n');
    for (const option of [1, 7]) {
      const client = new RawClient(subject.socketPath);
      await client.take(18);
      const bytes = option === 1 ? Buffer.from(name) : goBytes(name.toString());
      const head = optionBytes(option, bytes);
      // What is said to come, of which the beginning comes.
      head.writeUInt32BE(Math.min(option === 1 ? length : length + 6, 2 ** 32 - 1), 12);
      if (option === 7) head.writeUInt32BE(length, 16);
      client.send(clientFlagsBytes(), head);
      if (option === 1 && length <= 65_536) await client.closed;
      else if (length <= 65_536) expect((await client.reply()).type).toBeGreaterThan(2 ** 31);
      client.socket.destroy();
    }
    const other = new RawClient(subject.socketPath);
    expect(await other.go('disk')).toBe(ACK);
    other.socket.destroy();
    expect(subject.bugs).toEqual([]);
  },
);

test('13: FUA of every command, and FLUSH, are answered when storage says so', async () => {
  const log: string[] = [];
  let isFlushing: (() => void) | null = null;
  const flush = (): Promise<void> =>
    new Promise((resolve) => {
      log.push('flush');
      isFlushing = resolve;
    });
  await using subject = await nbdSubject([
    {
      name: 'disk',
      wrap: (disk) =>
        diskWith(disk, {
          flush,
          write: async (_offset, _bytes, options) => {
            if (options?.fua === true) await flush();
          },
        }),
    },
  ]);
  const client = new RawClient(subject.socketPath);
  expect(await client.go('disk')).toBe(ACK);
  const requests = [
    { command: 1, flags: 1, length: 9, payload: Buffer.alloc(9) },
    { command: 1, flags: 1, length: 0 },
    { command: 3 },
    { command: 4, flags: 1, length: 4096 },
    { command: 6, flags: 1, length: 4096 },
    { command: 6, flags: 3, length: 4096 },
  ];
  for (const request of requests) {
    let isAnswered = false;
    client.send(requestBytes(request));
    const answer = client.simple().then((errno) => {
      isAnswered = true;
      return errno;
    });
    await expect.poll(() => isFlushing).not.toBe(null);
    expect(isAnswered).toBe(false);
    isFlushing!();
    isFlushing = null;
    expect(await answer).toBe(0);
  }
  expect(log.length).toBe(requests.length);
});

test('13: a flush that fails is told, with FUA too, and not a success the next time', async () => {
  const fail = (): Promise<never> => Promise.reject(new PlaneError('StoreFailed', 'planted'));
  await using subject = await nbdSubject([
    { name: 'disk', wrap: (disk) => diskWith(disk, { flush: fail }) },
  ]);
  const client = new RawClient(subject.socketPath);
  expect(await client.go('disk')).toBe(ACK);
  for (const request of [
    { command: 3 },
    { command: 4, flags: 1, length: 4096 },
    { command: 6, flags: 1, length: 4096 },
    { command: 3 },
  ]) {
    client.send(requestBytes(request));
    expect(await client.simple()).toBe(EIO);
  }
});

test('19: TCP_NODELAY is set on every connection', async () => {
  const spy = vi.spyOn(Socket.prototype, 'setNoDelay');
  const server = await startNbdServer({
    address: { host: '127.0.0.1', port: 0 },
    directory: listExports([]),
    registerBuffer: () => Promise.reject(new Error('not asked for')),
    onBug: (error) => expect(error).toBe(null),
  });
  const client = new Socket();
  await new Promise<void>((resolve) => client.connect(server.port, '127.0.0.1', resolve));
  await expect.poll(() => server.connectionCount).toBe(1);
  expect(spy).toHaveBeenCalledWith(true);
  spy.mockRestore();
  client.destroy();
  await server.stop();
});

test('every obligation of the protocol has cases, and every past bug a test', () => {
  const texts = ['nbd-conformance.py', 'nbd-tls.test.ts', 'nbd.test.ts', 'nbd-hostile.test.ts']
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
    .concat(readFileSync(new URL(import.meta.url), 'utf8'));
  const named = new Set<number>();
  for (const [, list] of texts
    .join('\n')
    .matchAll(/(?:case\(f?"|test\(\s*')((?:\d+(?:-\d+)?(?:, )?)+)/g)) {
    for (const part of list!.split(', ')) {
      const [first, last = first] = part.split('-').map(Number);
      for (let number = first!; number <= last!; number++) named.add(number);
    }
  }
  const obligations = Array.from({ length: 20 }, (_, index) => index + 1);
  expect(obligations.filter((number) => !named.has(number))).toEqual([]);
  const bugs = [
    'CVE-2019-14850',
    'CVE-2019-14851',
    'CVE-2021-3716',
    'CVE-2024-7409',
    'CVE-2017-15118',
    'CVE-2017-15119',
    'CVE-2022-0485',
    'CVE-2025-47711',
    'CVE-2019-14842',
  ];
  const all = texts.join('\n');
  // Once in this list, and once in a name at least.
  for (const bug of bugs) expect(all.split(bug).length, bug).toBeGreaterThan(2);
});
