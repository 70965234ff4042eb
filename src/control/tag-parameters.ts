/** Tags as callers give them: ECS, parameters Tag.N.Key and Tag.N.Value. */
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';
import { TAG_CHARS_MAX, TAGS_MAX } from '../limits.ts';

export interface TagParameter {
  readonly Key: string;
  readonly Value?: string;
}

export const tagListSchema = v.pipe(
  v.array(v.strictObject({ Key: v.string(), Value: v.optional(v.string()) })),
  v.maxLength(TAGS_MAX),
);

/** What the cloud keeps for itself. */
const RESERVED = /^(acs:|aliyun)|https?:\/\//i;

/** @throws PlaneError Duplicate.TagKey, InvalidTagKey.Malformed, InvalidTagValue.Malformed */
export function readTags(tags: readonly TagParameter[] | undefined): Record<string, string> {
  const read: Record<string, string> = {};
  for (const { Key, Value = '' } of tags ?? []) {
    if (Key === '' || Key.length > TAG_CHARS_MAX || RESERVED.test(Key)) {
      throw new PlaneError(
        'InvalidTagKey.Malformed',
        `expected a tag key of 1 to ${TAG_CHARS_MAX} characters that is not the cloud's own`,
      );
    }
    if (Value.length > TAG_CHARS_MAX) {
      const detail = `expected a tag value of at most ${TAG_CHARS_MAX} characters`;
      throw new PlaneError('InvalidTagValue.Malformed', detail);
    }
    if (Object.hasOwn(read, Key)) {
      throw new PlaneError('Duplicate.TagKey', `the tag key ${JSON.stringify(Key)} is given twice`);
    }
    read[Key] = Value;
  }
  return read;
}

export interface TagDescription {
  readonly TagKey: string;
  readonly TagValue: string;
}

export function describeTags(tags: Readonly<Record<string, string>>): TagDescription[] {
  return Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
}

/** Whether a resource has every tag asked for; a tag without a value is had with any. */
export function hasTags(
  tags: Readonly<Record<string, string>>,
  wanted: readonly TagParameter[],
): boolean {
  return wanted.every(({ Key, Value }) =>
    Value === undefined ? Object.hasOwn(tags, Key) : tags[Key] === Value,
  );
}
