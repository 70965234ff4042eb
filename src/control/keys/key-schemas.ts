/** Shapes the verbs of the KMS share. Lengths and ranges as its API documents them. */
import * as v from 'valibot';
import {
  DESCRIPTION_CHARS_MAX,
  ENCRYPTION_CONTEXT_CHARS_MAX,
  KEY_TAG_CHARS_MAX,
  KEY_TAGS_MAX,
} from '../../limits.ts';
import type { EncryptionContext } from '../../record/kms-key.ts';

/** An id, an ARN, an alias, the ARN of an alias: the KMS says whether it names a key. */
export const keyReferenceSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(512));
export const keyIdSchema = v.strictObject({ KeyId: keyReferenceSchema });
export const descriptionSchema = v.pipe(v.string(), v.maxLength(DESCRIPTION_CHARS_MAX));
export const tagKeySchema = v.pipe(v.string(), v.minLength(1), v.maxLength(KEY_TAG_CHARS_MAX));
export const tagValueSchema = v.pipe(v.string(), v.maxLength(KEY_TAG_CHARS_MAX));
export const tagKeysSchema = v.pipe(
  v.array(tagKeySchema),
  v.minLength(1),
  v.maxLength(KEY_TAGS_MAX),
);
export const tagsSchema = v.pipe(
  v.array(v.strictObject({ TagKey: tagKeySchema, TagValue: tagValueSchema })),
  v.minLength(1),
  v.maxLength(KEY_TAGS_MAX),
);

/** Base64 of some bytes, as Buffer writes it. */
export function base64Schema(bytesMax: number): v.GenericSchema<string, string> {
  return v.pipe(
    v.string(),
    v.minLength(1),
    v.check((text) => toBase64(fromBase64(text)) === text, 'base64'),
    v.check((text) => fromBase64(text).length <= bytesMax, `at most ${bytesMax} bytes`),
  );
}

export const encryptionContextSchema: v.GenericSchema<EncryptionContext, EncryptionContext> =
  v.pipe(
    v.record(v.string(), v.string()),
    v.check(
      (context) => JSON.stringify(context).length <= ENCRYPTION_CONTEXT_CHARS_MAX,
      `at most ${ENCRYPTION_CONTEXT_CHARS_MAX} characters as JSON`,
    ),
  );

/** 365d, 31536000s. */
export const intervalSchema = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,12}[ds]$/, 'days or seconds, as in 365d or 31536000s'),
);

const SECOND_MS = 1_000;
const DAY_MS = 24 * 60 * 60 * SECOND_MS;

/** @param interval as intervalSchema has it */
export function intervalMs(interval: string): number {
  return Number(interval.slice(0, -1)) * (interval.endsWith('d') ? DAY_MS : SECOND_MS);
}

export function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
