/** Master keys as a customer of the library has them: imported, felt by disks, kept on files. */
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { openPlane, type Plane } from 'sealdisk';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/refusal.ts';
import { tempDir } from '../support/temp-dir.ts';

const NOT_ENABLED = 'InvalidParameter.KMSKeyId.CMKNotEnabled';
const content = new TextEncoder().encode('under a key of its owner');
const material = Buffer.alloc(32, 'material of the owner');

async function importMaterial(plane: Plane, KeyId: string): Promise<void> {
  const made = await plane.call('GetParametersForImport', {
    KeyId,
    WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
    WrappingKeySpec: 'RSA_2048',
  });
  const key = createPublicKey({
    key: Buffer.from(made.PublicKey, 'base64'),
    format: 'der',
    type: 'spki',
  });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const wrapped = publicEncrypt({ key, padding, oaepHash: 'sha256' }, material);
  await plane.call('ImportKeyMaterial', {
    KeyId,
    EncryptedKeyMaterial: wrapped.toString('base64'),
    ImportToken: made.ImportToken,
    KeyMaterialExpireUnix: 0,
  });
}

describe('master keys of a plane', () => {
  it('with imported material protect disks, and give them back with it', async () => {
    using directory = tempDir();
    const dataDir = `${directory.path}/plane`;
    let plane = await openPlane({ dataDir });
    try {
      const { KeyMetadata } = await plane.call('CreateKey', { Origin: 'EXTERNAL' });
      const KMSKeyId = KeyMetadata.KeyId;
      await plane.call('CreateAlias', { KeyId: KMSKeyId, AliasName: 'alias/owner' });
      const request = { Size: 1, Encrypted: true, KMSKeyId: 'alias/owner' };
      expect(await codeOf(plane.call('CreateDisk', request))).toBe(NOT_ENABLED);
      await importMaterial(plane, KMSKeyId);
      const { DiskId } = await plane.call('CreateDisk', request);
      const disk = await plane.attach(DiskId);
      await disk.write(0, content);
      await plane.call('DeleteKeyMaterial', { KeyId: KMSKeyId });
      expect(await disk.read(0, content.length)).toEqual(content);
      await disk.close();
      expect(await codeOf(plane.attach(DiskId))).toBe(NOT_ENABLED);
      await plane.close();

      plane = await openPlane({ dataDir });
      expect(await codeOf(plane.attach(DiskId))).toBe(NOT_ENABLED);
      const { Tags } = await plane.call('ListResourceTags', { KeyId: 'alias/owner' });
      expect(Tags).toEqual([
        { KeyId: KMSKeyId, TagKey: 'acs:ecs:disk-encryption', TagValue: 'true' },
      ]);
      await importMaterial(plane, KMSKeyId);
      await using again = await plane.attach(DiskId);
      expect(await again.read(0, content.length)).toEqual(content);
      const { hits, wrappedKeyHits } = await plane.searchForKey(DiskId);
      expect({ hits, wrapped: wrappedKeyHits > 0 }).toEqual({ hits: 0, wrapped: true });
    } finally {
      await plane.close();
    }
  });

  it('encrypt what callers give, and never open what wraps a disk’s key', async () => {
    await using plane = await openPlane({ memory: true });
    const { KeyId } = (await plane.call('CreateKey', {})).KeyMetadata;
    const Plaintext = Buffer.from(content).toString('base64');
    const EncryptionContext = { purpose: 'test' };
    const made = await plane.call('Encrypt', { KeyId, Plaintext, EncryptionContext });
    const { CiphertextBlob } = made;
    const opened = await plane.call('Decrypt', { CiphertextBlob, EncryptionContext });
    expect(opened).toEqual({ Plaintext, KeyId, KeyVersionId: '1' });
    const dryRun = plane.call('Decrypt', { CiphertextBlob, EncryptionContext, DryRun: true });
    expect(await codeOf(dryRun)).toBe('DryRunOperationError');
    const elsewhere = { CiphertextBlob, EncryptionContext, RegionId: 'cn-beijing' };
    expect(await codeOf(plane.call('Decrypt', elsewhere))).toBe('Forbidden.KeyNotFound');
  });

  it('are asked at the cloud’s rates where the plane is opened so', async () => {
    await using slow = await openPlane({ memory: true, kmsThrottling: true });
    await using fast = await openPlane({ memory: true });
    const codes = async (plane: Plane): Promise<string[]> =>
      Promise.all(Array.from({ length: 40 }, () => codeOf(plane.call('CreateKey', {}))));
    expect(await codes(slow)).toContain('Rejected.Throttling');
    expect(await codes(fast)).not.toContain('Rejected.Throttling');
  });
});
