/** RekeyDisk where it is not known whether the volume took the new layer, and where it may not. */
import { describe, expect, it, vi } from 'vitest';
import { type ErrorCode, PlaneError } from '../../../../src/base/errors.ts';
import { callVerb } from '../../../../src/control/call.ts';
import type { ControlContext } from '../../../../src/control/context.ts';
import { reconcile } from '../../../../src/control/reconcile.ts';
import type { VolumeLayer } from '../../../../src/record/shard-message.ts';
import { openMemoryStore } from '../../../../src/segment/memory-store.ts';
import { testControl } from '../../../support/control-context.ts';
import { type Caller, codeOf } from '../../../support/control-world.ts';
import { expectBytes } from '../../../support/expect-bytes.ts';
import { LayeredDisks } from '../../../support/layered-disks.ts';

async function rekeyWorld() {
  const control = await testControl();
  const pushed: VolumeLayer[] = [];
  let refusal: ErrorCode | null = null;
  const volumes: ControlContext['volumes'] = {
    ...control.context.volumes,
    pushLayer: async (_, layer) => {
      if (refusal !== null) throw new PlaneError(refusal, 'the test says so');
      pushed.push(layer);
    },
  };
  const reencrypt = vi.fn(async () => 't-aaaaaaaaaaaaaaaaaaaa');
  const tasks = { ...control.context.tasks, reencrypt };
  const context = { ...control.context, volumes, tasks };
  const call: Caller = (verb, parameters) => callVerb(context, context.principal, verb, parameters);
  const { KeyId } = (await call('CreateKey', {})).KeyMetadata;
  const { DiskId } = await call('CreateDisk', { Size: 20, Encrypted: true });
  const disk = () => context.metadata.getDisk(DiskId)!;
  const rekey = (code: ErrorCode | null) => {
    refusal = code;
    return codeOf(call('RekeyDisk', { DiskId, KMSKeyId: KeyId }));
  };
  return { control, context, call, disk, DiskId, KeyId, pushed, reencrypt, rekey };
}

describe('RekeyDisk', () => {
  it('names the new layer when the shard is Busy and may have it, and starts no task', async () => {
    const code = 'Busy';
    const { disk, KeyId, context, reencrypt, rekey, control } = await rekeyWorld();
    const former = disk();
    expect(await rekey(code)).toBe(code);
    const { layers, encryption } = disk();
    expect(layers.slice(1)).toEqual(former.layers);
    expect(encryption).toEqual(layers[0]?.encryption);
    expect(encryption?.keyId).toBe(KeyId);
    expect(reencrypt).not.toHaveBeenCalled();
    // What a crash leaves now is a disk whose trees all are named: none is removed.
    await reconcile(context);
    const retained = control.told.flatMap(({ request }) =>
      request.op === 'retainTrees' ? request.names : [],
    );
    for (const { tree } of layers) expect(retained).toContain(tree);
    // Asked again, it puts one more on top, and then all of it is moved.
    expect(await rekey(null)).toBe('it was not refused');
    expect(disk().layers.slice(1)).toEqual(layers);
    expect(reencrypt).toHaveBeenCalledTimes(1);
    expect(context.metadata.check()).toEqual([]);
  });

  it('goes on when the shard is lost: it opens the layers of the record again', async () => {
    const { disk, KeyId, reencrypt, rekey } = await rekeyWorld();
    const former = disk();
    expect(await rekey('ShardLost')).toBe('it was not refused');
    expect(disk().layers.slice(1)).toEqual(former.layers);
    expect(disk().encryption?.keyId).toBe(KeyId);
    expect(reencrypt).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['Rejected.Disabled', 'InvalidParameter.KMSKeyId.CMKNotEnabled'],
    ['NoSpace', 'NoSpace'],
  ] as const)('leaves the record as it was when the shard refuses with %s', async (code, told) => {
    const { disk, rekey, reencrypt } = await rekeyWorld();
    const former = disk();
    expect(await rekey(code)).toBe(told);
    expect(disk()).toEqual(former);
    expect(reencrypt).not.toHaveBeenCalled();
  });

  it('of a disk that was detached meanwhile goes on: an attach opens all layers', async () => {
    const { disk, rekey, reencrypt } = await rekeyWorld();
    expect(await rekey('DiskClosed')).toBe('it was not refused');
    expect(disk().layers).toHaveLength(2);
    expect(reencrypt).toHaveBeenCalledTimes(1);
  });

  it('of a disk whose data key was erased is refused: a new key brings nothing back', async () => {
    const { call, DiskId, disk, rekey } = await rekeyWorld();
    await call('EraseDataKey', { DiskId, Force: true });
    const former = disk();
    expect(await rekey(null)).toBe('DataKeyErased');
    expect(disk()).toEqual(former);
  });
});

describe('a layer that the record names and the open volume did not take', () => {
  it('loses nothing when another is put on top and all is moved there', () => {
    const disks = new LayeredDisks(openMemoryStore({ memoryLimitBytes: 64 * 1024 * 1024 }), 4);
    const bytes = Uint8Array.from({ length: 64 * 4096 }, (_, index) => (index * 7) & 0xff);
    disks.create('disk', false);
    disks.write('disk', 0, bytes);
    // The record was committed, the shard's answer never came.
    disks.records.set('disk', [{ tree: 'disk/1000', key: 1000 }, ...disks.records.get('disk')!]);
    bytes.fill(0xaa, 5000, 9000);
    disks.write('disk', 5000, bytes.subarray(5000, 9000));
    expectBytes(disks.read('disk', 0, bytes.length), bytes);
    disks.push('disk');
    expect(disks.layerCount('disk')).toBe(3);
    for (let steps = 0; !disks.step('disk', 8); steps++) {
      expect(steps).toBeLessThan(40);
      bytes.fill(steps, steps * 6000, steps * 6000 + 100);
      disks.write('disk', steps * 6000, bytes.subarray(steps * 6000, steps * 6000 + 100));
      expectBytes(disks.read('disk', 0, bytes.length), bytes);
    }
    expect(disks.layerCount('disk')).toBe(1);
    expectBytes(disks.read('disk', 0, bytes.length), bytes);
  });
});
