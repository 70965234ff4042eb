/** The parameter Tag of verbs that make or list something, and Tags as results show them. */
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';
import { TAGS_MAX } from '../limits.ts';

export interface TagParameter {
  readonly Key: string;
  readonly Value?: string;
}

export interface TagDescription {
  readonly TagKey: string;
  readonly TagValue: string;
}

const textSchema = v.pipe(v.string(), v.maxLength(128));
export const tagListSchema = v.pipe(
  v.array(v.strictObject({ Key: textSchema, Value: v.optional(textSchema) })),
  v.maxLength(TAGS_MAX),
);

/** @throws PlaneError InvalidTagKey.Malformed, Duplicate.TagKey */
export function toTags(list: readonly TagParameter[] | undefined): Record<string, string> {
  const tags: [string, string][] = [];
  for (const { Key, Value } of list ?? []) {
    if (Key === '' || /^(acs:|aliyun)/.test(Key)) {
      throw new PlaneError(
        'InvalidTagKey.Malformed',
        `expected a tag key that is not empty, nor begins with acs: or aliyun; got ${JSON.stringify(Key)}`,
      );
    }
    if (tags.some(([key]) => key === Key)) {
      throw new PlaneError('Duplicate.TagKey', `the tag key ${JSON.stringify(Key)} is given twice`);
    }
    tags.push([Key, Value ?? '']);
  }
  return Object.fromEntries(tags);
}

export function describeTags(tags: Readonly<Record<string, string>>): TagDescription[] {
  return Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
}

/** True if every tag asked for is there; a tag asked for without a value may have any. */
export function hasTags(
  tags: Readonly<Record<string, string>>,
  asked: readonly TagParameter[],
): boolean {
  return asked.every(
    ({ Key, Value }) => Object.hasOwn(tags, Key) && (Value === undefined || tags[Key] === Value),
  );
}
