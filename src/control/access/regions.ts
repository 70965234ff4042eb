/**
 * DATA: the regions there are, their zones, and what disk encryption can do in each.
 *
 * A zone is named after its region: cn-hangzhou-b, ap-southeast-1a.
 */
import { PlaneError } from '../../base/errors.ts';

/** full: user keys too; serviceKeyOnly: no choice of key; none: nothing can be encrypted. */
export type RegionEncryption = 'full' | 'serviceKeyOnly' | 'none';

export interface Region {
  readonly regionId: string;
  readonly localName: string;
  /** Letters of the zones. */
  readonly zones: string;
  readonly encryption: RegionEncryption;
  /** Why encryption is less than full, and who says so; empty if it is full. */
  readonly because: string;
  readonly source: string;
}

const OVERVIEW = 'ECS disk encryption, Limits';

function region(regionId: string, localName: string, zones: string): Region {
  return { regionId, localName, zones, encryption: 'full', because: '', source: '' };
}

export const REGIONS: readonly Region[] = [
  region('cn-qingdao', 'China (Qingdao)', 'abc'),
  region('cn-beijing', 'China (Beijing)', 'abcdefghijkl'),
  region('cn-zhangjiakou', 'China (Zhangjiakou)', 'abc'),
  region('cn-huhehaote', 'China (Hohhot)', 'ab'),
  region('cn-wulanchabu', 'China (Ulanqab)', 'abc'),
  region('cn-hangzhou', 'China (Hangzhou)', 'abcdefghijk'),
  region('cn-shanghai', 'China (Shanghai)', 'abcdefghlmn'),
  {
    ...region('cn-nanjing', 'China (Nanjing - Local Region)', 'a'),
    encryption: 'none',
    because: 'the region offers no disk encryption',
    source: OVERVIEW,
  },
  {
    ...region('cn-fuzhou', 'China (Fuzhou - Local Region)', 'a'),
    encryption: 'serviceKeyOnly',
    because: 'the region offers encryption under the service key alone',
    source: OVERVIEW,
  },
  region('cn-shenzhen', 'China (Shenzhen)', 'abcdef'),
  region('cn-heyuan', 'China (Heyuan)', 'ab'),
  region('cn-guangzhou', 'China (Guangzhou)', 'ab'),
  region('cn-chengdu', 'China (Chengdu)', 'ab'),
  region('cn-hongkong', 'China (Hong Kong)', 'abcd'),
  region('ap-southeast-1', 'Singapore', 'abc'),
  region('ap-southeast-3', 'Malaysia (Kuala Lumpur)', 'abc'),
  region('ap-southeast-5', 'Indonesia (Jakarta)', 'abc'),
  region('ap-southeast-6', 'Philippines (Manila)', 'ab'),
  {
    ...region('ap-southeast-7', 'Thailand (Bangkok)', 'a'),
    encryption: 'serviceKeyOnly',
    because: 'the region offers encryption under the service key alone',
    source: OVERVIEW,
  },
  region('ap-northeast-1', 'Japan (Tokyo)', 'abc'),
  {
    ...region('ap-northeast-2', 'South Korea (Seoul)', 'a'),
    encryption: 'none',
    because: 'the region offers no disk encryption',
    source: OVERVIEW,
  },
  region('us-west-1', 'US (Silicon Valley)', 'ab'),
  region('us-east-1', 'US (Virginia)', 'ab'),
  region('eu-central-1', 'Germany (Frankfurt)', 'abc'),
  region('eu-west-1', 'UK (London)', 'ab'),
  region('me-east-1', 'UAE (Dubai)', 'a'),
  region('me-central-1', 'SAU (Riyadh)', 'ab'),
];

const REGION_BY_ID: ReadonlyMap<string, Region> = new Map(
  REGIONS.map((each) => [each.regionId, each]),
);

/** @throws PlaneError InvalidRegionId.NotFound */
export function findRegion(regionId: string): Region {
  const found = REGION_BY_ID.get(regionId);
  if (found !== undefined) return found;
  const shown = JSON.stringify(regionId.slice(0, 64));
  throw new PlaneError('InvalidRegionId.NotFound', `there is no region ${shown}`);
}

/** The zones of a region, in alphabetical order. */
export function zonesOf({ regionId, zones }: Region): string[] {
  const stem = /[0-9]$/.test(regionId) ? regionId : `${regionId}-`;
  return [...zones].map((letter) => stem + letter);
}
