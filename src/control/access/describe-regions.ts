/** DescribeRegions, DescribeZones: where things can be. */
import * as v from 'valibot';
import type { ControlContext } from '../context.ts';
import { findRegion, REGIONS, zonesOf } from './regions.ts';
import type { AccessVerbs } from './types.ts';

export const noParametersSchema = v.strictObject({});

export async function describeRegions(): Promise<AccessVerbs['DescribeRegions']['result']> {
  const Regions = REGIONS.map(({ regionId, localName }) => ({
    RegionId: regionId,
    LocalName: localName,
    RegionEndpoint: `ecs.${regionId}.aliyuncs.com`,
    Status: 'available' as const,
  }));
  return { Regions };
}

export async function describeZones(
  context: ControlContext,
): Promise<AccessVerbs['DescribeZones']['result']> {
  const region = findRegion(context.regionId);
  const Zones = zonesOf(region).map((ZoneId) => ({
    ZoneId,
    LocalName: `${region.localName} Zone ${ZoneId.slice(-1).toUpperCase()}`,
    ZoneType: 'AvailabilityZone' as const,
    AvailableResourceCreation: ['Disk', 'Instance'],
  }));
  return { Zones };
}
