/**
 * A call with DryRun: everything is checked, nothing is changed.
 *
 * 1. A verb that has checked everything says so (passValidation), and goes no further.
 * 2. A verb that does not say so is stopped at its first effect: what the context of the call gives
 *    it to change anything with refuses. So no verb can be forgotten.
 * 3. A verb that comes to its end without an effect is answered the same (call.ts).
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

export function dryRunOperation(verb: string, service: Api): PlaneError {
  return new PlaneError(CODES[service], `${verb} would have been done, but for DryRun`);
}

/** The context of a call with DryRun: the first effect is refused. */
export function dryRunContext(context: ControlContext, verb: string, service: Api): ControlContext {
  const stop = async (): Promise<never> => {
    throw dryRunOperation(verb, service);
  };
  return {
    ...context,
    metadata: overlay(context.metadata, { commit: stop, leastLoadedShard: () => 0 }),
    shards: overlay(context.shards, { call: stop }),
    volumes: overlay(context.volumes, { resize: stop, hold: stop, release: stop }),
    tasks: overlay(context.tasks, { reencrypt: stop }),
    kms: {
      call: (request) => {
        // The KMS thread has a dry run of its own for requests that only use a key.
        if ('dryRun' in request) return context.kms.call({ ...request, dryRun: true });
        return KMS_CHECKS.includes(request.op) ? context.kms.call(request) : stop();
      },
    },
    passValidation: () => {
      throw dryRunOperation(verb, service);
    },
  };
}
