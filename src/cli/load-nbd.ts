/**
 * An NBD export as a target of the load generator: ours or anybody's, so that one job compares
 * them. An export is one disk; it is never made, and nothing is known of what is on it.
 */
import { PlaneError } from '../base/errors.ts';
import { NbdClient } from '../front/nbd/client.ts';
import type { Target } from '../load/target.ts';

/** True of what `--target` takes as the URI of an export. */
export function isNbdUri(name: string): boolean {
  return name.startsWith('nbd://') || name.startsWith('nbd+unix://');
}

export function createNbdTarget(uri: string): Target {
  const clients: NbdClient[] = [];
  let diskName: string | null = null;
  return {
    name: uri,
    keepsBytes: true,
    openDisk: async (name, sizeBytes) => {
      diskName ??= name;
      if (diskName !== name) {
        const detail = `an NBD export is one disk, the load has ${diskName} and ${name}`;
        throw new PlaneError('InvalidArgument', detail);
      }
      const client = await NbdClient.connect(uri);
      clients.push(client);
      if (client.size < sizeBytes) {
        const detail = `${uri} has ${client.size} bytes, the load needs ${sizeBytes}`;
        throw new PlaneError('InvalidArgument', detail);
      }
      return {
        name,
        sizeBytes: client.size,
        isFresh: false,
        read: (offset, into) => client.read(offset, into),
        write: (offset, bytes) => client.write(offset, bytes),
        startRead: (offset, into, completion) => client.startRead(offset, into, completion),
        startWrite: (offset, bytes, completion) => client.startWrite(offset, bytes, completion),
        flush: () => client.flush(),
        trim: (offset, length) => client.trim(offset, length),
        close: () => client.close(),
      };
    },
    close: async () => {
      for (const client of clients) await client.close();
    },
  };
}
