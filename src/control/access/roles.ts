/**
 * The service roles: what an account lets ECS do in its name.
 *
 * An account has a role or has not; there is nothing inside one here. The cloud makes them when a
 * user first agrees in the console, a plane has them from the beginning unless its world says
 * otherwise.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import type { Metadata } from '../../meta/metadata.ts';

/** Every service role there is, and what ECS may not do without it. */
export const SERVICE_ROLES = {
  AliyunECSDiskEncryptDefaultRole: 'use master keys of the account for its disks',
  AliyunECSShareEncryptImageDefaultRole: 'share encrypted images with other accounts',
  AliyunECSShareEncryptSnapshotDefaultRole: 'share encrypted snapshots with other accounts',
  AliyunECSImageExportDefaultRole: 'export images to object storage',
} as const;

export type ServiceRole = keyof typeof SERVICE_ROLES;

/** Whose roles are asked for. */
export interface RoleContext {
  readonly metadata: Pick<Metadata, 'getDocument'>;
  readonly accountId: string;
}

/** Whether the account of a call has a role; an account nobody knows has none. */
export function hasRole(context: RoleContext, role: ServiceRole): boolean {
  const account = context.metadata.getDocument('account', context.accountId);
  return account?.roles.includes(role) ?? false;
}

/**
 * For every verb that has ECS use a master key for a disk, a snapshot or an image.
 *
 * @throws PlaneError InvalidParameter.KMSKeyId.KMSUnauthorized
 */
export function requireDiskRole(context: RoleContext): void {
  if (hasRole(context, 'AliyunECSDiskEncryptDefaultRole')) return;
  throw new PlaneError(
    'InvalidParameter.KMSKeyId.KMSUnauthorized',
    `account ${context.accountId} has no role AliyunECSDiskEncryptDefaultRole`,
  );
}
