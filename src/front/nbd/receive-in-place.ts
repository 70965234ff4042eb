/**
 * A socket that is read into memory of ours: one buffer again and again, or the place of a payload
 * that is being received. Node gives sockets it accepts a new buffer for every read, which costs a
 * copy of every payload and most of the garbage.
 *
 * `onread` (net, socket.connect) does this for sockets that are made, not for those that are
 * accepted; so the accepted one hands its handle over to one that is made. The handle is internal
 * to Node: where it is not what is expected, the accepted socket is used as it is, by its 'data'.
 *
 * **Thread:** main.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';

/** Who receives. */
export interface Receiver {
  /** Where the next bytes are to go; asked before every read. */
  nextBuffer(): Uint8Array;
  /** So many bytes are there now, at the beginning of the buffer asked for last. */
  received(byteCount: number): void;
}

interface Inner {
  _handle?: { useUserBuffer?: unknown } | null;
}

/**
 * The socket to use instead of an accepted one, which is paused and has emitted nothing.
 *
 * @returns null: this Node does it otherwise
 */
export function receiveInPlace(accepted: Socket, receiver: Receiver): Socket | null {
  const inner = accepted as unknown as Inner;
  const handle = inner._handle;
  if (typeof handle?.useUserBuffer !== 'function') return null;
  inner._handle = null;
  const options = {
    handle,
    allowHalfOpen: true,
    manualStart: true,
    onread: {
      buffer: () => receiver.nextBuffer(),
      callback: (byteCount: number) => {
        receiver.received(byteCount);
        return true;
      },
    },
  } as unknown as SocketConstructorOpts;
  const socket = new Socket(options);
  // The accepted one has no handle any more; destroying it tells the server that it has ended.
  socket.once('close', () => accepted.destroy());
  return socket;
}
