/**
 * DATA: what a tag may be. Applied to what users give; the cloud's own tags begin with acs:.
 *
 * **Source:** ECS TagResources, parameters Tag.N.Key and Tag.N.Value.
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { TAG_CHARS_MAX, TAGS_MAX } from '../../limits.ts';
import type { Tag } from './types.ts';

interface TextRule {
  readonly isBroken: (text: string) => boolean;
  readonly because: string;
}

const EVERY_TEXT: readonly TextRule[] = [
  {
    isBroken: (text) => text.length > TAG_CHARS_MAX,
    because: `it has at most ${TAG_CHARS_MAX} characters`,
  },
  {
    isBroken: (text) => /https?:\/\//i.test(text),
    because: 'it contains neither http:// nor https://',
  },
];

const KEY_RULES: readonly TextRule[] = [
  ...EVERY_TEXT,
  { isBroken: (key) => key === '', because: 'it is not empty' },
  {
    isBroken: (key) => /^(acs:|aliyun)/i.test(key),
    because: 'acs: and aliyun at its beginning are reserved',
  },
  // The codec of records renames it (ours, not the cloud's rule).
  { isBroken: (key) => key === '__proto__', because: 'the name __proto__ is reserved' },
];

const VALUE_RULES: readonly TextRule[] = [
  ...EVERY_TEXT,
  {
    isBroken: (value) => /^acs:/i.test(value),
    because: 'acs: at its beginning is reserved',
  },
];

/** Tags the cloud gave: users neither change nor remove them. */
export function isReservedKey(key: string): boolean {
  return /^acs:/i.test(key);
}

/**
 * The tags of a request, checked.
 *
 * @throws PlaneError InvalidTagKey.Malformed, InvalidTagValue.Malformed, Duplicate.TagKey,
 *   NumberExceed.Tags
 */
export function checkTags(given: readonly Tag[]): Readonly<Record<string, string>> {
  const tags = new Map<string, string>();
  for (const { Key, Value = '' } of given) {
    checkTagKey(Key);
    check(VALUE_RULES, Value, 'InvalidTagValue.Malformed');
    if (tags.has(Key)) {
      throw new PlaneError(
        'Duplicate.TagKey',
        `expected each tag key once, got ${shown(Key)} twice`,
      );
    }
    tags.set(Key, Value);
  }
  checkTagCount(tags.size, 'a request');
  return Object.fromEntries(tags);
}

/** @throws PlaneError InvalidTagKey.Malformed */
export function checkTagKey(key: string): void {
  check(KEY_RULES, key, 'InvalidTagKey.Malformed');
}

/** @throws PlaneError NumberExceed.Tags */
export function checkTagCount(count: number, holder: string): void {
  if (count <= TAGS_MAX) return;
  throw new PlaneError('NumberExceed.Tags', `${holder} has at most ${TAGS_MAX} tags, not ${count}`);
}

function check(rules: readonly TextRule[], text: string, code: ErrorCode): void {
  const broken = rules.find(({ isBroken }) => isBroken(text));
  if (broken !== undefined) throw new PlaneError(code, `${shown(text)}: ${broken.because}`);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, TAG_CHARS_MAX));
}
