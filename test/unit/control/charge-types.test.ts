/** How instances and disks are billed: the table over its product, and the verbs. */
import { describe, expect, test } from 'vitest';
import {
  CHARGE_RULES,
  CHARGE_TYPES,
  CHARGED_TYPES,
  CHARGED_VERBS,
  type ChargeQuestion,
  matchChargeRules,
} from '../../../src/control/charge-types.ts';
import { NEW_INSTANCE, testCaller } from '../../support/control-caller.ts';

const PARTIES = [...CHARGE_TYPES, 'none'] as const;
const PRODUCT: ChargeQuestion[] = CHARGED_VERBS.flatMap((verb) =>
  PARTIES.flatMap((instance) =>
    PARTIES.flatMap((disk) => CHARGED_TYPES.map((use) => ({ verb, instance, disk, use }))),
  ),
);

/** Verbs on a disk name one, verbs on an instance one; attaching and billing a disk name both. */
function isAsked({ verb, instance, disk, use }: ChargeQuestion): boolean {
  const ofInstance = verb !== 'DeleteDisk';
  const ofDisk = !verb.startsWith('DeleteInstance');
  return (
    (instance !== 'none') === ofInstance &&
    (disk !== 'none') === ofDisk &&
    (use !== 'none') === ofDisk
  );
}

describe('the rules of billing', () => {
  test('have one row for everything that is asked, and none for what is not', () => {
    expect(PRODUCT).toHaveLength(135);
    const counts = PRODUCT.map((question) => matchChargeRules(question).length);
    expect(counts).toEqual(PRODUCT.map((question) => (isAsked(question) ? 1 : 0)));
  });

  test.each(CHARGE_RULES)('say why and by which document: $because', (row) => {
    expect(row.because.length).toBeGreaterThan(10);
    expect(row.source).toMatch(/^ECS /);
  });
});

async function subscriptionWorld() {
  const caller = await testCaller();
  const { call } = caller;
  const chargeOf = async (DiskId: string): Promise<string | undefined> =>
    (await call('DescribeDisks', { DiskIds: [DiskId] })).Disks[0]?.DiskChargeType;
  const wanted = { ...NEW_INSTANCE, InstanceChargeType: 'PrePaid' } as const;
  const { InstanceId } = await call('CreateInstance', { ...wanted, DataDisk: [{ Size: 20 }] });
  const { Disks } = await call('DescribeDisks', { InstanceId });
  return { ...caller, InstanceId, Disks, chargeOf };
}

describe('a subscription instance', () => {
  test('is shown as one, its disks too, and is found by it', async () => {
    const { call, InstanceId, Disks } = await subscriptionWorld();
    expect(Disks.map(({ DiskChargeType }) => DiskChargeType)).toEqual(['PrePaid', 'PrePaid']);
    const find = async (InstanceChargeType: 'PrePaid' | 'PostPaid') =>
      (await call('DescribeInstances', { InstanceChargeType })).Instances;
    expect(await find('PrePaid')).toMatchObject([{ InstanceId, InstanceChargeType: 'PrePaid' }]);
    expect(await find('PostPaid')).toEqual([]);
    expect((await call('DescribeDisks', { DiskChargeType: 'PrePaid' })).TotalCount).toBe(2);
    expect((await call('DescribeDisks', { DiskChargeType: 'PostPaid' })).TotalCount).toBe(0);
  });

  test('has data disks that are billed in another way and back, all of them or none', async () => {
    const { call, refused, InstanceId, chargeOf } = await subscriptionWorld();
    const { DiskId } = await call('CreateDisk', { Size: 20, InstanceId });
    expect(await chargeOf(DiskId)).toBe('PrePaid');
    const { DiskId: loose } = await call('CreateDisk', { Size: 20 });
    const change = { InstanceId, DiskIds: [DiskId], DiskChargeType: 'PostPaid' } as const;
    const both = { ...change, DiskIds: [DiskId, loose] };
    expect(await refused('ModifyDiskChargeType', both)).toBe('DependencyViolation');
    expect(await refused('ModifyDiskChargeType', { ...change, DryRun: true })).toBe(
      'DryRunOperation',
    );
    expect(await chargeOf(DiskId)).toBe('PrePaid');
    await call('ModifyDiskChargeType', change);
    expect(await chargeOf(DiskId)).toBe('PostPaid');
    await call('ModifyDiskChargeType', { InstanceId, DiskIds: [DiskId], AutoPay: true });
    expect(await chargeOf(DiskId)).toBe('PrePaid');
  });

  test('gives back a disk that is deleted once it is pay-as-you-go, not before', async () => {
    const { call, refused, InstanceId } = await subscriptionWorld();
    const { DiskId } = await call('CreateDisk', { Size: 20, InstanceId });
    await call('DetachDisk', { DiskId, InstanceId });
    expect(await refused('DeleteDisk', { DiskId })).toBe('ChargeTypeViolation');
    await call('AttachDisk', { DiskId, InstanceId });
    await call('ModifyDiskChargeType', {
      InstanceId,
      DiskIds: [DiskId],
      DiskChargeType: 'PostPaid',
    });
    await call('DetachDisk', { DiskId, InstanceId });
    await call('DeleteDisk', { DiskId });
  });

  test('keeps its way of billing and its group when its system disk is replaced', async () => {
    const { call, InstanceId, Disks, chargeOf } = await subscriptionWorld();
    const system = Disks.find(({ Type }) => Type === 'system')!.DiskId;
    const ResourceGroupId = 'rg-one';
    await call('JoinResourceGroup', { ResourceType: 'disk', ResourceId: system, ResourceGroupId });
    const { ImageId } = NEW_INSTANCE;
    const { DiskId } = await call('ReplaceSystemDisk', { InstanceId, ImageId });
    expect(await chargeOf(DiskId)).toBe('PrePaid');
    expect((await call('DescribeDisks', { ResourceGroupId })).Disks).toMatchObject([{ DiskId }]);
  });

  test('becomes pay-as-you-go with all its disks, and back with those asked for', async () => {
    const { call, InstanceId, Disks } = await subscriptionWorld();
    const charges = async (): Promise<string[]> =>
      (await call('DescribeDisks', { InstanceId })).Disks.map(
        ({ Type, DiskChargeType }) => `${Type} ${DiskChargeType}`,
      ).sort();
    expect(Disks).toHaveLength(2);
    const ids = { InstanceIds: [InstanceId] };
    await call('ModifyInstanceChargeType', { ...ids, InstanceChargeType: 'PostPaid' });
    expect(await charges()).toEqual(['data PostPaid', 'system PostPaid']);
    await call('ModifyInstanceChargeType', ids);
    expect(await charges()).toEqual(['data PostPaid', 'system PrePaid']);
    await call('ModifyInstanceChargeType', { ...ids, IncludeDataDisks: true });
    expect(await charges()).toEqual(['data PrePaid', 'system PrePaid']);
  });

  test('is deleted with TerminateSubscription, its disks with it, and not without', async () => {
    const { call, refused, InstanceId } = await subscriptionWorld();
    expect(await refused('DeleteInstance', { InstanceId })).toBe('ChargeTypeViolation');
    const several = { InstanceId: [InstanceId], TerminateSubscription: true };
    await call('DeleteInstances', several);
    expect((await call('DescribeDisks', {})).TotalCount).toBe(0);
  });
});
