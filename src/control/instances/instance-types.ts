/** DATA: instance types, as far as disks ask: which families take no encrypted disk. */
import { PlaneError } from '../../base/errors.ts';

/** Source: ECS disk encryption, Limits. */
export const FAMILIES_WITHOUT_ENCRYPTION: readonly string[] = [
  'ecs.ebmg5',
  'ecs.ebmgn5t',
  'ecs.ebmi3',
  'ecs.sccg5',
  'ecs.scch5',
  'ecs.ebmc4',
  'ecs.ebmhfg5',
];

const TYPE = /^ecs\.[a-z0-9-]+(\.[a-z0-9-]+)+$/;

/** ecs.g7 of ecs.g7.large. */
export function familyOf(instanceType: string): string {
  return instanceType.split('.').slice(0, 2).join('.');
}

/**
 * Source: ECS RunInstances, IoOptimized.NotSupported.
 *
 * @throws PlaneError IoOptimized.NotSupported
 */
export function checkIoOptimized(ioOptimized: string | undefined, hasEncryptedDisk: boolean): void {
  if (!hasEncryptedDisk || ioOptimized !== 'none') return;
  const detail = 'an encrypted disk needs an I/O optimized instance, got IoOptimized none';
  throw new PlaneError('IoOptimized.NotSupported', detail);
}

/**
 * @throws PlaneError InvalidInstanceType.ValueNotSupported,
 *   InvalidOperation.InstanceTypeNotSupport
 */
export function checkInstanceType(instanceType: string, hasEncryptedDisk: boolean): void {
  if (!TYPE.test(instanceType)) {
    const shown = JSON.stringify(instanceType.slice(0, 64));
    throw new PlaneError(
      'InvalidInstanceType.ValueNotSupported',
      `expected an instance type, as ecs.g7.large; got ${shown}`,
    );
  }
  const family = familyOf(instanceType);
  if (!hasEncryptedDisk || !FAMILIES_WITHOUT_ENCRYPTION.includes(family)) return;
  const detail = `instances of ${family} take no encrypted disks`;
  throw new PlaneError('InvalidOperation.InstanceTypeNotSupport', detail);
}
