/**
 * What time alone does to a master key. Nothing is stored late that matters: a key read is a key
 * as of now, whatever its record still says (settle.ts brings the records after).
 *
 *   from deletionAt on          the key does not exist
 *   from materialExpiresAt on   it has no material: PendingImport
 *   from rotation on            it is due a new version; until it has one the old one serves
 */
import type { KeyDescription } from '../record/kms-key.ts';

/** @returns null if the key does not exist any more */
export function keyAsOf(key: KeyDescription, now: number): KeyDescription | null {
  if (key.deletionAt !== null && key.deletionAt <= now) return null;
  return hasExpired(key, now) ? withoutMaterial(key) : key;
}

function withoutMaterial(key: KeyDescription): KeyDescription {
  const state = key.state === 'PendingDeletion' ? key.state : 'PendingImport';
  return { ...key, state, hasMaterial: false, materialExpiresAt: null };
}

export function hasExpired(key: KeyDescription, now: number): boolean {
  return key.materialExpiresAt !== null && key.materialExpiresAt <= now;
}

/** When the key is due a new version; null if never, or not while it is in its state. */
export function rotationDueAt(key: KeyDescription): number | null {
  if (key.rotationIntervalMs === null || key.state !== 'Enabled') return null;
  return key.lastRotationAt + key.rotationIntervalMs;
}

/** When time will next change the key: Infinity if never. */
export function nextEventAt(key: KeyDescription): number {
  const events = [key.deletionAt, key.materialExpiresAt, rotationDueAt(key)];
  return Math.min(...events.map((at) => at ?? Number.POSITIVE_INFINITY));
}
