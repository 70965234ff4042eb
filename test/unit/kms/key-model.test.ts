/** Histories of a key against a model of a few lines: states, time, restarts, one data key. */
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { longFactor } from '../../support/long.ts';
import { context, DAY_MS, refusal, type TestKms, testKms, unwrap } from './support.ts';

const material = Buffer.alloc(32, 'material of the owner');
const MOVED = 'Rejected.StateModifiedFailed';

/** What a reader of the documentation would say of the key. */
class KeyModel {
  state = 'Enabled';
  deletionAt = Number.POSITIVE_INFINITY;
  expiresAt = Number.POSITIVE_INFINITY;
  hasMaterial = true;

  elapse(now: number): void {
    if (this.expiresAt <= now) this.lose();
    if (this.deletionAt <= now) this.state = 'gone';
  }

  lose(): void {
    this.hasMaterial = false;
    this.expiresAt = Number.POSITIVE_INFINITY;
    if (this.state !== 'PendingDeletion' && this.state !== 'gone') this.state = 'PendingImport';
  }

  /** The code a use is refused with. */
  use(): string {
    if (this.state === 'gone') return 'Forbidden.KeyNotFound';
    return this.state === 'Enabled' ? 'done' : `Rejected.${this.state}`;
  }
}

type Step = (
  kms: TestKms,
  keyId: string,
  model: KeyModel,
) => Promise<[found: string, expected: string]>;

const gone = 'Forbidden.KeyNotFound';
const toggle =
  (op: 'enableKey' | 'disableKey', state: string): Step =>
  async (kms, keyId, model) => {
    const found = await refusal(kms.ask(op, { keyId }));
    if (model.state === 'gone') return [found, gone];
    if (!['Enabled', 'Disabled'].includes(model.state)) return [found, MOVED];
    model.state = state;
    return [found, 'done'];
  };

const STEPS: Record<string, Step> = {
  enable: toggle('enableKey', 'Enabled'),
  disable: toggle('disableKey', 'Disabled'),
  schedule: async (kms, keyId, model) => {
    const found = await refusal(kms.ask('scheduleKeyDeletion', { keyId, pendingDays: 7 }));
    if (model.state === 'gone') return [found, gone];
    if (model.state === 'PendingDeletion') return [found, 'Rejected.PendingDeletion'];
    model.state = 'PendingDeletion';
    model.deletionAt = kms.clock.now() + 7 * DAY_MS;
    return [found, 'done'];
  },
  cancel: async (kms, keyId, model) => {
    const found = await refusal(kms.ask('cancelKeyDeletion', { keyId }));
    if (model.state === 'gone') return [found, gone];
    if (model.state !== 'PendingDeletion') return [found, MOVED];
    model.state = model.hasMaterial ? 'Enabled' : 'PendingImport';
    model.deletionAt = Number.POSITIVE_INFINITY;
    return [found, 'done'];
  },
  deleteMaterial: async (kms, keyId, model) => {
    const found = await refusal(kms.ask('deleteKeyMaterial', { keyId }));
    if (model.state === 'gone') return [found, gone];
    model.lose();
    return [found, 'done'];
  },
  import: async (kms, keyId, model) => {
    const expiresAt = kms.clock.now() + 3 * DAY_MS;
    const found = await refusal(importMaterial(kms, keyId, expiresAt));
    if (model.state === 'gone') return [found, gone];
    if (model.state === 'PendingDeletion') return [found, 'Rejected.PendingDeletion'];
    model.hasMaterial = true;
    model.expiresAt = expiresAt;
    if (model.state === 'PendingImport') model.state = 'Enabled';
    return [found, 'done'];
  },
  use: async (kms, keyId, model) => [
    await refusal(kms.ask('generateWrappedDataKey', { keyId, context })),
    model.use(),
  ],
};

async function importMaterial(kms: TestKms, keyId: string, expiresAt: number | null) {
  const wrappingAlgorithm = 'RSAES_OAEP_SHA_256';
  const { publicKey, importToken } = await kms.ask('getImportParameters', {
    keyId,
    wrappingAlgorithm,
  });
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const encryptedMaterial = publicEncrypt({ key, padding, oaepHash: 'sha256' }, material);
  return kms.ask('importKeyMaterial', { keyId, encryptedMaterial, importToken, expiresAt });
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(...Object.keys(STEPS).filter((name) => name !== 'import')),
  },
  { weight: 1, arbitrary: fc.constant('import') },
  { weight: 2, arbitrary: fc.constantFrom('a day', 'four days', 'restart') },
);

test('a key does in every history what is documented, and keeps one data key', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (history) => {
    let kms = await testKms();
    const made = await kms.ask('createKey', { description: '', origin: 'EXTERNAL' });
    const { keyId } = made;
    await importMaterial(kms, keyId, null);
    const wrapped = await kms.ask('generateWrappedDataKey', { keyId, context });
    const dataKey = unwrap(kms, wrapped);
    const model = new KeyModel();
    for (const name of history) {
      if (name === 'restart') kms = await kms.reopen();
      else if (name === 'a day') kms.clock.advance(DAY_MS);
      else if (name === 'four days') kms.clock.advance(4 * DAY_MS);
      model.elapse(kms.clock.now());
      const run = STEPS[name];
      if (run !== undefined) {
        const [found, expected] = await run(kms, keyId, model);
        expect([name, found]).toEqual([name, expected]);
      }
      // At once, and before anybody asks for what is due.
      const expected = model.use();
      expect([name, unwrap(kms, wrapped)]).toEqual([
        name,
        expected === 'done' ? dataKey : expected,
      ]);
    }
  });
  await fc.assert(property, { numRuns: 12 * longFactor });
});
