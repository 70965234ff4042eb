/** Service roles, and what is refused without them. */
import { describe, expect, it } from 'vitest';
import { fullAccount } from '../../../../src/control/access/accounts.ts';
import {
  hasRole,
  requireDiskRole,
  SERVICE_ROLES,
  type ServiceRole,
} from '../../../../src/control/access/roles.ts';
import { attachDisk } from '../../../../src/control/attach.ts';
import { callVerb } from '../../../../src/control/call.ts';
import { testControl } from '../../../support/control-context.ts';
import { refusal } from './refusal.ts';

async function controlWithRoles(roles: readonly string[]) {
  const control = await testControl();
  const { context } = control;
  const setRoles = (given: readonly string[]) => {
    const record = { ...fullAccount(context.accountId, 0), roles: given };
    return context.metadata.commit({ putDocuments: [{ kind: 'account', record }] });
  };
  await setRoles(roles);
  return { context, setRoles };
}

describe('a service role', () => {
  it.each(Object.keys(SERVICE_ROLES) as ServiceRole[])('%s is had or not', async (role) => {
    const { context } = await controlWithRoles([role]);
    expect(hasRole(context, role)).toBe(true);
    expect(hasRole({ ...context, accountId: '9' }, role)).toBe(false);
    const others = await controlWithRoles(Object.keys(SERVICE_ROLES).filter((o) => o !== role));
    expect(hasRole(others.context, role)).toBe(false);
  });

  it('is had by the account a plane opens with', async () => {
    const { context } = await testControl();
    for (const role of Object.keys(SERVICE_ROLES)) {
      expect(hasRole(context, role as ServiceRole)).toBe(true);
    }
    expect(() => requireDiskRole(context)).not.toThrow();
  });

  it('that is missing refuses encrypted disks, made or attached, not plain ones', async () => {
    const { context, setRoles } = await controlWithRoles(Object.keys(SERVICE_ROLES));
    const create = (Encrypted: boolean) =>
      callVerb(context, context.principal, 'CreateDisk', { Size: 20, Encrypted });
    const { DiskId } = await create(true);
    await setRoles([]);
    const code = 'InvalidParameter.KMSKeyId.KMSUnauthorized';
    expect(await refusal(() => create(true))).toBe(code);
    const attach = (diskId: string) =>
      attachDisk(context, context.principal, diskId, async (disk) => disk.diskId);
    expect(await refusal(() => attach(DiskId))).toBe(code);
    expect(context.metadata.getDisk(DiskId)?.status).toBe('Available');
    const plain = await create(false);
    expect(await attach(plain.DiskId)).toBe(plain.DiskId);
  });
});
