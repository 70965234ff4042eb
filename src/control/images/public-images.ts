/**
 * DATA: the images everybody may use in every region. Ours have an empty system disk: what would be
 * on it, no customer of a storage simulator runs.
 *
 * Their ids have the form of the cloud's own public images, not m-<20>.
 */
import { GIB } from '../../base/units.ts';
import type { ImageRecord } from '../../record/document.ts';

interface PublicImageRow {
  readonly imageId: string;
  readonly name: string;
  readonly family: string;
  readonly platform: string;
  readonly createdAt: number;
}

const PUBLIC_IMAGES: readonly PublicImageRow[] = [
  {
    imageId: 'aliyun_3_x64_20G_alibase_20250117.vhd',
    name: 'Alibaba Cloud Linux 3, 64 bit',
    family: 'acs:alibaba_cloud_linux_3_2104_lts_x64',
    platform: 'Aliyun',
    createdAt: Date.UTC(2025, 0, 17),
  },
  {
    imageId: 'debian_12_x64_20G_alibase_20250117.vhd',
    name: 'Debian 12, 64 bit',
    family: 'acs:debian_12_x64',
    platform: 'Debian',
    createdAt: Date.UTC(2025, 0, 17),
  },
  {
    imageId: 'ubuntu_24_04_x64_20G_alibase_20250117.vhd',
    name: 'Ubuntu 24.04, 64 bit',
    family: 'acs:ubuntu_24_04_x64',
    platform: 'Ubuntu',
    createdAt: Date.UTC(2025, 0, 17),
  },
];

/** Who public images belong to: no account a caller can have. */
const SYSTEM_ACCOUNT = 'system';

/** Public images as a region shows them, in the order of their ids. */
export function publicImages(regionId: string): ImageRecord[] {
  return PUBLIC_IMAGES.map((row) => ({
    ...row,
    accountId: SYSTEM_ACCOUNT,
    regionId,
    description: '',
    tags: {},
    status: 'Available',
    devices: [{ device: '/dev/xvda', type: 'system', sizeBytes: 20 * GIB, snapshotId: null }],
    sourceInstanceId: null,
    sourceImageId: null,
    sourceRegionId: null,
    osType: 'linux',
    architecture: 'x86_64',
    sharedWith: [],
    isPublic: true,
  }));
}
