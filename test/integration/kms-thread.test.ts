/** The KMS thread end to end. The test holds the shard's end of the channel, and its doorbell. */
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { UnwrapReply, UnwrapRequest } from '../../dist/src/record/kms-message.js';
import { type KmsThread, startKmsThread } from '../../dist/src/threads/kms-thread.js';

const scope = { accountId: '1234567890123456', regionId: 'cn-hangzhou' };
const context = { ...scope, lineageId: 'd-abcdefghijklmnopqrst' };
const inMemory = { dataDir: null, rootKeyFile: null };
const code = (expected: string) => expect.objectContaining({ code: expected });

const open: KmsThread[] = [];
const start = async (options: Parameters<typeof startKmsThread>[0]): Promise<KmsThread> => {
  const kms = await startKmsThread(options);
  open.push(kms);
  return kms;
};
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sealdisk-kms-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((kms) => kms.close()));
  rmSync(dataDir, { recursive: true, force: true });
});

interface Shard {
  readonly port: MessagePort;
  readonly doorbell: Int32Array;
  /** Asks as a shard does: posts, sleeps on the doorbell, drains the port. */
  ask(request: UnwrapRequest): UnwrapReply;
}

async function introduceShard(kms: KmsThread): Promise<Shard> {
  const { port1, port2 } = new MessageChannel();
  const doorbell = new Int32Array(new SharedArrayBuffer(4));
  await kms.introduce(port1, doorbell);
  const ask = (request: UnwrapRequest): UnwrapReply => {
    const seen = Atomics.load(doorbell, 0);
    port2.postMessage(request);
    // This thread runs nothing until the bell rings: no event, no promise, no port.
    expect(Atomics.wait(doorbell, 0, seen, 10_000)).not.toBe('timed-out');
    const received = receiveMessageOnPort(port2) as { message: UnwrapReply } | undefined;
    expect(received).toBeDefined();
    return received!.message;
  };
  return { port: port2, doorbell, ask };
}

const makeWrappedKey = async (
  kms: KmsThread,
): Promise<{ keyId: string; wrappedKey: Uint8Array }> => {
  const { keyId } = await kms.call({ op: 'createKey', ...scope, description: '' });
  const wrappedKey = await kms.call({ op: 'generateWrappedDataKey', keyId, context });
  return { keyId, wrappedKey };
};

describe('the KMS thread', () => {
  test('hands a shard asleep on its doorbell 32 bytes of key, main only wrapped ones', async () => {
    const kms = await start(inMemory);
    const shard = await introduceShard(kms);
    const { wrappedKey } = await makeWrappedKey(kms);
    expect(wrappedKey).toHaveLength(90);
    const first = shard.ask({ id: 1, wrappedKey, context });
    const second = shard.ask({ id: 2, wrappedKey, context });
    expect(first).toEqual({ id: 1, key: expect.any(ArrayBuffer) });
    expect(second).toEqual({ ...first, id: 2 });
    expect('key' in first && first.key.byteLength).toBe(32);
    expect(Atomics.load(shard.doorbell, 0)).toBe(2);
    shard.port.close();
  });

  test('answers a shard with the error as data, and rings for it too', async () => {
    const kms = await start(inMemory);
    const shard = await introduceShard(kms);
    const { keyId, wrappedKey } = await makeWrappedKey(kms);
    const otherDisk = { ...context, lineageId: 'd-zzzzzzzzzzzzzzzzzzzz' };
    expect(shard.ask({ id: 7, wrappedKey, context: otherDisk })).toMatchObject({
      id: 7,
      error: { code: 'WrappedKeyInvalid' },
    });
    await kms.call({ op: 'disableKey', ...scope, keyId });
    expect(shard.ask({ id: 8, wrappedKey, context })).toMatchObject({
      id: 8,
      error: { code: 'Rejected.Disabled' },
    });
    shard.port.close();
  });

  test('serves several shards, each on its own channel', async () => {
    const kms = await start(inMemory);
    const shards = [await introduceShard(kms), await introduceShard(kms)];
    const { wrappedKey } = await makeWrappedKey(kms);
    const keys = shards.map((shard) => shard.ask({ id: 1, wrappedKey, context }));
    expect(keys[0]).toEqual(keys[1]);
    shards[0]!.port.close();
    expect(shards[1]!.ask({ id: 2, wrappedKey, context })).toMatchObject({ id: 2 });
    shards[1]!.port.close();
  });

  test('gives errors back to main with their codes', async () => {
    const kms = await start(inMemory);
    const call = kms.call({ op: 'describeKey', ...scope, keyId: 'key-abcdefghijklmnopqrst' });
    await expect(call).rejects.toThrow(code('Forbidden.KeyNotFound'));
    const { keyId } = await kms.call({ op: 'serviceKey', ...scope });
    await expect(kms.call({ op: 'disableKey', ...scope, keyId })).rejects.toThrow(
      code('Rejected.UnsupportedOperation'),
    );
  });

  test('keeps its keys in the data directory, under a root key made there', async () => {
    const onFiles = { dataDir, rootKeyFile: null };
    let kms = await start(onFiles);
    const { keyId, wrappedKey } = await makeWrappedKey(kms);
    let shard = await introduceShard(kms);
    const before = shard.ask({ id: 1, wrappedKey, context });
    await kms.close();
    expect(statSync(join(dataDir, 'root.key')).mode & 0o777).toBe(0o600);
    expect(existsSync(join(dataDir, 'kms', 'data.mdb'))).toBe(true);

    kms = await start(onFiles);
    expect(await kms.call({ op: 'describeKey', ...scope, keyId })).toMatchObject({
      state: 'Enabled',
    });
    shard = await introduceShard(kms);
    expect(shard.ask({ id: 1, wrappedKey, context })).toEqual(before);
    shard.port.close();
  });

  test('does not start under a wrong or missing root key', async () => {
    await (await start({ dataDir, rootKeyFile: null })).close();
    const rootKeyFile = join(dataDir, 'other.key');
    await expect(start({ dataDir, rootKeyFile })).rejects.toThrow(code('RootKeyInvalid'));
    writeFileSync(rootKeyFile, new Uint8Array(32).fill(1));
    await expect(start({ dataDir, rootKeyFile })).rejects.toThrow(code('RootKeyInvalid'));
    rmSync(join(dataDir, 'root.key'));
    await expect(start({ dataDir, rootKeyFile: null })).rejects.toThrow(
      /RootKeyInvalid.*root\.key is missing/,
    );
  });

  test('does not start over a foreign or damaged vault', async () => {
    await (await start({ dataDir, rootKeyFile: null })).close();
    writeFileSync(join(dataDir, 'kms', 'data.mdb'), 'something else');
    await expect(start({ dataDir, rootKeyFile: null })).rejects.toThrow(
      code('DataDirectoryCorrupt'),
    );
  });

  test('rejects what is pending, and all that follows, when it dies', async () => {
    const kms = await start(inMemory);
    const shard = await introduceShard(kms);
    // What no shard sends: a bug in it, so the thread ends.
    shard.port.postMessage({ id: 1 });
    const pending = Array.from({ length: 20 }, () => kms.call({ op: 'listKeys', ...scope }));
    const results = await Promise.allSettled(pending);
    const rejected = results.filter((result) => result.status === 'rejected');
    for (const { reason } of rejected) expect(reason).toEqual(code('KmsUnavailable'));
    await expect
      .poll(async () => (await Promise.allSettled([kms.call({ op: 'listKeys', ...scope })]))[0])
      .toMatchObject({ reason: { code: 'KmsUnavailable' } });
    await kms.close();
    shard.port.close();
  });

  test('too slow to answer is KmsUnavailable, and its late answer is nobody else’s', async () => {
    const kms = await start({ ...inMemory, timeoutMs: 50 });
    const { keyId } = await makeWrappedKey(kms);
    // Asked in the event loop's check phase, which ends when this thread wakes, the deadline past:
    // timers come next, and only then the ports, with the answer that waits there.
    const late = new Promise((resolve, reject) => {
      setImmediate(() => kms.call({ op: 'listKeys', ...scope }).then(resolve, reject));
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500));
    });
    await expect(late).rejects.toThrow(
      /KmsUnavailable: the KMS thread did not answer within 50 ms/,
    );
    const answered = async (): Promise<unknown> =>
      kms.call({ op: 'describeKey', ...scope, keyId }).catch(() => null);
    await expect.poll(answered, { timeout: 20_000 }).toMatchObject({ keyId });
  });

  test('closed answers nothing more, and closing twice is closing once', async () => {
    const kms = await start(inMemory);
    const call = kms.call({ op: 'createKey', ...scope, description: 'before the close' });
    await Promise.all([kms.close(), kms.close()]);
    await expect(call).resolves.toMatchObject({ description: 'before the close' });
    await expect(kms.call({ op: 'listKeys', ...scope })).rejects.toThrow(code('KmsUnavailable'));
    const { port1 } = new MessageChannel();
    const doorbell = new Int32Array(new SharedArrayBuffer(4));
    await expect(kms.introduce(port1, doorbell)).rejects.toThrow(code('KmsUnavailable'));
    port1.close();
  });
});
