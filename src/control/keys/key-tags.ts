/** Tags of master keys, one key at a time or many. Source: KMS API. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import { KEY_TAGS_MAX, PAGE_SIZE_MAX } from '../../limits.ts';
import type { KeyDescription } from '../../record/kms-key.ts';
import type { ControlContext } from '../context.ts';
import { callKms } from './call-kms.ts';
import {
  keyReferenceSchema,
  tagKeySchema,
  tagKeysSchema,
  tagsSchema,
  tagValueSchema,
} from './key-schemas.ts';
import type { KeyVerbs, ManyKeyTagVerbs } from './types.ts';

const resourceIds = v.pipe(v.array(keyReferenceSchema), v.minLength(1), v.maxLength(50));
const resourceType = v.literal('key');

export const tagResourceSchema = v.strictObject({ KeyId: keyReferenceSchema, Tags: tagsSchema });
export const untagResourceSchema = v.strictObject({
  KeyId: keyReferenceSchema,
  TagKeys: tagKeysSchema,
});
export const tagResourcesSchema = v.strictObject({
  ResourceType: resourceType,
  ResourceId: resourceIds,
  Tag: v.pipe(
    v.array(v.strictObject({ Key: tagKeySchema, Value: tagValueSchema })),
    v.minLength(1),
    v.maxLength(KEY_TAGS_MAX),
  ),
});
export const untagResourcesSchema = v.strictObject({
  ResourceType: resourceType,
  ResourceId: resourceIds,
  TagKey: v.optional(tagKeysSchema),
  All: v.optional(v.boolean()),
});
export const listTagResourcesSchema = v.strictObject({
  ResourceType: resourceType,
  ResourceId: v.optional(resourceIds),
  Tag: v.optional(
    v.pipe(
      v.array(v.strictObject({ Key: tagKeySchema, Value: v.optional(tagValueSchema) })),
      v.maxLength(KEY_TAGS_MAX),
    ),
  ),
  NextToken: v.optional(v.pipe(v.string(), v.regex(/^[0-9]{0,9}$/, 'a NextToken of before'))),
});

type Nothing = Record<string, never>;

export async function tagResource(
  context: ControlContext,
  { KeyId, Tags }: KeyVerbs['TagResource']['parameters'],
): Promise<Nothing> {
  const tags = Tags.map(({ TagKey, TagValue }) => ({ key: TagKey, value: TagValue }));
  await callKms(context, 'tagKeys', { keyIds: [KeyId], tags });
  return {};
}

export async function untagResource(
  context: ControlContext,
  { KeyId, TagKeys }: KeyVerbs['UntagResource']['parameters'],
): Promise<Nothing> {
  await callKms(context, 'untagKeys', { keyIds: [KeyId], tagKeys: TagKeys });
  return {};
}

export async function listResourceTags(
  context: ControlContext,
  { KeyId }: KeyVerbs['ListResourceTags']['parameters'],
): Promise<KeyVerbs['ListResourceTags']['result']> {
  const { keyId, tags } = await callKms(context, 'describeKey', { keyId: KeyId });
  const Tags = tags.map(({ key, value }) => ({ KeyId: keyId, TagKey: key, TagValue: value }));
  return { Tags };
}

export async function tagResources(
  context: ControlContext,
  { ResourceId, Tag }: ManyKeyTagVerbs['TagResources']['parameters'],
): Promise<Nothing> {
  const tags = Tag.map(({ Key, Value }) => ({ key: Key, value: Value }));
  await callKms(context, 'tagKeys', { keyIds: ResourceId, tags });
  return {};
}

/** @throws PlaneError MissingParameter: neither TagKey nor All=true */
export async function untagResources(
  context: ControlContext,
  { ResourceId, TagKey, All }: ManyKeyTagVerbs['UntagResources']['parameters'],
): Promise<Nothing> {
  if (TagKey === undefined && All !== true) {
    throw new PlaneError('MissingParameter', 'UntagResources needs TagKey, array, or All=true');
  }
  await callKms(context, 'untagKeys', { keyIds: ResourceId, tagKeys: TagKey ?? null });
  return {};
}

export async function listTagResources(
  context: ControlContext,
  parameters: ManyKeyTagVerbs['ListTagResources']['parameters'],
): Promise<ManyKeyTagVerbs['ListTagResources']['result']> {
  const { ResourceId, Tag = [], NextToken } = parameters;
  const keys = await callKms(context, 'listKeys', {});
  const isAsked = (key: KeyDescription): boolean =>
    (ResourceId === undefined || ResourceId.includes(key.keyId)) &&
    Tag.every(({ Key, Value }) =>
      key.tags.some((tag) => tag.key === Key && (Value === undefined || tag.value === Value)),
    );
  const all = keys.filter(isAsked).flatMap((key) =>
    key.tags.map((tag) => ({
      ResourceId: key.keyId,
      ResourceType: 'key' as const,
      TagKey: tag.key,
      TagValue: tag.value,
    })),
  );
  const begin = Number(NextToken ?? '');
  const end = begin + PAGE_SIZE_MAX;
  return { TagResources: all.slice(begin, end), NextToken: end < all.length ? String(end) : '' };
}
