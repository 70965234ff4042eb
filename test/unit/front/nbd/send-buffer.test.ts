/** How much a unix socket takes whose other end does not read. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nativeLibrary } from '../../../../src/base/native.ts';
import { enlargeSendBuffer } from '../../../../src/front/nbd/send-buffer.ts';
import { NBD_SEND_BYTES } from '../../../../src/limits.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const CHUNK = Buffer.alloc(4096);
const isHere = process.platform === 'linux' && nativeLibrary() !== null;

/** Bytes the kernel takes before the first that has to wait. */
async function bytesTaken(prepare: (socket: Socket) => void): Promise<number> {
  using directory = tempDir();
  const path = join(directory.path, 's');
  const server = createServer({ pauseOnConnect: true }).listen(path);
  await once(server, 'listening');
  const client = connect(path).pause();
  const [socket] = (await once(server, 'connection')) as [Socket];
  prepare(socket);
  let bytes = 0;
  while (socket.writableLength === 0) {
    socket.write(CHUNK);
    bytes += CHUNK.length;
  }
  for (const end of [client, socket]) end.destroy();
  server.close();
  return bytes;
}

describe('the send buffer of a unix socket', () => {
  test.skipIf(!isHere)('takes more once it is enlarged (Linux, native code)', async () => {
    const before = await bytesTaken(() => {});
    let isChanged = false;
    const after = await bytesTaken((socket) => {
      isChanged = enlargeSendBuffer(socket);
    });
    // A system whose sockets have more is left alone.
    expect(isChanged).toBe(before < NBD_SEND_BYTES);
    expect(after).toBeGreaterThan(isChanged ? 1.5 * before : 0.9 * before);
  });

  test('stays as it is where the socket has no descriptor any more', async () => {
    let isChanged = true;
    await bytesTaken((socket) => {
      const gone = connect('/nowhere/at/all').on('error', () => {});
      gone.destroy();
      isChanged = enlargeSendBuffer(gone);
      socket.resume();
    });
    expect(isChanged).toBe(false);
  });
});
