/**
 * A plane served over NBD: all its disks and snapshots, as they come and go.
 *
 * **Thread:** main.
 */
import { ACCOUNT_DEFAULT } from '../../limits.ts';
import type { Plane, PlanePrincipal } from '../../types.ts';
import { planeExports } from './plane-exports.ts';
import { type NbdServer, type NbdServerOptions, startNbdServer } from './server.ts';

export type NbdPlaneOptions = Pick<NbdServerOptions, 'address' | 'tls' | 'clock' | 'onBug'> & {
  /** Whose disks and snapshots. @default the account the plane opened with */
  readonly principal?: PlanePrincipal;
  /**
   * attached: disks of instances. all: those that are attached to nothing too; they are attached
   * while a client uses them. @default 'attached'
   */
  readonly disks?: 'attached' | 'all';
  /** Clients may make a disk larger (NBD_CMD_RESIZE). @default false */
  readonly allowResize?: boolean;
};

/**
 * Starts a server. To be stopped before the plane is closed.
 *
 * @throws PlaneError as startNbdServer()
 */
export function serveNbd(plane: Plane, options: NbdPlaneOptions): Promise<NbdServer> {
  const { principal, disks = 'attached', allowResize = false, ...server } = options;
  const session = plane.as(principal ?? { accountId: ACCOUNT_DEFAULT });
  return startNbdServer({
    ...server,
    directory: planeExports(session, { disks, allowResize }),
    registerBuffer: (buffer) => plane.registerBuffer(buffer),
  });
}
