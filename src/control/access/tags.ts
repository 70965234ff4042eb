/**
 * TagResources, UntagResources, ListTagResources: disks, snapshots, images and instances. Those of
 * keys are the KMS API's (keys/key-tags.ts).
 *
 * All resources of a request are changed in one transaction, or none is.
 */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import {
  TAGGED_PAGE_ENTRIES,
  TAGGED_RESOURCES_MAX,
  TAGGED_SCAN_MAX,
  TAGS_MAX,
} from '../../limits.ts';
import type { MetadataChange } from '../../meta/metadata.ts';
import type { ControlContext } from '../context.ts';
import { idSchema } from '../schemas.ts';
import { checkTagCount, checkTagKey, checkTags, isReservedKey } from './tag-rules.ts';
import { findTagged, listTagged, type TaggedResource } from './tagged.ts';
import type { AccessVerbs, Tag, TaggedVerbs, TagResource } from './types.ts';

type Nothing = Record<string, never>;

const typeSchema = v.picklist(['disk', 'snapshot', 'image', 'instance']);
const resourceIdsSchema = v.pipe(
  v.array(idSchema),
  v.minLength(1),
  v.maxLength(TAGGED_RESOURCES_MAX),
);
/** As CreateDisk and others take them too: tag-rules.ts says what a key and a value may be. */
export const tagsSchema = v.array(
  v.strictObject({ Key: v.string(), Value: v.optional(v.string()) }),
);

export const tagResourcesSchema = v.strictObject({
  ResourceType: typeSchema,
  ResourceId: resourceIdsSchema,
  Tag: v.pipe(tagsSchema, v.minLength(1)),
});
export const untagResourcesSchema = v.strictObject({
  ResourceType: typeSchema,
  ResourceId: resourceIdsSchema,
  TagKey: v.optional(v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(TAGS_MAX))),
  All: v.optional(v.boolean()),
});
export const listTagResourcesSchema = v.strictObject({
  ResourceType: typeSchema,
  ResourceId: v.optional(resourceIdsSchema),
  Tag: v.optional(v.pipe(tagsSchema, v.minLength(1), v.maxLength(TAGS_MAX))),
  NextToken: v.optional(v.string()),
});

export function tagResources(
  context: ControlContext,
  parameters: TaggedVerbs['TagResources'],
): Promise<Nothing> {
  const added = checkTags(parameters.Tag);
  return changeTags(context, parameters, ({ id, record }) => {
    const tags = { ...record.tags, ...added };
    const own = Object.keys(tags).filter((key) => !isReservedKey(key));
    checkTagCount(own.length, id);
    return tags;
  });
}

export async function untagResources(
  context: ControlContext,
  parameters: TaggedVerbs['UntagResources'],
): Promise<Nothing> {
  const { TagKey, All = false } = parameters;
  if (TagKey === undefined && !All) {
    throw new PlaneError('MissingParameter', 'UntagResources needs TagKey, or All');
  }
  for (const key of TagKey ?? []) checkTagKey(key);
  // TagKey says more than All. Source: ECS UntagResources, parameter All.
  const isRemoved = (key: string): boolean => TagKey?.includes(key) ?? !isReservedKey(key);
  return changeTags(context, parameters, ({ record }) =>
    Object.fromEntries(Object.entries(record.tags).filter(([key]) => !isRemoved(key))),
  );
}

export async function listTagResources(
  context: ControlContext,
  parameters: TaggedVerbs['ListTagResources'],
): Promise<AccessVerbs['ListTagResources']['result']> {
  const { ResourceType, ResourceId, Tag: filter = [], NextToken = '' } = parameters;
  const start = readToken(NextToken);
  const entriesOf = ({ id, record }: TaggedResource): TagResource[] =>
    matches(record.tags, filter)
      ? Object.entries(record.tags).map(([TagKey, TagValue]) => ({
          ResourceType,
          ResourceId: id,
          TagKey,
          TagValue,
        }))
      : [];
  if (ResourceId !== undefined) {
    const ids = [...new Set(ResourceId)];
    const found = ids.map((id) => findTagged(context, ResourceType, id));
    return { TagResources: found.flatMap(entriesOf), NextToken: '' };
  }
  const { total, records } = listTagged(context, ResourceType, start, TAGGED_SCAN_MAX);
  const TagResources: TagResource[] = [];
  let seen = 0;
  for (const resource of records) {
    if (TagResources.length >= TAGGED_PAGE_ENTRIES) break;
    TagResources.push(...entriesOf(resource));
    seen++;
  }
  const next = start + seen;
  return { TagResources, NextToken: next < total ? String(next) : '' };
}

function changeTags(
  context: ControlContext,
  { ResourceType, ResourceId }: Pick<TaggedVerbs['TagResources'], 'ResourceType' | 'ResourceId'>,
  tagsOf: (resource: TaggedResource) => Readonly<Record<string, string>>,
): Promise<Nothing> {
  return context.locks.hold(ResourceId, async () => {
    const ids = [...new Set(ResourceId)];
    const found = ids.map((id) => findTagged(context, ResourceType, id));
    const change = merged(found.map((resource) => resource.withTags(tagsOf(resource))));
    context.passValidation();
    await context.metadata.commit(change);
    return {};
  });
}

function merged(changes: readonly MetadataChange[]): MetadataChange {
  return {
    putDisks: changes.flatMap(({ putDisks }) => putDisks ?? []),
    putSnapshots: changes.flatMap(({ putSnapshots }) => putSnapshots ?? []),
    putDocuments: changes.flatMap(({ putDocuments }) => putDocuments ?? []),
  };
}

function matches(tags: Readonly<Record<string, string>>, filter: readonly Tag[]): boolean {
  return filter.every(
    ({ Key, Value }) => Object.hasOwn(tags, Key) && (Value === undefined || tags[Key] === Value),
  );
}

/** @throws PlaneError InvalidParameter: not a token of an answer */
function readToken(token: string): number {
  if (token === '') return 0;
  const start = /^[0-9]{1,15}$/.test(token) ? Number(token) : Number.NaN;
  if (Number.isSafeInteger(start)) return start;
  throw new PlaneError('InvalidParameter', 'expected NextToken as it came with the answer before');
}
