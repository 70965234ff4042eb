/** A vault put together from its place: in memory, on files, and refused. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openVaultAt } from '../../../src/kms/open-vault.ts';
import { createKmsServer } from '../../../src/kms/serve.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { context, refusal, scope, testClock } from './support.ts';

let directory: TempDir;
beforeEach(() => {
  directory = tempDir();
});
afterEach(() => directory[Symbol.dispose]());

describe('a vault', () => {
  test('in memory is empty at each opening', async () => {
    const place = { dataDir: null, rootKeyFile: null };
    for (let round = 0; round < 2; round++) {
      const vault = await openVaultAt(place);
      const server = createKmsServer({ vault });
      expect(await server.handle({ op: 'listKeys', ...scope })).toEqual([]);
      await server.handle({ op: 'createKey', ...scope, description: '' });
      await vault.close();
    }
  });

  test('on files has its keys again, and is refused under another root key', async () => {
    const place = { dataDir: directory.path, rootKeyFile: null };
    const clock = testClock();
    const first = await openVaultAt(place, clock);
    const made = await createKmsServer({ vault: first }).handle({
      op: 'createKey',
      ...scope,
      description: 'kept',
    });
    await first.close();
    const rootKeyFile = join(directory.path, 'other.key');
    for (const bytes of [31, 32]) {
      writeFileSync(rootKeyFile, new Uint8Array(bytes).fill(5), { mode: 0o600 });
      expect(await refusal(openVaultAt({ ...place, rootKeyFile }, clock))).toBe('RootKeyInvalid');
    }
    // What refused has let go of the store.
    const again = await openVaultAt(place, clock);
    const listed = await createKmsServer({ vault: again }).handle({ op: 'listKeys', ...scope });
    expect(listed).toEqual([made]);
    await again.close();
  });

  test('is searched for a data key by the KMS thread, which alone may have it', async () => {
    const place = { dataDir: directory.path, rootKeyFile: null };
    const vault = await openVaultAt(place);
    const server = createKmsServer({ vault });
    const { keyId } = (await server.handle({
      op: 'createKey',
      ...scope,
      description: '',
    })) as { keyId: string };
    const wrappedKey = (await server.handle({
      op: 'generateWrappedDataKey',
      keyId,
      context,
    })) as Uint8Array;
    writeFileSync(join(directory.path, 'wrapped'), wrappedKey);
    const search = { op: 'searchForKey', wrappedKey, context, directory: directory.path } as const;
    expect(await server.handle(search)).toMatchObject({ hits: 0, wrappedKeyHits: 1 });
    const absent = { ...search, directory: join(directory.path, 'nowhere') };
    expect(await refusal(server.handle(absent))).toBe('ENOENT');
    const damaged = { ...search, wrappedKey: wrappedKey.slice(1) };
    expect(await refusal(server.handle(damaged))).toBe('WrappedKeyInvalid');
    await vault.close();
  });
});

describe('a KMS that is down', () => {
  test('answers nothing, by name, and a shard as data', async () => {
    const vault = await openVaultAt({ dataDir: null, rootKeyFile: null });
    const server = createKmsServer({ vault, isDown: () => true });
    expect(await refusal(server.handle({ op: 'listKeys', ...scope }))).toBe('KmsUnavailable');
    const wrappedKey = new Uint8Array(76);
    const reply = server.unwrap({ id: 9, wrappedKey, context });
    expect(reply).toMatchObject({ id: 9, error: { code: 'KmsUnavailable' } });
    await vault.close();
  });
});
