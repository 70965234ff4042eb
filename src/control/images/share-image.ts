/**
 * ModifyImageSharePermission and DescribeImageSharePermission: who else may use an image.
 *
 * The other accounts see it under its own id, and may make instances and copies of it; under
 * another key if it is encrypted. What they made stays when the sharing ends: until nothing in it
 * needs the owner's key any more, the sharing cannot be ended.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { IMAGE_ACCOUNTS_PER_CALL_MAX, IMAGE_SHARES_MAX } from '../../limits.ts';
import { scopeGroup } from '../../meta/documents.ts';
import type { ImageRecord } from '../../record/document.ts';
import { isScopeId } from '../../record/ids.ts';
import type { ControlContext } from '../context.ts';
import { requireQuota } from '../quotas.ts';
import { idSchema, pageEntries, pageWindow } from '../schemas.ts';
import { checkHandover, checkNothingNeeds, checkRecipient } from '../snapshots/handover.ts';
import { findImage } from './find-image.ts';
import { checkImageUse } from './image-rules.ts';
import { snapshotsBehind } from './status.ts';
import type { ImageVerbs } from './types.ts';

const accountListSchema = v.pipe(
  v.array(v.pipe(v.string(), v.check(isScopeId, 'an account id'))),
  v.minLength(1),
  v.maxLength(IMAGE_ACCOUNTS_PER_CALL_MAX),
);

export const shareImageSchema = v.strictObject({
  ImageId: idSchema,
  AddAccount: v.optional(accountListSchema),
  RemoveAccount: v.optional(accountListSchema),
  IsPublic: v.optional(v.boolean()),
});

export const imageSharesSchema = v.strictObject({ ...pageEntries, ImageId: idSchema });

export function shareImage(
  context: ControlContext,
  parameters: ImageVerbs['ModifyImageSharePermission']['parameters'],
): Promise<ImageVerbs['ModifyImageSharePermission']['result']> {
  const { ImageId, AddAccount, RemoveAccount, IsPublic } = parameters;
  // The recipients are held too, for the sake of their quotas.
  const recipients = (AddAccount ?? []).map((accountId) => `account/${accountId}`);
  return context.locks.hold([ImageId, ...recipients], async () => {
    const found = findImage(context, ImageId);
    checkImageUse(context, 'ModifyImageSharePermission', found);
    if (AddAccount === undefined && RemoveAccount === undefined && IsPublic === undefined) {
      throw new PlaneError(
        'MissingParameter',
        'ModifyImageSharePermission needs AddAccount, RemoveAccount or IsPublic',
      );
    }
    const { image } = found;
    const sharedWith = changedAccounts(context, image, AddAccount ?? [], RemoveAccount ?? []);
    if (AddAccount !== undefined || IsPublic === true) {
      await checkShareable(context, image, IsPublic === true);
    }
    context.passValidation();
    const record = { ...image, sharedWith, isPublic: IsPublic ?? image.isPublic };
    await context.metadata.commit({ putDocuments: [{ kind: 'image', record }] });
    return {};
  });
}

export async function describeImageShares(
  context: ControlContext,
  parameters: ImageVerbs['DescribeImageSharePermission']['parameters'],
): Promise<ImageVerbs['DescribeImageSharePermission']['result']> {
  const { ImageId } = parameters;
  const found = findImage(context, ImageId);
  checkImageUse(context, 'ModifyImageAttribute', found);
  const { PageNumber, PageSize, skip } = pageWindow(parameters);
  const { sharedWith } = found.image;
  const Accounts = sharedWith.slice(skip, skip + PageSize).map((AliyunId) => ({ AliyunId }));
  return { ImageId, TotalCount: sharedWith.length, PageNumber, PageSize, Accounts };
}

/**
 * @throws PlaneError InvalidAccount.NotFound, InvalidAccount.Forbbiden, InvalidParameter.Conflict,
 *   QuotaExceed.ShareImage, QuotaExceed.ShareImageUser, InvalidOperation.Conflict
 */
function changedAccounts(
  context: ControlContext,
  image: ImageRecord,
  added: readonly string[],
  removed: readonly string[],
): string[] {
  const accounts = new Set(image.sharedWith);
  for (const accountId of removed) {
    if (!accounts.delete(accountId)) {
      throw new PlaneError(
        'InvalidAccount.NotFound',
        `${image.imageId} is not shared with ${accountId}`,
      );
    }
    for (const { snapshotId } of snapshotsBehind(context, image)) {
      checkNothingNeeds(context, snapshotId, accountId);
    }
  }
  for (const accountId of added) {
    if (removed.includes(accountId)) {
      throw new PlaneError(
        'InvalidParameter.Conflict',
        `account ${accountId} is to be added and to be removed`,
      );
    }
    checkRecipient(context, accountId);
    if (!accounts.has(accountId)) {
      const group = `shared/${scopeGroup(accountId, image.regionId)}`;
      const { total } = context.metadata.listDocuments('image', group, 0, 1);
      requireQuota({ ...context, accountId }, 'imagesSharedWith', total + 1);
    }
    accounts.add(accountId);
  }
  if (accounts.size <= IMAGE_SHARES_MAX) return [...accounts].sort();
  throw new PlaneError(
    'QuotaExceed.ShareImage',
    `${image.imageId} would be shared with ${accounts.size} accounts, at most ${IMAGE_SHARES_MAX}`,
  );
}

/**
 * @throws PlaneError OperationDeined.FullImage, OperationDeined.EncryptedSnapshot, AssumeRoleError,
 *   the codes of master keys, and what the sharing rules refuse with
 */
async function checkShareable(
  context: ControlContext,
  image: ImageRecord,
  isForEverybody: boolean,
): Promise<void> {
  const { imageId } = image;
  const snapshots = snapshotsBehind(context, image);
  for (const { encryption } of snapshots) {
    const request = { operation: 'share', resource: 'image', id: imageId, encryption } as const;
    await checkHandover(context, request);
  }
  if (snapshots.every(({ encryption }) => encryption === null)) return;
  if (snapshots.length > 1) {
    throw new PlaneError(
      'OperationDeined.FullImage',
      `${imageId} is encrypted and of ${snapshots.length} snapshots: only one can be shared`,
    );
  }
  if (isForEverybody) {
    throw new PlaneError(
      'OperationDeined.EncryptedSnapshot',
      `${imageId} is encrypted: it can be shared with accounts, but not with everybody`,
    );
  }
}
