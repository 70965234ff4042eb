/**
 * A call with DryRun: everything is checked, nothing is changed.
 *
 * 1. A verb that has checked everything says so (passValidation), and goes no further.
 * 2. A verb that does not say so is stopped at its first effect: what the context of the call gives
 *    it to change anything with refuses. So no verb can be forgotten.
 * 3. A verb that comes to its end without an effect is answered the same.
 *
 * What a check itself leaves behind is not undone: the service key of a region is made when it is
 * first asked for, and a data key that was wrapped to see whether its master key allows it counts.
 *
 * **Thread:** main.
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import type { ControlContext } from '../context.ts';
import type { Api } from '../verb-row.ts';
import { overlay } from './overlay.ts';

/** Requests to the KMS thread that are part of checking. */
const KMS_CHECKS: readonly string[] = [
  'describeKey',
  'resolveKey',
  'checkKeyUsable',
  'listKeys',
  'listKeyVersions',
  'describeKeyVersion',
  'listAliases',
  'describeAccountStatus',
  'serviceKey',
  'generateWrappedDataKey',
];

/** How each API says that all is well. Source: ECS "DryRunOperation", KMS error codes. */
const CODES: Readonly<Record<Api, ErrorCode>> = {
  ecs: 'DryRunOperation',
  kms: 'DryRunOperationError',
  plane: 'DryRunOperation',
};

/** Verbs that say so in a word of their own. Source: ECS StopInstances, error codes. */
const OWN_CODES: Readonly<Record<string, ErrorCode>> = { StopInstances: 'DRYRUN.SUCCESS' };

/**
 * Runs a verb until it would change something.
 *
 * @throws PlaneError DryRunOperation, or DryRunOperationError of the KMS API: it would have been
 *   done; else what the verb refuses with
 */
export async function dryRun(
  context: ControlContext,
  verb: { readonly name: string; readonly service: Api },
  run: (context: ControlContext) => Promise<unknown>,
): Promise<never> {
  const passed = new PlaneError(
    OWN_CODES[verb.name] ?? CODES[verb.service],
    `${verb.name} would have been done, but for DryRun`,
  );
  try {
    await run(dryRunContext(context));
  } catch (error) {
    const isStop = error instanceof PlaneError && Object.values(CODES).includes(error.code);
    throw isStop ? passed : error;
  }
  throw passed;
}

/** The context of a call with DryRun: the first effect is refused. */
function dryRunContext(context: ControlContext): ControlContext {
  const refuse = (): never => {
    throw new PlaneError('DryRunOperation', 'everything is checked');
  };
  const stop = async (): Promise<never> => refuse();
  return {
    ...context,
    metadata: overlay(context.metadata, { commit: stop, leastLoadedShard: () => 0 }),
    shards: overlay(context.shards, { call: stop }),
    volumes: overlay(context.volumes, {
      resize: stop,
      changeProfile: refuse,
      pushLayer: stop,
      hold: stop,
      release: stop,
    }),
    tasks: overlay(context.tasks, {
      reencrypt: stop,
      exportImage: stop,
      pause: stop,
      resume: stop,
      cancel: stop,
    }),
    kms: {
      call: (request) => {
        // The KMS thread has a dry run of its own for requests that say so.
        if ('dryRun' in request) return context.kms.call({ ...request, dryRun: true });
        return KMS_CHECKS.includes(request.op) ? context.kms.call(request) : stop();
      },
    },
    passValidation: refuse,
  };
}
