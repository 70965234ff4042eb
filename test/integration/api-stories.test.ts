/** Two stories by the official SDKs: key material of one's own, and copies in another region. */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { describeDisk, newDisk, newInstance, refusal, regionId } from '../support/api-steps.ts';
import { type ApiSubject, startApi } from '../support/api-subject.ts';
import { callByCore, ecs, ecsClient, kms, kmsClient } from '../support/official-sdk.ts';

const TEXT = Buffer.from('what the customer wrote');
const BEIJING = 'cn-beijing';

async function write(api: ApiSubject, diskId: string): Promise<void> {
  await using disk = await api.plane.attach(diskId);
  await disk.write(0, TEXT);
  await disk.flush();
}

async function read(api: ApiSubject, diskId: string, region = regionId): Promise<string> {
  const session = api.plane.as({ accountId: '1000000000000001', regionId: region });
  await using disk = await session.attach(diskId);
  return Buffer.from(await disk.read(0, TEXT.length)).toString();
}

/** Asks for a public key, and sends material encrypted under it. */
async function importMaterial(api: ApiSubject, keyId: string, material: Buffer): Promise<void> {
  const keys = kmsClient(api.port);
  const asked = await keys.getParametersForImport(
    new kms.GetParametersForImportRequest({
      keyId,
      wrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      wrappingKeySpec: 'RSA_2048',
    }),
  );
  const der = Buffer.from(asked.publicKey, 'base64');
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const wrapped = publicEncrypt({ key, padding, oaepHash: 'sha256' }, material);
  await keys.importKeyMaterial(
    new kms.ImportKeyMaterialRequest({
      keyId,
      encryptedKeyMaterial: wrapped.toString('base64'),
      importToken: asked.importToken,
      keyMaterialExpireUnix: 0,
    }),
  );
}

async function newSnapshot(api: ApiSubject, diskId: string): Promise<string> {
  const request = new ecs.CreateSnapshotRequest({ diskId });
  return (await ecsClient(api.port).createSnapshot(request)).body!.snapshotId!;
}

/** A key of another region: its endpoint would say which. */
async function newKeyIn(api: ApiSubject, region: string): Promise<string> {
  const made = await callByCore(api.port, '2016-01-20', 'CreateKey', { RegionId: region });
  return (made.body as { readonly KeyMetadata: { readonly KeyId: string } }).KeyMetadata.KeyId;
}

async function waitForImage(api: ApiSubject, imageId: string, region: string) {
  const client = ecsClient(api.port);
  for (;;) {
    const request = new ecs.DescribeImagesRequest({ regionId: region, imageId });
    const image = (await client.describeImages(request)).body?.images?.image?.[0];
    if (image?.status === 'Available') return image;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('by the official SDKs', () => {
  test('a key of own material protects a disk, locks it without, and heals', async () => {
    await using api = await startApi();
    const [client, keys] = [ecsClient(api.port), kmsClient(api.port)];
    const created = await keys.createKey(new kms.CreateKeyRequest({ origin: 'EXTERNAL' }));
    const { keyId, keyState } = created.keyMetadata;
    expect(keyState).toBe('PendingImport');
    const make = () => newDisk(client, { encrypted: true, KMSKeyId: keyId });
    expect((await refusal(make())).code).toBe('InvalidParameter.KMSKeyId.CMKNotEnabled');
    const material = randomBytes(32);
    await importMaterial(api, keyId, material);
    const diskId = await make();
    expect(await describeDisk(client, diskId)).toMatchObject({ encrypted: true, KMSKeyId: keyId });
    await write(api, diskId);
    await keys.deleteKeyMaterial(new kms.DeleteKeyMaterialRequest({ keyId }));
    expect((await refusal(api.plane.attach(diskId))).code).toBe(
      'InvalidParameter.KMSKeyId.CMKNotEnabled',
    );
    await expect(importMaterial(api, keyId, randomBytes(32))).rejects.toThrow();
    await importMaterial(api, keyId, material);
    expect(await read(api, diskId)).toBe(TEXT.toString());
    expect(api.bugs).toEqual([]);
  });

  test('an encrypted disk is copied to another region, under a key of that region', async () => {
    await using api = await startApi();
    const client = ecsClient(api.port);
    const diskId = await newDisk(client, { encrypted: true });
    await write(api, diskId);
    const snapshotId = await newSnapshot(api, diskId);
    const KMSKeyId = await newKeyIn(api, BEIJING);
    const destination = { regionId, snapshotId, destinationRegionId: BEIJING };
    const copied = await client.copySnapshot(
      new ecs.CopySnapshotRequest({ ...destination, encrypted: true, KMSKeyId }),
    );
    const copyId = copied.body!.snapshotId!;
    const beijing = { regionId: BEIJING, zoneId: 'cn-beijing-a' };
    const farId = await newDisk(client, { ...beijing, snapshotId: copyId });
    const described = await client.describeDisks(
      new ecs.DescribeDisksRequest({ regionId: BEIJING, diskIds: JSON.stringify([farId]) }),
    );
    const far = described.body!.disks!.disk![0]!;
    expect(far).toMatchObject({ regionId: BEIJING, encrypted: true, KMSKeyId });
    expect(await read(api, farId, BEIJING)).toBe(TEXT.toString());
    expect(api.bugs).toEqual([]);
  });

  test('an image is copied to another region and encrypted on the way', async () => {
    await using api = await startApi();
    const client = ecsClient(api.port);
    const instanceId = await newInstance(client);
    const image = { regionId, instanceId, imageName: 'golden' };
    const made = await client.createImage(new ecs.CreateImageRequest(image));
    const imageId = made.body!.imageId!;
    await waitForImage(api, imageId, regionId);
    const KMSKeyId = await newKeyIn(api, BEIJING);
    const request = { regionId, imageId, destinationRegionId: BEIJING, encrypted: true, KMSKeyId };
    const copied = await client.copyImage(new ecs.CopyImageRequest(request));
    const copy = await waitForImage(api, copied.body!.imageId!, BEIJING);
    const mapping = copy.diskDeviceMappings!.diskDeviceMapping![0]!;
    const found = await client.describeSnapshots(
      new ecs.DescribeSnapshotsRequest({
        regionId: BEIJING,
        snapshotIds: JSON.stringify([mapping.snapshotId]),
      }),
    );
    const shown = found.body!.snapshots!.snapshot![0]!;
    expect(shown).toMatchObject({ encrypted: true, KMSKeyId });
    expect(api.bugs).toEqual([]);
  });
});
