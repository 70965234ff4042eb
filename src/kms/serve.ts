/**
 * Requests to the KMS and their answers: from main to the vault, from a shard to the vault.
 *
 * 1. Nothing handle() answers holds a disk's plaintext data key: what it answers goes to main.
 * 2. unwrap() never throws for what a shard sent: an error is an answer.
 *
 * No threads and no ports here: workers/kms.ts has them. **Thread:** KMS.
 */
import { scrubStack } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { invariant } from '../base/invariant.ts';
import type { KeyScope } from '../record/kms-key.ts';
import type { KmsRequest, UnwrapReply, UnwrapRequest } from '../record/kms-message.ts';
import { requireActivated } from './accounts.ts';
import { unwrapForShard } from './disk-keys.ts';
import { displaceRegisters } from './envelope.ts';
import { OPERATIONS } from './operations.ts';
import { RequestRates } from './request-rates.ts';
import { settle } from './settle.ts';
import type { Vault } from './vault.ts';

export interface KmsServerOptions {
  readonly vault: Vault;
  /** Refuses requests above the cloud's rates. @default false */
  readonly throttling?: boolean;
  /** While it is, everything is refused with KmsUnavailable. @default never */
  readonly isDown?: () => boolean;
}

export interface KmsServer {
  /** @returns what KmsResults has for the request's op. @throws PlaneError */
  handle(request: KmsRequest): Promise<unknown>;
  /** The reply's key, if there is one, is the caller's: to be transferred, not copied. */
  unwrap(request: UnwrapRequest): UnwrapReply;
  /** What is due by the clock, for a vault nobody asks. @throws PlaneError */
  idle(): Promise<void>;
}

export function createKmsServer(options: KmsServerOptions): KmsServer {
  const { vault, throttling = false, isDown = () => false } = options;
  const checkUp = (): void => {
    if (isDown()) throw new PlaneError('KmsUnavailable', 'KMS does not answer');
  };
  const rates = throttling ? new RequestRates(vault.clock) : null;
  return {
    handle: async (request) => {
      try {
        checkUp();
        return await answer(vault, rates, request);
      } finally {
        leaveNoTrace();
      }
    },
    unwrap: ({ id, wrappedKey, context }) => {
      try {
        checkUp();
        return { id, key: unwrapForShard(vault, wrappedKey, context) };
      } catch (error) {
        if (!(error instanceof PlaneError)) throw error;
        return { id, error: error.toRecord() };
      } finally {
        leaveNoTrace();
      }
    },
    idle: async () => {
      try {
        await settle(vault);
      } finally {
        leaveNoTrace();
      }
    },
  };
}

async function answer(
  vault: Vault,
  rates: RequestRates | null,
  request: KmsRequest,
): Promise<unknown> {
  invariant(Object.hasOwn(OPERATIONS, request.op), 'main asks what there is');
  const { rate, needsActivation, run } = OPERATIONS[request.op];
  const scope: KeyScope = 'context' in request ? request.context : request;
  if (rate !== null) rates?.take(scope, rate);
  await settle(vault);
  if (needsActivation) requireActivated(vault, scope);
  // The row was found by the request's own op.
  return run(request.dryRun === true ? vault.forDryRun() : vault, request as never);
}

/** After keys were handled: neither registers nor the dead part of the stack hold any of them. */
function leaveNoTrace(): void {
  displaceRegisters();
  scrubStack();
}
