/** A system disk belongs to its instance, attached or not. And the tasks of one call. */
import { describe, expect, it } from 'vitest';
import { NEW_INSTANCE, testCaller } from '../../../support/control-caller.ts';

describe('a detached system disk', () => {
  it('goes back to the instance it was of, and to no other', async () => {
    const { call, refused, control } = await testCaller();
    const [own, other] = [
      await call('CreateInstance', NEW_INSTANCE),
      await call('CreateInstance', NEW_INSTANCE),
    ];
    const systemOf = async ({ InstanceId }: { InstanceId: string }) =>
      (await call('DescribeDisks', { InstanceId })).Disks[0]?.DiskId ?? '';
    const [DiskId, otherDisk] = [await systemOf(own), await systemOf(other)];
    await call('DetachDisk', { DiskId, ...own });
    await call('DetachDisk', { DiskId: otherDisk, ...other });
    expect(control.context.metadata.getDisk(DiskId)).toMatchObject({ systemOf: own.InstanceId });
    expect(await refused('AttachDisk', { DiskId, ...other })).toBe('DiskTypeViolation');
    await call('AttachDisk', { DiskId, ...own });
    expect(await systemOf(own)).toBe(DiskId);
    await call('StartInstance', own);
    expect(await refused('StartInstance', other)).toBe('InvalidInstance.NotFoundSystemDisk');
    // Once more: what it is of does not change.
    await call('StopInstance', own);
    await call('DetachDisk', { DiskId, ...own });
    expect(await refused('AttachDisk', { DiskId, ...other })).toBe('DiskTypeViolation');
    await call('DeleteInstance', own);
    expect(await refused('AttachDisk', { DiskId, ...other })).toBe('DiskTypeViolation');
    await call('DeleteDisk', { DiskId });
    expect(control.context.metadata.check()).toEqual([]);
  });

  it('is a data disk’s to attach anywhere', async () => {
    const { call, control } = await testCaller();
    const [one, two] = [
      await call('CreateInstance', NEW_INSTANCE),
      await call('CreateInstance', NEW_INSTANCE),
    ];
    const disk = await call('CreateDisk', { Size: 20 });
    await call('AttachDisk', { ...disk, ...one });
    await call('DetachDisk', { ...disk, ...one });
    expect(control.context.metadata.getDisk(disk.DiskId)).not.toHaveProperty('systemOf');
    await call('AttachDisk', { ...disk, ...two });
  });
});

describe('DescribeTasks with TaskGroupId', () => {
  it('tells of the tasks of one call, those of others and of nothing left out', async () => {
    const { call } = await testCaller();
    const source = { DiskCategory: 'cloud_essd', PerformanceLevel: 'PL0', Size: 20 };
    const { DiskId } = await call('CreateDisk', source);
    const clone = { ...source, SourceDiskId: DiskId };
    const first = await call('CloneDisks', clone);
    const second = await call('CloneDisks', clone);
    const { Tasks, TotalCount } = await call('DescribeTasks', { ...first });
    expect(TotalCount).toBe(1);
    expect(Tasks[0]).toMatchObject({ ...first, TaskAction: 'CloneDisks' });
    const both = await call('DescribeTasks', { ...first, TaskIds: [second.TaskGroupId] });
    expect(both.TotalCount).toBe(0);
    const nothing = await call('DescribeTasks', { TaskGroupId: '../group' });
    expect(nothing.TotalCount).toBe(0);
    const abroad = await call('DescribeTasks', { ...first, RegionId: 'cn-beijing' });
    expect(abroad.TotalCount).toBe(0);
  });
});
