/**
 * Counts calls of the KMS API, as the documents count them: a management operation counts once for
 * every encrypted disk or snapshot it changes, whatever unwrapping really went on behind it.
 *
 * **Thread:** main.
 */
import type { MetadataChange } from '../../meta/metadata.ts';
import type { UsageRecord } from '../../record/document.ts';
import type { EncryptionRecord } from '../../record/resource.ts';
import type { PlaneContext } from '../context.ts';
import { isCounted } from './billing-rules.ts';

/** Who calls what: whose counters move. */
interface CountedCall {
  readonly verb: string;
  readonly principal: { readonly accountId: string };
  readonly regionId: string;
}

/** What a call that commits this change counts; nothing, if the operation is not counted. */
export function usageOf(
  plane: Pick<PlaneContext, 'clock'>,
  call: CountedCall,
  change: Pick<MetadataChange, 'putDisks' | 'putSnapshots'>,
): UsageRecord[] {
  const touched = [...(change.putDisks ?? []), ...(change.putSnapshots ?? [])];
  return usageOfKeys(
    plane,
    call,
    touched.flatMap(({ encryption }) => keyIdOf(encryption)),
  );
}

/** @param keyIds one for each use: a key used twice is there twice */
export function usageOfKeys(
  plane: Pick<PlaneContext, 'clock'>,
  call: CountedCall,
  keyIds: readonly string[],
): UsageRecord[] {
  if (!isCounted(call.verb)) return [];
  const calls = new Map<string, number>();
  for (const keyId of keyIds) calls.set(keyId, (calls.get(keyId) ?? 0) + 1);
  const { accountId } = call.principal;
  const month = monthOf(plane.clock.now());
  return [...calls].map(([keyId, count]) => ({
    accountId,
    regionId: call.regionId,
    month,
    keyId,
    operation: call.verb,
    calls: count,
  }));
}

/** UTC: 2026-01. */
export function monthOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 7);
}

function keyIdOf(encryption: EncryptionRecord | null): string[] {
  return encryption === null ? [] : [encryption.keyId];
}
