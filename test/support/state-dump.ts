/** Everything a plane has stored, as text to be compared: what a refused call leaves alone. */
import { type KeyValueStore, scan } from '../../src/kv/key-value-store.ts';
import type { TestControl } from './control-context.ts';

/** The log of what was refused is the one thing a refusal writes. */
export const AUDIT = /^(doc(-in)?\/)?audit\//;

/** Every table of the metadata but the audit log, by key. */
function dumpMetadata(store: KeyValueStore): Map<string, string> {
  const found = new Map<string, string>();
  scan(store, '', (key, value) => {
    if (!AUDIT.test(key)) found.set(key, Buffer.from(value).toString('hex'));
  });
  return found;
}

/** The metadata, the sealed records of the KMS, and which volumes instances hold open. */
export function dumpState({ stores, held }: TestControl): Map<string, string> {
  const found = dumpMetadata(stores.metadata);
  scan(stores.vault, '', (key, value) => {
    found.set(`kms/${key}`, Buffer.from(value).toString('hex'));
  });
  for (const diskId of held) found.set(`held/${diskId}`, 'open');
  return found;
}
