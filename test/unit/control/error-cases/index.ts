/** Every case, by domain. */
import type { ErrorCase } from '../../../support/error-world.ts';
import { ACCESS_CASES } from './access.ts';
import { ATTACHMENT_CASES } from './attachments.ts';
import { DISK_CASES } from './disks.ts';
import { ENCRYPTION_CASES } from './encryption.ts';
import { IMAGE_CASES } from './images.ts';
import { INSTANCE_CASES } from './instances.ts';
import { KEY_CASES } from './keys.ts';
import { MASTER_KEY_CASES } from './master-keys.ts';
import { SNAPSHOT_CASES } from './snapshots.ts';

export const ERROR_CASES: Readonly<Record<string, readonly ErrorCase[]>> = {
  disks: DISK_CASES,
  attachments: ATTACHMENT_CASES,
  instances: INSTANCE_CASES,
  encryption: ENCRYPTION_CASES,
  snapshots: SNAPSHOT_CASES,
  images: IMAGE_CASES,
  keys: KEY_CASES,
  'master keys of disks': MASTER_KEY_CASES,
  access: ACCESS_CASES,
};
