/** Regions and zones: what there is, and that a call to anywhere else is refused. */
import { describe, expect, it } from 'vitest';
import { findRegion, REGIONS, zonesOf } from '../../../../src/control/access/regions.ts';
import { attachDisk } from '../../../../src/control/attach.ts';
import { callVerb } from '../../../../src/control/call.ts';
import { REGION_DEFAULT } from '../../../../src/limits.ts';
import { isScopeId } from '../../../../src/record/ids.ts';
import { testControl } from '../../../support/control-context.ts';
import { refusal } from './refusal.ts';

describe('regions', () => {
  it('have ids that are part of store keys, each once, and zones named after them', () => {
    const ids = REGIONS.map(({ regionId }) => regionId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !isScopeId(id))).toEqual([]);
    expect(ids).toContain(REGION_DEFAULT);
    for (const region of REGIONS) {
      const zones = zonesOf(region);
      expect(zones).toEqual([...new Set(zones)].sort());
      expect(zones.length).toBeGreaterThan(0);
      expect(zones.every((zone) => zone.startsWith(region.regionId) && isScopeId(zone))).toBe(true);
      expect(region.because === '').toBe(region.encryption === 'full');
    }
    expect(zonesOf(findRegion('cn-hangzhou'))[0]).toBe('cn-hangzhou-a');
    expect(zonesOf(findRegion('ap-southeast-1'))[0]).toBe('ap-southeast-1a');
  });

  it('without encryption, and without a choice of key, are those the document names', () => {
    const by = (encryption: string) =>
      REGIONS.filter((region) => region.encryption === encryption).map((each) => each.regionId);
    expect(by('none')).toEqual(['cn-nanjing', 'ap-northeast-2']);
    expect(by('serviceKeyOnly')).toEqual(['cn-fuzhou', 'ap-southeast-7']);
  });

  it('are described, and the zones of the one a call names', async () => {
    const { context } = await testControl();
    const { Regions } = await callVerb(context, context.principal, 'DescribeRegions', {});
    expect(Regions.map(({ RegionId }) => RegionId)).toEqual(REGIONS.map((each) => each.regionId));
    expect(Regions).toContainEqual({
      RegionId: 'cn-beijing',
      LocalName: 'China (Beijing)',
      RegionEndpoint: 'ecs.cn-beijing.aliyuncs.com',
      Status: 'available',
    });
    const zones = async (RegionId: string) =>
      (await callVerb(context, context.principal, 'DescribeZones', { RegionId } as never)).Zones;
    expect(await zones('ap-southeast-6')).toEqual([
      {
        ZoneId: 'ap-southeast-6a',
        LocalName: 'Philippines (Manila) Zone A',
        ZoneType: 'AvailabilityZone',
        AvailableResourceCreation: ['Disk', 'Instance'],
      },
      expect.objectContaining({ ZoneId: 'ap-southeast-6b' }),
    ]);
  });

  it('that do not exist are refused, in a call and in an attach', async () => {
    const { context } = await testControl();
    for (const RegionId of ['cn-atlantis', '', 'CN-HANGZHOU', '../meta', '__proto__']) {
      const call = () => callVerb(context, context.principal, 'DescribeDisks', { RegionId });
      expect(await refusal(call), RegionId).toBe('InvalidRegionId.NotFound');
    }
    const astray = { ...context.principal, regionId: 'cn-atlantis' };
    const attach = () => attachDisk(context, astray, 'd-any', async () => null);
    expect(await refusal(attach)).toBe('InvalidRegionId.NotFound');
  });

  it('hold what was made in them alone', async () => {
    const { context } = await testControl();
    const far = { RegionId: 'cn-beijing' };
    const { DiskId } = await callVerb(context, context.principal, 'CreateDisk', {
      Size: 20,
      ...far,
    });
    const resize = (where: object) => {
      const parameters = { DiskId, NewSize: 21, ...where };
      return refusal(() => callVerb(context, context.principal, 'ResizeDisk', parameters));
    };
    expect(await resize({})).toBe('InvalidDiskId.NotFound');
    expect(await resize(far)).toBe('not refused');
  });
});
