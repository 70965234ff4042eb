/**
 * A plane and the cloud's API in front of it, opened and closed together; what a test may do to
 * both. `sealdisk serve` and sealdisk/testing are this.
 *
 * reset() closes the plane and opens it anew: calls made meanwhile wait for it.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { openPlane, Simulation } from '../../index.ts';
import type { Plane, PlaneOptions } from '../../types.ts';
import { makeControls, type ServerControls } from './controls.ts';
import { Faults } from './faults.ts';
import { CallCounters } from './metrics.ts';
import { makeOwnPaths } from './own-paths.ts';
import { ResourceShares } from './resource-sharing.ts';
import { type ApiServer, type ApiServerOptions, startApiServer } from './server.ts';

export type ServePlaneOptions = Omit<
  ApiServerOptions,
  'plane' | 'interfere' | 'shares' | 'answerOwnPath' | 'clock'
> & {
  readonly planeOptions: PlaneOptions;
  /** Have /-/admin/. @default false */
  readonly admin?: boolean;
  /** Opens what stands beside the API on a plane; it is closed before the plane is. */
  readonly beside?: (plane: Plane) => Promise<AsyncDisposable>;
};

export interface ServedPlane extends AsyncDisposable {
  readonly server: ApiServer;
  readonly controls: ServerControls;
  /** The plane there is now: another one after a reset. */
  readonly plane: () => Plane;
  /** Stops the server, then closes the plane. Idempotent. */
  close(): Promise<void>;
}

/** @throws PlaneError what openPlane() and startApiServer() throw */
export async function servePlane(options: ServePlaneOptions): Promise<ServedPlane> {
  const { planeOptions, admin = false, beside, onCall, ...serverOptions } = options;
  const simulation = planeOptions.simulation ?? new Simulation();
  const faults = new Faults();
  const counters = new CallCounters();
  const holder = await PlaneHolder.open({ ...planeOptions, simulation }, beside ?? null);
  const plane = (): Plane => holder.plane;
  const shares = new ResourceShares(simulation.clock.now);
  const reset = async (): Promise<void> => {
    shares.clear();
    await holder.reset();
  };
  const controls = makeControls(plane, reset, faults, simulation);
  try {
    const server = await startApiServer({
      ...serverOptions,
      plane,
      shares,
      interfere: async (service, action) => {
        await holder.ready;
        await faults.interfere(service, action);
      },
      answerOwnPath: makeOwnPaths({ plane, counters, controls: admin ? controls : null }),
      onCall: (line) => {
        counters.count(line);
        onCall?.(line);
      },
    });
    const close = async (): Promise<void> => {
      await server.stop();
      await holder.close();
    };
    return { server, controls, plane, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await holder.close();
    throw error;
  }
}

type OpenBeside = ServePlaneOptions['beside'] | null;

class PlaneHolder {
  private readonly options: PlaneOptions;
  private readonly openBeside: OpenBeside;
  private current: Plane;
  private beside: AsyncDisposable | null = null;
  /** Resolves when there is a plane to call. */
  ready: Promise<void> = Promise.resolve();

  private constructor(options: PlaneOptions, openBeside: OpenBeside, plane: Plane) {
    this.options = options;
    this.openBeside = openBeside;
    this.current = plane;
  }

  static async open(options: PlaneOptions, openBeside: OpenBeside): Promise<PlaneHolder> {
    const holder = new PlaneHolder(options, openBeside, await openPlane(options));
    await holder.standBeside();
    return holder;
  }

  get plane(): Plane {
    return this.current;
  }

  /** @throws PlaneError UnsupportedOperation: it is on files */
  reset(): Promise<void> {
    if (this.options.memory !== true) {
      throw new PlaneError('UnsupportedOperation', 'only a plane in memory begins anew');
    }
    this.ready = this.ready.then(() => this.reopen());
    return this.ready;
  }

  async close(): Promise<void> {
    await this.ready;
    await this.closeBoth();
  }

  private async reopen(): Promise<void> {
    await this.closeBoth();
    this.current = await openPlane(this.options);
    await this.standBeside();
  }

  private async standBeside(): Promise<void> {
    try {
      this.beside = (await this.openBeside?.(this.current)) ?? null;
    } catch (error) {
      await this.current.close();
      throw error;
    }
  }

  private async closeBoth(): Promise<void> {
    await this.beside?.[Symbol.asyncDispose]();
    this.beside = null;
    await this.current.close();
  }
}
