/**
 * Listening on an address; on the path of a unix socket also where a server that was killed has
 * left its socket behind, which nobody answers on.
 *
 * **Thread:** main.
 */
import { unlinkSync } from 'node:fs';
import { connect, type ListenOptions, type Server } from 'node:net';

/** @throws what listen() is refused with; EADDRINUSE only where somebody listens */
export async function listenOn(server: Server, where: ListenOptions): Promise<void> {
  try {
    await tryListen(server, where);
  } catch (error) {
    const { path } = where;
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (!isTaken || path === undefined || !(await isDeserted(path))) throw error;
    unlinkSync(path);
    await tryListen(server, where);
  }
}

function tryListen(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** True if nobody listens on a socket that is there. */
function isDeserted(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
