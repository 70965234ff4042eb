/** The client against servers that answer as a test says. */
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NbdClient } from '../../../../src/front/nbd/client.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const HELLO = Buffer.from('NBDMAGICIHAVEOPT\0\x03', 'latin1');

/** A reply to GO: magic, option 7, type, length, bytes. */
function reply(type: number, payload = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(20);
  header.writeBigUInt64BE(0x3e889045565a9n, 0);
  header.writeUInt32BE(7, 8);
  header.writeUInt32BE(type, 12);
  header.writeUInt32BE(payload.length, 16);
  return Buffer.concat([header, payload]);
}

/** NBD_INFO_EXPORT of 5 GiB, with TRIM. */
const INFORMATION = Buffer.from([0, 0, 0, 0, 0, 1, 0x40, 0, 0, 0, 0, 0x21]);

function simple(cookie: number, errno = 0, magic = 0x67446698): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32BE(magic, 0);
  header.writeUInt32BE(errno, 4);
  header.writeUInt32BE(cookie, 12);
  return header;
}

/** A server whose words are given, and what to do with what a client asks after GO. */
async function serverOf(
  hello: Buffer,
  go: Buffer,
  answer: (socket: Socket, request: Buffer) => void = () => {},
): Promise<AsyncDisposable & { uri: string }> {
  const directory = tempDir();
  const path = join(directory.path, 's');
  const server = createServer((socket) => {
    let isAgreed = false;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      if (isAgreed) answer(socket, chunk);
      else socket.write(go);
      isAgreed = true;
    });
    socket.write(hello);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    uri: `nbd+unix:///x?socket=${path}`,
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
      directory[Symbol.dispose]();
    },
  };
}

const AGREED = Buffer.concat([reply(3, INFORMATION), reply(3, Buffer.alloc(14, 3)), reply(1)]);

describe('the client', () => {
  test('takes answers in any order, cut anywhere', async () => {
    await using server = await serverOf(HELLO, AGREED, (socket, request) => {
      // Two reads come together; the second is answered first, byte by byte.
      if (request.length !== 56) return;
      const bytes = Buffer.concat([simple(1), Buffer.from('two'), simple(0), Buffer.from('one')]);
      for (const byte of bytes) socket.write(Buffer.from([byte]));
      socket.end();
    });
    const client = await NbdClient.connect(server.uri);
    expect(client.size).toBe(5 * 2 ** 30);
    const one = Buffer.alloc(3);
    const two = Buffer.alloc(3);
    await Promise.all([client.read(0, one), client.read(2 ** 32 + 1, two)]);
    expect([one.toString(), two.toString()]).toEqual(['one', 'two']);
    await client.close();
  });

  test('an error number fails one request, an end fails all, and all that come later', async () => {
    await using server = await serverOf(HELLO, AGREED, (socket) => {
      socket.end(simple(0, 5));
    });
    const client = await NbdClient.connect(server.uri);
    const read = client.read(0, Buffer.alloc(9));
    const flush = client.flush();
    await expect(read).rejects.toMatchObject({ code: 'ReadFailed', message: /error 5/ });
    await expect(flush).rejects.toThrow('the server ended the connection');
    await expect(client.trim(0, 1)).rejects.toThrow('the server ended the connection');
    await client.close();
  });

  test('what is asked goes out as it was asked, however much it is', async () => {
    const received: Buffer[] = [];
    // Requests large and small, more than one buffer of them before the server reads.
    const sizes = Array.from({ length: 60 }, (_, index) => [512, 8_192, 8_193, 70_000][index % 4]!);
    const wanted = sizes.reduce((sum, size) => sum + 28 + size, 0);
    let bytes = 0;
    await using server = await serverOf(HELLO, AGREED, (socket, request) => {
      received.push(Buffer.from(request));
      bytes += request.length;
      if (bytes < wanted) return;
      socket.end(Buffer.concat(sizes.map((_, index) => simple(index))));
    });
    const client = await NbdClient.connect(server.uri);
    const payloads = sizes.map((size, index) => Buffer.alloc(size, index + 1));
    const offsets = sizes.map((_, index) => 2 ** 32 * index + 4096);
    await Promise.all(payloads.map((payload, index) => client.write(offsets[index]!, payload)));
    await client.close();
    const expected = payloads.map((payload, index) => {
      const header = Buffer.alloc(28);
      header.writeUInt32BE(0x25609513, 0);
      header.writeUInt16BE(1, 6);
      header.writeBigUInt64BE(BigInt(index), 8);
      header.writeBigUInt64BE(BigInt(offsets[index]!), 16);
      header.writeUInt32BE(payload.length, 24);
      return Buffer.concat([header, payload]);
    });
    const all = Buffer.concat(received).subarray(0, wanted);
    expect(all.equals(Buffer.concat(expected))).toBe(true);
  });

  test('a cookie is used again once it is answered, and never before', async () => {
    const cookies: number[] = [];
    await using server = await serverOf(HELLO, AGREED, (socket, request) => {
      for (let at = 0; at < request.length; at += 28) {
        cookies.push(request.readUInt32BE(at + 12));
        socket.write(simple(cookies.at(-1)!));
      }
      if (cookies.length >= 5) socket.end();
    });
    const client = await NbdClient.connect(server.uri);
    await Promise.all([client.flush(), client.flush()]);
    await client.flush();
    await Promise.all([client.flush(), client.flush()]);
    expect(cookies.slice(0, 2).toSorted()).toEqual([0, 1]);
    expect(cookies.slice(3).toSorted()).toEqual([0, 1]);
    expect(Math.max(...cookies)).toBe(1);
    await client.close();
  });

  test.each([
    ['a wrong magic', simple(0, 0, 1)],
    ['an unknown cookie', simple(77)],
  ])('%s ends the connection', async (_what, answer) => {
    await using server = await serverOf(HELLO, AGREED, (socket) => {
      socket.write(answer);
    });
    const client = await NbdClient.connect(server.uri);
    await expect(client.flush()).rejects.toThrow('what was not asked');
  });

  test.each([
    ['no NBD server', Buffer.alloc(18, 1), AGREED, 'does not speak newstyle'],
    ['an unknown export', HELLO, reply(0x80000006, Buffer.from('no such disk')), 'no such disk'],
    ['a refusal without words', HELLO, reply(0x80000002), 'error 2'],
    ['words beyond the answer', HELLO, Buffer.concat([AGREED, HELLO]), 'more than was asked'],
  ])('%s is refused', async (_what, hello, go, text) => {
    await using server = await serverOf(hello, go);
    const connecting = NbdClient.connect(server.uri);
    await expect(connecting).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(connecting).rejects.toThrow(text);
  });
});
