/** Tags as the Describe verbs take and show them. */
import type { Tag } from './access/types.ts';

export interface TagDescription {
  readonly TagKey: string;
  readonly TagValue: string;
}

export function describeTags(tags: Readonly<Record<string, string>>): TagDescription[] {
  return Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
}

/** Whether a resource has every tag asked for; a tag without a value is had with any. */
export function hasTags(tags: Readonly<Record<string, string>>, wanted: readonly Tag[]): boolean {
  return wanted.every(({ Key, Value }) =>
    Value === undefined ? Object.hasOwn(tags, Key) : tags[Key] === Value,
  );
}
