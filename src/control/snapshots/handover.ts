/**
 * Whether something encrypted may be given to others: shared with an account, or exported. The
 * rules are those of encryption/sharing.ts; here are the facts they ask for.
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import type { Metadata } from '../../meta/metadata.ts';
import type { KeyDescription } from '../../record/kms-key.ts';
import type { EncryptionRecord } from '../../record/resource.ts';
import { hasRole } from '../access/roles.ts';
import type { ControlContext } from '../context.ts';
import { requireUsableKey } from '../encryption/check-key.ts';
import { type Handover, sharingRow } from '../encryption/sharing.ts';
import { toDiskError } from '../kms-errors.ts';

export interface HandoverRequest extends Pick<Handover, 'operation' | 'resource'> {
  readonly id: string;
  readonly encryption: EncryptionRecord | null;
}

/** The role ECS needs to share what is encrypted. */
const SHARING_ROLES = {
  snapshot: 'AliyunECSShareEncryptSnapshotDefaultRole',
  image: 'AliyunECSShareEncryptImageDefaultRole',
} as const;

/**
 * @throws PlaneError what the row of the sharing rules refuses with; AssumeRoleError;
 *   InvalidParameter.KMSKeyId.NotFound, InvalidParameter.KMSKeyId.CMKNotEnabled
 */
export async function checkHandover(
  context: ControlContext,
  { operation, resource, id, encryption }: HandoverRequest,
): Promise<void> {
  const key = await masterKeyOf(context, encryption);
  const kind = key === null ? 'plain' : key.isServiceKey ? 'service' : 'user';
  const { ruleSet } = context;
  const row = sharingRow({ ruleSet, operation, resource, encryption: kind });
  if (row.code !== null) throw new PlaneError(row.code, `${id}: ${row.because}`);
  if (operation !== 'share' || encryption === null) return;
  const role = SHARING_ROLES[resource];
  if (!hasRole(context, role)) {
    throw new PlaneError('AssumeRoleError', `sharing ${id}, which is encrypted, needs ${role}`);
  }
  await requireUsableKey(context, encryption);
}

/**
 * @throws PlaneError InvalidAccount.NotFound, InvalidAccount.Forbbiden: nobody shares with
 *   themselves
 */
export function checkRecipient(context: ControlContext, accountId: string): void {
  if (context.metadata.getDocument('account', accountId) === undefined) {
    const shown = JSON.stringify(accountId.slice(0, 64));
    throw new PlaneError('InvalidAccount.NotFound', `there is no account ${shown}`);
  }
  if (accountId !== context.accountId) return;
  throw new PlaneError('InvalidAccount.Forbbiden', `expected an account other than ${accountId}`);
}

/**
 * Whether something an account made of the snapshot still needs the owner's data key. Until its
 * data is encrypted anew it does, and then the snapshot stays shared: what was made of it must not
 * become unreadable.
 *
 * @throws PlaneError InvalidOperation.Conflict
 */
export function checkNothingNeeds(
  context: ControlContext,
  snapshotId: string,
  recipientId: string,
): void {
  const { metadata } = context;
  for (const id of lineageIds(metadata, snapshotId)) {
    const made = metadata.getDisk(id) ?? metadata.getSnapshot(id);
    if (made?.accountId !== recipientId) continue;
    const isNeeding = made.layers.some(
      ({ encryption }) => encryption !== null && encryption.accountId !== recipientId,
    );
    if (!isNeeding) continue;
    throw new PlaneError(
      'InvalidOperation.Conflict',
      `${id}, made of ${snapshotId} by ${recipientId}, is still being encrypted under its own key`,
    );
  }
}

/** Whatever is above or below it, page by page. */
function* lineageIds(metadata: Metadata, id: string): Generator<string> {
  const query = { subject: { kind: 'resource', id }, accountId: null, limit: 100 } as const;
  let page = metadata.lineagePage({ ...query, cursor: null });
  for (;;) {
    for (const entry of page.entries) yield entry.id;
    if (page.cursor === null) return;
    page = metadata.lineagePage({ ...query, cursor: page.cursor });
  }
}

async function masterKeyOf(
  context: ControlContext,
  encryption: EncryptionRecord | null,
): Promise<KeyDescription | null> {
  if (encryption === null) return null;
  const { keyId, accountId, regionId } = encryption;
  try {
    return await context.kms.call({ op: 'describeKey', keyId, accountId, regionId });
  } catch (error) {
    throw toDiskError(error);
  }
}
