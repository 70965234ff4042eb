/**
 * Requests to the KMS and their answers: from main to the vault, from a shard to the vault.
 *
 * 1. Nothing handle() answers holds a plaintext key: what it answers goes to main.
 * 2. unwrap() never throws for what a shard sent: an error is an answer.
 *
 * No threads and no ports here: workers/kms.ts has them. **Thread:** KMS.
 */
import { scrubStack, zeroize } from '../base/bytes.ts';
import { PlaneError } from '../base/errors.ts';
import { unreachable } from '../base/invariant.ts';
import type { KeySearch, KmsRequest, UnwrapReply, UnwrapRequest } from '../record/kms-message.ts';
import { displaceRegisters } from './envelope.ts';
import { searchForKey } from './key-search.ts';
import type { Vault } from './vault.ts';

export interface KmsServer {
  /** @returns what KmsResults has for the request's op. @throws PlaneError */
  handle(request: KmsRequest): Promise<unknown>;
  /** The reply's key, if there is one, is the caller's: to be transferred, not copied. */
  unwrap(request: UnwrapRequest): UnwrapReply;
}

export function createKmsServer({ vault }: { readonly vault: Vault }): KmsServer {
  return {
    handle: async (request) => {
      await vault.eraseExpired();
      try {
        return await answer(vault, request);
      } finally {
        leaveNoTrace();
      }
    },
    unwrap: ({ id, wrappedKey, context }) => {
      try {
        return { id, key: vault.unwrapDataKey(wrappedKey, context) };
      } catch (error) {
        if (!(error instanceof PlaneError)) throw error;
        return { id, error: error.toRecord() };
      } finally {
        leaveNoTrace();
      }
    },
  };
}

function answer(vault: Vault, request: KmsRequest): unknown {
  switch (request.op) {
    case 'createKey':
      return vault.createKey(request, request.description, request.fixedKeyId);
    case 'serviceKey':
      return vault.serviceKey(request);
    case 'describeKey':
      return vault.describeKey(request.keyId);
    case 'listKeys':
      return vault.listKeys(request);
    case 'enableKey':
      return vault.enableKey(request.keyId);
    case 'disableKey':
      return vault.disableKey(request.keyId);
    case 'rotateKey':
      return vault.rotateKey(request.keyId);
    case 'scheduleKeyDeletion':
      return vault.scheduleKeyDeletion(request.keyId, request.pendingDays);
    case 'cancelKeyDeletion':
      return vault.cancelKeyDeletion(request.keyId);
    case 'generateWrappedDataKey':
      return vault.generateWrappedDataKey(request.keyId, request.context);
    case 'searchForKey':
      return search(vault, request);
    default:
      return unreachable(request);
  }
}

/** After keys were handled: neither registers nor the dead part of the stack hold any of them. */
function leaveNoTrace(): void {
  displaceRegisters();
  scrubStack();
}

async function search(
  vault: Vault,
  request: Extract<KmsRequest, { readonly op: 'searchForKey' }>,
): Promise<KeySearch> {
  const dataKey = new Uint8Array(vault.unwrapDataKey(request.wrappedKey, request.context));
  try {
    return await searchForKey(request.directory, dataKey, request.wrappedKey);
  } finally {
    zeroize(dataKey);
    leaveNoTrace();
  }
}
