/**
 * NBD clients that leave, or fall silent, at every message of the protocol: before it, inside it,
 * a byte short of it, after it; by FIN, by RST, half-closed, or by saying nothing more. After each
 * the server serves others, no half request was done, and nobody is held on to.
 */
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { clientFlagsBytes, goBytes, optionBytes, requestBytes } from '../support/nbd-bytes.ts';
import { RawClient } from '../support/nbd-raw-client.ts';
import { type NbdSubject, nbdSubject } from '../support/nbd-server.ts';

const MIB = 2 ** 20;
/** Where WRITE, TRIM and WRITE_ZEROES of the table go; each finds it as `before` says. */
const AT = BigInt(512 * MIB);
const LENGTH = 64 * 1024;
const ACK = 1;

interface Stage {
  readonly name: string;
  readonly bytes: Buffer;
  /** What comes before it: nothing, client flags, or all of a handshake. */
  readonly after: 'nothing' | 'flags' | 'go';
  /** The client's last word: the server closes by itself. */
  readonly isLast?: boolean;
  readonly changes?: 'written' | 'zeroed';
}

const contextBytes = (name: string, query: string): Buffer => {
  const bytes = Buffer.alloc(12 + name.length + query.length);
  bytes.writeUInt32BE(name.length, 0);
  bytes.write(name, 4);
  bytes.writeUInt32BE(1, 4 + name.length);
  bytes.writeUInt32BE(query.length, 8 + name.length);
  bytes.write(query, 12 + name.length);
  return bytes;
};
const option = (name: string, number: number, bytes?: Buffer): Stage => ({
  name,
  bytes: optionBytes(number, bytes),
  after: 'flags',
});
const request = (name: string, command: number, more: object = {}): Stage => ({
  name,
  bytes: requestBytes({ command, ...more }),
  after: 'go',
});

const STAGES: readonly Stage[] = [
  { name: 'client flags', bytes: clientFlagsBytes(), after: 'nothing' },
  option('EXPORT_NAME', 1, Buffer.from('disk')),
  { ...option('ABORT', 2), isLast: true },
  option('LIST', 3),
  option('STARTTLS', 5),
  option('INFO', 6, goBytes('disk')),
  option('GO', 7, goBytes('disk')),
  option('STRUCTURED_REPLY', 8),
  option('LIST_META_CONTEXT', 9, contextBytes('disk', 'base:')),
  option('SET_META_CONTEXT', 10, contextBytes('disk', 'base:allocation')),
  option('an unknown option', 99, Buffer.alloc(100, 1)),
  request('READ', 0, { length: MIB }),
  {
    ...request('WRITE', 1, { offset: AT, length: LENGTH, payload: Buffer.alloc(LENGTH, 0x57) }),
    changes: 'written',
  },
  { ...request('DISC', 2), isLast: true },
  request('FLUSH', 3),
  { ...request('TRIM', 4, { offset: AT, length: LENGTH }), changes: 'zeroed' },
  request('CACHE', 5, { length: LENGTH }),
  { ...request('WRITE_ZEROES', 6, { offset: AT, length: LENGTH }), changes: 'zeroed' },
  request('BLOCK_STATUS', 7, { length: LENGTH }),
  request('an unknown command', 99),
];

const PLACES: readonly (readonly [string, (length: number) => number])[] = [
  ['before', () => 0],
  ['after a byte of', () => 1],
  ['in the middle of', (length) => length >> 1],
  ['a byte short of', (length) => length - 1],
  ['after', (length) => length],
];

/** By TCP, whose connections can be reset. */
const address = { host: '127.0.0.1', port: 0 };

function newClient({ server }: NbdSubject): RawClient {
  return new RawClient(connect(server.port, '127.0.0.1'));
}

/** A client that has said `count` bytes of a stage, and what has to come before it. */
async function at(subject: NbdSubject, stage: Stage, count: number): Promise<RawClient> {
  const client = newClient(subject);
  if (stage.after === 'go') expect(await client.go('disk')).toBe(ACK);
  else await client.take(18);
  if (stage.after === 'flags') client.send(clientFlagsBytes());
  if (count > 0) client.send(stage.bytes.subarray(0, count));
  return client;
}

/** What the table's changes are made to: bytes there were, or none. */
async function prepare(subject: NbdSubject, stage: Stage): Promise<number> {
  const before = stage.changes === 'zeroed' ? 0x42 : 0x21;
  await subject.disks[0]!.write(Number(AT), new Uint8Array(LENGTH).fill(before));
  return before;
}

async function isEvery(subject: NbdSubject, byte: number): Promise<boolean> {
  const bytes = await subject.disks[0]!.read(Number(AT), LENGTH);
  return bytes.every((each) => each === byte);
}

test.each(['FIN', 'RST', 'half-close'] as const)(
  'left by %s at every place of every message',
  async (how) => {
    await using subject = await nbdSubject([{ name: 'disk' }], { address });
    for (const stage of STAGES) {
      for (const [place, countOf] of PLACES) {
        const count = countOf(stage.bytes.length);
        const before = await prepare(subject, stage);
        await leave(await at(subject, stage, count), how);
        await expect.poll(() => subject.server.connectionCount, { timeout: 20_000 }).toBe(0);
        const other = await at(subject, request('FLUSH', 3), 28);
        expect(await other.simple(), `${place} ${stage.name}`).toBe(0);
        await leave(other, 'FIN');
        const isWhole = count === stage.bytes.length;
        // Who has only stopped talking has it done; who is gone may have.
        if (isWhole && stage.changes !== undefined && how !== 'half-close') continue;
        const after = isWhole && stage.changes === 'written' ? 0x57 : 0;
        const wanted = isWhole && stage.changes !== undefined ? after : before;
        expect(await isEvery(subject, wanted), `${place} ${stage.name}`).toBe(true);
      }
    }
    expect(subject.bugs).toEqual([]);
  },
);

async function leave(client: RawClient, how: 'FIN' | 'RST' | 'half-close'): Promise<void> {
  if (how === 'RST') client.socket.resetAndDestroy();
  else if (how === 'FIN') client.socket.destroySoon();
  else client.socket.end();
  await client.closed;
}

test('fallen silent at every place of every message: ended in time, idle ones stay', async () => {
  const clock = { aheadMs: 0, now: () => 0, monotonic: () => performance.now() + clock.aheadMs };
  await using subject = await nbdSubject([{ name: 'disk' }], { address, clock });
  const silent: { readonly name: string; readonly client: RawClient; readonly isIdle: boolean }[] =
    [];
  for (const stage of STAGES) {
    for (const [place, countOf] of PLACES) {
      const count = countOf(stage.bytes.length);
      const isWhole = count === stage.bytes.length;
      if (isWhole && stage.isLast === true) continue;
      const isTransmitting =
        stage.after === 'go' || (isWhole && /^(GO|EXPORT_NAME)$/.test(stage.name));
      const isIdle = isTransmitting && (isWhole || count === 0);
      const client = await at(subject, stage, count);
      silent.push({ name: `${place} ${stage.name}`, client, isIdle });
    }
  }
  expect(silent.length).toBeLessThan(100);
  await wait(300);
  const closed = new Set<string>();
  for (const { name, client } of silent) void client.closed.then(() => closed.add(name));
  const late = silent.filter(({ isIdle }) => !isIdle).map(({ name }) => name);
  // The clock begins when bytes have come: on a busy machine that may be later than the wait.
  const closedBy = (): string[] => {
    clock.aheadMs += 31_000;
    return [...closed].sort();
  };
  await expect.poll(closedBy, { timeout: 20_000 }).toEqual(late.sort());
  await wait(1_500);
  expect(closed.size).toBe(late.length);
  for (const { client, isIdle } of silent) {
    if (!isIdle) continue;
    client.send(requestBytes({ command: 2 }));
    await client.closed;
  }
  expect(subject.bugs).toEqual([]);
});

test('left inside every message of the server', async () => {
  await using subject = await nbdSubject([{ name: 'disk' }], { address });
  await subject.disks[0]!.write(0, new Uint8Array(4 * MIB).fill(1));
  const read = requestBytes({ command: 0, length: 4 * MIB });
  const answers: readonly (readonly [string, 'nothing' | 'flags' | 'go', Buffer, number])[] = [
    ['the hello', 'nothing', Buffer.alloc(0), 18],
    ['an option reply', 'flags', optionBytes(3), 20],
    ['the information of GO', 'flags', optionBytes(7, goBytes('disk')), 32],
    ['a reply with data', 'go', read, 4 * MIB],
    ['a simple reply', 'go', requestBytes({ command: 3 }), 16],
  ];
  for (const [name, after, bytes, length] of answers) {
    for (const count of [1, length >> 1, length - 1]) {
      const client = newClient(subject);
      if (after === 'go') await client.go('disk');
      else if (after === 'flags') await client.take(18);
      if (after === 'flags') client.send(clientFlagsBytes());
      client.send(bytes);
      await client.take(count);
      await leave(client, 'RST');
      await expect.poll(() => subject.server.connectionCount, { timeout: 20_000 }).toBe(0);
      const other = await at(subject, request('FLUSH', 3), 28);
      expect(await other.simple(), name).toBe(0);
      await leave(other, 'FIN');
    }
  }
  expect(subject.bugs).toEqual([]);
});
