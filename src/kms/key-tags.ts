/**
 * Tags of master keys. Those that begin with acs: are the cloud's: acs:ecs:disk-encryption=true
 * says that a key protects disks, and a user can neither set nor remove it.
 *
 * **Thread:** KMS. **Source:** KMS TagResource; ECS, policy AliyunECSDiskEncryptRolePolicy.
 */
import { PlaneError } from '../base/errors.ts';
import { KEY_TAG_CHARS_MAX, KEY_TAGS_MAX } from '../limits.ts';
import type { KeyDescription, KeyTag } from '../record/kms-key.ts';
import type { KmsRequestOf } from '../record/kms-message.ts';
import { shown } from './key-reference.ts';
import { stateAfter } from './key-states.ts';
import type { NamedKey, Vault } from './vault.ts';

const RESERVED = ['acs:', 'aliyun'];
const DISK_TAG: KeyTag = { key: 'acs:ecs:disk-encryption', value: 'true' };

const isReserved = (key: string): boolean => RESERVED.some((prefix) => key.startsWith(prefix));

/** @throws PlaneError InvalidParameter, Rejected.LimitExceeded: KEY_TAGS_MAX of the user */
export async function tagKeys(
  vault: Vault,
  request: KmsRequestOf<'tagKeys'>,
): Promise<KeyDescription[]> {
  checkTags(request.tags);
  const { accountId, regionId, keyIds } = request;
  return vault.transact((transaction) =>
    keyIds.map((keyId) => {
      const named = { accountId, regionId, keyId };
      return vault.changeIn(transaction, 'tag', named, (key) => withTags(key, request.tags));
    }),
  );
}

/** No error for a tag that is not there. @throws PlaneError InvalidParameter: not theirs */
export async function untagKeys(
  vault: Vault,
  request: KmsRequestOf<'untagKeys'>,
): Promise<KeyDescription[]> {
  const { accountId, regionId, keyIds, tagKeys: removed } = request;
  const reserved = removed?.find(isReserved);
  if (reserved !== undefined) throw reservedTag(reserved);
  const isKept = (tag: KeyTag): boolean =>
    isReserved(tag.key) || !(removed === null || removed.includes(tag.key));
  return vault.transact((transaction) =>
    keyIds.map((keyId) => {
      const named = { accountId, regionId, keyId };
      return vault.changeIn(transaction, 'untag', named, (key) => ({
        ...key,
        tags: key.tags.filter(isKept),
      }));
    }),
  );
}

/** A service key is for disks by its nature and bears no tag. */
export async function tagForDisks(vault: Vault, request: NamedKey): Promise<KeyDescription> {
  const key = vault.requireKey(vault.reader, request);
  stateAfter('use', key);
  const isTagged = key.tags.some((tag) => tag.key === DISK_TAG.key);
  if (key.isServiceKey || isTagged) return key;
  return vault.change('tag', request, (found) => merge(found, [DISK_TAG]));
}

/** @throws PlaneError InvalidParameter: what a user may not set */
export function checkTags(tags: readonly KeyTag[]): void {
  for (const { key, value } of tags) {
    if (isReserved(key)) throw reservedTag(key);
    if (key.length < 1 || key.length > KEY_TAG_CHARS_MAX || value.length > KEY_TAG_CHARS_MAX) {
      const limits = `1 to ${KEY_TAG_CHARS_MAX} characters, values up to ${KEY_TAG_CHARS_MAX}`;
      throw new PlaneError('InvalidParameter', `tags: expected keys of ${limits}: ${shown(key)}`);
    }
  }
  if (new Set(tags.map(({ key }) => key)).size !== tags.length) {
    throw new PlaneError('InvalidParameter', 'tags: expected every key once');
  }
}

/** @throws PlaneError Rejected.LimitExceeded: the tags of users alone are counted */
export function withTags(key: KeyDescription, tags: readonly KeyTag[]): KeyDescription {
  const tagged = merge(key, tags);
  const count = tagged.tags.filter((tag) => !isReserved(tag.key)).length;
  if (count > KEY_TAGS_MAX) {
    const detail = `${key.keyId} would have ${count} tags, at most ${KEY_TAGS_MAX}`;
    throw new PlaneError('Rejected.LimitExceeded', detail);
  }
  return tagged;
}

function merge(key: KeyDescription, tags: readonly KeyTag[]): KeyDescription {
  const merged = new Map([...key.tags, ...tags].map((tag) => [tag.key, tag]));
  const sorted = [...merged.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return { ...key, tags: sorted };
}

function reservedTag(key: string): PlaneError {
  return new PlaneError('InvalidParameter', `tags: ${shown(key)} is reserved for the cloud`);
}
