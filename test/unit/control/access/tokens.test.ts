/** ClientToken: repeated calls, refused calls, calls at the same time, and crashes in between. */
import { describe, expect, it } from 'vitest';
import { fullAccount } from '../../../../src/control/access/accounts.ts';
import { overlay } from '../../../../src/control/access/overlay.ts';
import {
  removeExpiredTokens,
  runOnce,
  TokensInUse,
} from '../../../../src/control/access/tokens.ts';
import { callVerb } from '../../../../src/control/call.ts';
import type { PlaneContext } from '../../../../src/control/context.ts';
import type { CommonParameters, Verbs } from '../../../../src/control/verbs.ts';
import type { MetadataChange } from '../../../../src/meta/metadata.ts';
import { testControl } from '../../../support/control-context.ts';
import { refusal } from './refusal.ts';

const HOUR = 60 * 60 * 1_000;

/** A plane whose clock the test turns. */
async function planeWithClock() {
  let now = Date.UTC(2026, 0, 31, 12);
  const clock = { now: () => now, monotonic: () => 0 };
  const control = await testControl(clock);
  const { context } = control;
  return {
    ...control,
    pass: (hours: number) => {
      now += hours * HOUR;
    },
    call: callerOf(context),
    tokenCount: () => context.metadata.listDocuments('token', null, 0, 1).total,
    diskCount: () => context.metadata.listDisks({}, 0, 1).total,
  };
}

function callerOf(plane: PlaneContext, accountId = '1000000000000001') {
  const principal = { accountId, userName: null, regionId: 'cn-hangzhou' };
  return <V extends keyof Verbs>(verb: V, parameters: Verbs[V]['parameters'] & CommonParameters) =>
    callVerb(plane, principal, verb, parameters);
}

/** The same plane after its process ended: nothing running is known any more. */
function restarted(plane: PlaneContext): PlaneContext {
  return { ...plane, tokens: new TokensInUse(plane.clock.now()) };
}

describe('a call with a ClientToken', () => {
  it('is done once, and answered as the first time', async () => {
    const { call, diskCount } = await planeWithClock();
    const once = { Size: 20, DiskName: 'aa', ClientToken: 'token-1' };
    const first = await call('CreateDisk', once);
    expect(await call('CreateDisk', once)).toEqual(first);
    const reordered = { ClientToken: 'token-1', DiskName: 'aa', Size: 20 };
    expect(await call('CreateDisk', reordered)).toEqual(first);
    expect(diskCount()).toBe(1);
    expect(await call('CreateDisk', { ...once, ClientToken: 'token-2' })).not.toEqual(first);
  });

  it('answers the same when what it made is gone, and after a restart', async () => {
    const { context, call } = await planeWithClock();
    const once = { Size: 20, ClientToken: 't' };
    const first = await call('CreateDisk', once);
    await call('DeleteDisk', { DiskId: first.DiskId });
    expect(await callerOf(restarted(context))('CreateDisk', once)).toEqual(first);
  });

  it('is refused with other parameters, or in another region', async () => {
    const { call, diskCount } = await planeWithClock();
    const once = { Size: 20, ClientToken: 't' };
    await call('CreateDisk', once);
    for (const other of [{ Size: 21 }, { DiskName: 'xx' }, { RegionId: 'cn-beijing' }]) {
      const code = await refusal(() => call('CreateDisk', { ...once, ...other }));
      expect(code).toBe('IdempotentParameterMismatch');
    }
    expect(diskCount()).toBe(1);
  });

  it('is of a verb and an account: others may use the same token', async () => {
    const { context, call } = await planeWithClock();
    const record = fullAccount('2', 0);
    await context.metadata.commit({ putDocuments: [{ kind: 'account', record }] });
    const once = { Size: 20, ClientToken: 't' };
    const { DiskId } = await call('CreateDisk', once);
    const other = await callerOf(context, '2')('CreateDisk', once);
    expect(other.DiskId).not.toBe(DiskId);
    const { SnapshotId } = await call('CreateSnapshot', { DiskId, ClientToken: 't' });
    expect(SnapshotId).toMatch(/^s-/);
  });

  it('that comes while the first one runs is told so', async () => {
    const { call, diskCount } = await planeWithClock();
    const once = { Size: 20, Encrypted: true, ClientToken: 't' };
    const first = call('CreateDisk', once);
    expect(await refusal(() => call('CreateDisk', once))).toBe('LastTokenProcessing');
    const other = () => call('CreateDisk', { ...once, Size: 30 });
    expect(await refusal(other)).toBe('IdempotentParameterMismatch');
    const answer = await first;
    expect(await call('CreateDisk', once)).toEqual(answer);
    expect(diskCount()).toBe(1);
  });

  it('that was refused may be made again', async () => {
    const { call, tokenCount } = await planeWithClock();
    const { DiskId } = await call('CreateDisk', { Size: 20 });
    const grow = (NewSize: number) => call('ResizeDisk', { DiskId, NewSize, ClientToken: 't' });
    expect(await refusal(() => grow(20))).toBe('InvalidDiskSize.TooSmall');
    expect(tokenCount()).toBe(0);
    expect(await refusal(() => grow(40))).toBe('not refused');
    expect(await refusal(() => grow(40))).toBe('not refused');
  });

  it('is forgotten after 24 hours', async () => {
    const { call, pass, diskCount } = await planeWithClock();
    const once = { Size: 20, ClientToken: 't' };
    const first = await call('CreateDisk', once);
    pass(23.99);
    expect(await call('CreateDisk', once)).toEqual(first);
    pass(0.02);
    expect(await call('CreateDisk', { ...once, Size: 30 })).not.toEqual(first);
    expect(diskCount()).toBe(2);
  });

  it.each(['', 'x'.repeat(65), 'with space', 'ümlaut'])('%j is refused', async (ClientToken) => {
    const { call, diskCount } = await planeWithClock();
    const code = await refusal(() => call('CreateDisk', { Size: 20, ClientToken }));
    expect(code).toBe('InvalidClientToken.Malformed');
    expect(diskCount()).toBe(0);
  });

  it('of a verb that reads, or that uses keys, leaves nothing', async () => {
    const { call, tokenCount } = await planeWithClock();
    await call('DescribeDisks', { ClientToken: 't' });
    const { KeyMetadata } = await call('CreateKey', {});
    await call('DisableKey', { KeyId: KeyMetadata.KeyId, ClientToken: 't' });
    expect(tokenCount()).toBe(0);
  });

  it('makes one key', async () => {
    const { call } = await planeWithClock();
    const once = { Description: 'mine', ClientToken: 't' };
    const first = await call('CreateKey', once);
    expect(await call('CreateKey', once)).toEqual(first);
    expect((await call('ListKeys', {})).TotalCount).toBe(1);
  });
});

describe('old tokens', () => {
  it('are removed by the calls that come later, a few at a time', async () => {
    const { call, pass, tokenCount } = await planeWithClock();
    for (let index = 0; index < 100; index++) {
      await call('CreateDisk', { Size: 20, ClientToken: `old-${index}` });
    }
    pass(40);
    await call('CreateDisk', { Size: 20, ClientToken: 'new-1' });
    expect(tokenCount()).toBe(100 - 64 + 1);
    await call('CreateDisk', { Size: 20, ClientToken: 'new-2' });
    expect(tokenCount()).toBe(2);
    pass(1_000);
    for (let index = 0; index < 20; index++) {
      await call('CreateDisk', { Size: 20, ClientToken: `newer-${index}` });
    }
    expect(tokenCount()).toBe(20);
  });

  it('are removed when a plane is opened, and only those', async () => {
    const { context, call, pass, tokenCount } = await planeWithClock();
    for (let index = 0; index < 70; index++) {
      await call('CreateDisk', { Size: 20, ClientToken: `old-${index}` });
      if (index === 66) pass(10);
    }
    pass(15);
    await removeExpiredTokens(context.metadata, context.clock.now());
    expect(tokenCount()).toBe(3);
  });
});

describe('a process that ends', () => {
  /** A plane on the same metadata that commits so many times, and no more: its process ended. */
  function dying(plane: PlaneContext, commits: number): PlaneContext {
    let left = commits;
    const commit = async (change: MetadataChange): Promise<void> => {
      if (left-- <= 0) await new Promise(() => {});
      await plane.metadata.commit(change);
    };
    const tokens = new TokensInUse(plane.clock.now());
    return { ...plane, tokens, metadata: overlay(plane.metadata, { commit }) };
  }

  /** Starts a call in a process that ends; waits until it hangs. */
  async function cutOff(call: () => Promise<unknown>): Promise<void> {
    const outcome = await Promise.race([
      call().then(() => 'answered'),
      new Promise((resolve) => setTimeout(() => resolve('cut off'), 50)),
    ]);
    expect(outcome).toBe('cut off');
  }

  it('before its effect leaves a token that may be used again', async () => {
    const { context, call, diskCount } = await planeWithClock();
    const once = { Size: 20, ClientToken: 't' };
    await cutOff(() => callerOf(dying(context, 0))('CreateDisk', once));
    expect(diskCount()).toBe(0);
    await call('CreateDisk', once);
    expect(diskCount()).toBe(1);
  });

  it.each(['CreateDisk', 'CreateSnapshot', 'CloneDisk'] as const)(
    'between the effect and the answer of %s: the repeated call makes no second one',
    async (verb) => {
      const { context, call, diskCount } = await planeWithClock();
      const { DiskId } = await call('CreateDisk', { Size: 20 });
      const parameters = {
        CreateDisk: { Size: 20 },
        CreateSnapshot: { DiskId },
        CloneDisk: { SourceDiskId: DiskId },
      }[verb];
      const once = { ...parameters, ClientToken: 't' } as never;
      await cutOff(() => callerOf(dying(context, 1))(verb, once));
      const disks = diskCount();
      const snapshots = () => context.metadata.listSnapshots({}, 0, 1).total;
      const made = snapshots();
      const answer = await callerOf(restarted(context))(verb, once);
      expect(Object.values(answer)).toEqual([expect.stringMatching(/^[ds]-[a-z0-9]{20}$/)]);
      expect([diskCount(), snapshots()]).toEqual([disks, made]);
      expect(await callerOf(restarted(context))(verb, once)).toEqual(answer);
    },
  );

  it('whose half-made resource was removed leaves a token that may be used again', async () => {
    const { context, call } = await planeWithClock();
    const once = { Size: 20, ClientToken: 't' };
    await cutOff(() => callerOf(dying(context, 1))('CreateDisk', once));
    const [half] = context.metadata.listDisks({}, 0, 1).records;
    await context.metadata.commit({ removeDisks: [half?.diskId ?? ''] });
    const { DiskId } = await call('CreateDisk', once);
    expect(DiskId).not.toBe(half?.diskId);
  });

  it('while a key is made leaves a token that says so, and no second key', async () => {
    const { context, call } = await planeWithClock();
    const once = { ClientToken: 't' };
    await cutOff(() => callerOf(dying(context, 1))('CreateKey', once));
    const again = () => callerOf(restarted(context))('CreateKey', once);
    expect(await refusal(again)).toBe('LastTokenProcessing');
    expect((await call('ListKeys', {})).TotalCount).toBe(1);
  });

  it('is told from a key that KMS refused: then the token is free', async () => {
    const { context, call, tokenCount } = await planeWithClock();
    const kms = { call: () => Promise.reject(new Error('no KMS')) };
    const once = { ClientToken: 't' };
    await expect(callerOf({ ...context, kms })('CreateKey', once)).rejects.toThrow('no KMS');
    expect(tokenCount()).toBe(0);
    await call('CreateKey', once);
  });
});

describe('a verb that makes several things', () => {
  const image = {
    accountId: '1000000000000001',
    regionId: 'cn-hangzhou',
    name: '',
    description: '',
    tags: {},
    createdAt: 0,
    family: '',
    status: 'Available',
    devices: [],
    sourceInstanceId: null,
    sourceImageId: null,
    sourceRegionId: null,
    platform: '',
    osType: 'linux',
    architecture: 'x86_64',
    sharedWith: [],
    isPublic: false,
  } as const;
  const instance = {
    ...image,
    zoneId: 'cn-hangzhou-a',
    instanceType: 'ecs.g7.large',
    status: 'Stopped',
    hostName: '',
    deletionProtection: false,
    startedAt: null,
  } as const;
  const idOf = (letter: string, index: number) => `${letter}-${String(index).padStart(20, '0')}`;

  const run =
    (verb: string, puts: readonly { readonly kind: 'image' | 'instance' }[], ids: string[]) =>
    async (plane: PlaneContext & Parameters<typeof runOnce>[0]) => {
      const call = { verb, token: 't', parameters: {}, isKms: false };
      return runOnce(plane, call, async ({ metadata }) => {
        for (const [index, { kind }] of puts.entries()) {
          const { family, sourceInstanceId, sourceImageId, sourceRegionId, ...own } = instance;
          const { devices, platform, osType, architecture, sharedWith, isPublic, ...rest } = own;
          const id = ids[index] ?? '';
          await metadata.commit({
            putDocuments: [
              kind === 'image'
                ? { kind, record: { ...image, imageId: id } }
                : { kind, record: { ...rest, instanceId: id, imageId: idOf('m', 1) } },
            ],
          });
        }
        throw new Error('the rest failed');
      });
    };

  it('and then fails is answered with what is there, when it is repeated', async () => {
    const { context } = await testControl();
    const ids = [idOf('i', 1), idOf('i', 2)];
    const call = run('RunInstances', [{ kind: 'instance' }, { kind: 'instance' }], ids);
    await expect(call(context)).rejects.toThrow('the rest failed');
    expect(await call(context)).toEqual({ InstanceIdSets: ids });
    const copy = run('CopyImage', [{ kind: 'image' }], [idOf('m', 7)]);
    await expect(copy(context)).rejects.toThrow('the rest failed');
    expect(await copy(context)).toEqual({ ImageId: idOf('m', 7) });
  });

  it('whose answer cannot be told from its ids names them', async () => {
    const { context } = await testControl();
    const call = run('ImportImage', [{ kind: 'image' }], [idOf('m', 8)]);
    await expect(call(context)).rejects.toThrow('the rest failed');
    await expect(call(context)).rejects.toThrow(/LastTokenProcessing.*it made m-0+8/);
  });
});
