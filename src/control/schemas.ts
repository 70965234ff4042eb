/** Shapes several verbs share. Lengths and ranges as the cloud's API documents them. */
import * as v from 'valibot';
import type { ErrorCode } from '../base/errors.ts';
import { GIB } from '../base/units.ts';
import {
  DESCRIBE_IDS_MAX,
  DISK_BYTES_MAX,
  DISK_DESCRIPTION_CHARS_MAX,
  NAME_CHARS_MAX,
  PAGE_SIZE_DEFAULT,
  PAGE_SIZE_MAX,
  RESULTS_MAX,
  RETENTION_DAYS_MAX,
} from '../limits.ts';

/** An id as a caller gives it; find.ts says whether it names anything. */
export const idSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
export const idListSchema = v.pipe(
  v.array(idSchema),
  v.minLength(1),
  v.maxLength(DESCRIBE_IDS_MAX),
);
/** Of none: an empty answer, not everything. Source: ECS DescribeDisks, parameter DiskIds. */
export const anyIdListSchema = v.pipe(v.array(idSchema), v.maxLength(DESCRIBE_IDS_MAX));
/** Source: ECS CreateSnapshot, RetentionDays. */
export const retentionDaysSchema = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(RETENTION_DAYS_MAX),
);

/** What a parameter that names or describes something is expected to be, and the code if not. */
const MALFORMED = new Map<string, ErrorCode>();

/** The code a failed check is refused with, by the words of the check. */
export function codeOfCheck(words: string): ErrorCode | undefined {
  return MALFORMED.get(words);
}

/** Empty is always right: no name, no description. */
function named(code: ErrorCode, words: string, isRight: (text: string) => boolean) {
  MALFORMED.set(words, code);
  return v.pipe(
    v.string(),
    v.check((text) => text === '' || isRight(text), words),
  );
}

const NAME = /^\p{L}[\p{L}\p{M}\p{N}.:_-]{1,127}$/u;
/** Also brackets and commas: worker[1,3] of several instances. */
const INSTANCE_NAME = /^\p{L}[\p{L}\p{M}\p{N}.:_[\],-]{1,127}$/u;
const ADDRESS = /^https?:\/\//;
const SHAPE = '2 to 128 letters, digits and . : _ -, a letter first';

/** Source: ECS CreateDisk, parameter DiskName. */
export const diskNameSchema = named(
  'InvalidDiskName.Malformed',
  `a disk's name: ${SHAPE}`,
  (text) => NAME.test(text),
);
/** Source: ECS CreateSnapshot, parameter SnapshotName. */
export const snapshotNameSchema = named(
  'InvalidSnapshotName.Malformed',
  `a snapshot's name: ${SHAPE}, not beginning with auto`,
  (text) => NAME.test(text) && !text.startsWith('auto'),
);
/** Source: ECS RunInstances, parameter InstanceName. */
export const instanceNameSchema = named(
  'InvalidInstanceName.Malformed',
  `an instance's name: ${SHAPE}, and [ ] and commas`,
  (text) => INSTANCE_NAME.test(text),
);
/** Source: ECS CreateDisk, parameter Description. */
export const descriptionSchema = named(
  'InvalidDescription.Malformed',
  `2 to ${DISK_DESCRIPTION_CHARS_MAX} characters, not beginning with http:// or https://`,
  (text) => text.length >= 2 && isDescription(text),
);
/** Source: ECS ModifySnapshotAttribute, parameter Description. */
export const newDescriptionSchema = named(
  'InvalidDescription.Malformed',
  `at most ${DISK_DESCRIPTION_CHARS_MAX} characters, not beginning with http:// or https://`,
  isDescription,
);

function isDescription(text: string): boolean {
  return text.length <= DISK_DESCRIPTION_CHARS_MAX && !ADDRESS.test(text);
}

/** Of what has no name rules of its own, and of filters by name. */
export const nameSchema = v.pipe(v.string(), v.maxLength(NAME_CHARS_MAX));
/** images/image-names.ts judges it: with a code of its own. */
export const imageNameSchema = v.pipe(v.string(), v.maxLength(2 * NAME_CHARS_MAX));
/** Disk size in GiB: ECS CreateDisk, parameter Size. */
export const sizeSchema = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(DISK_BYTES_MAX / GIB),
);

const countSchema = v.pipe(v.number(), v.integer(), v.minValue(1));
export const pageEntries = {
  PageNumber: v.optional(v.pipe(countSchema, v.maxValue(Number.MAX_SAFE_INTEGER / PAGE_SIZE_MAX))),
  PageSize: v.optional(v.pipe(countSchema, v.maxValue(PAGE_SIZE_MAX))),
};

export const maxResultsSchema = v.pipe(countSchema, v.maxValue(RESULTS_MAX));

/** A NextToken as a verb of ours gives it: what is not of the form was not given by it. */
export function nextTokenSchema(form: RegExp) {
  return v.pipe(v.string(), v.maxLength(512), v.regex(form, 'a NextToken of this verb'));
}

/** UTC, with or without milliseconds: 2026-01-31T12:00:00Z. */
export const timeSchema = v.pipe(v.string(), v.isoTimestamp('a time as 2026-01-31T12:00:00Z'));

/** Which records a page holds. */
export interface PageWindow {
  readonly PageNumber: number;
  readonly PageSize: number;
  readonly skip: number;
}

/** ECS and KMS page from 1, ten to a page. */
export function pageWindow(page: {
  readonly PageNumber?: number;
  readonly PageSize?: number;
}): PageWindow {
  const PageNumber = page.PageNumber ?? 1;
  const PageSize = page.PageSize ?? PAGE_SIZE_DEFAULT;
  return { PageNumber, PageSize, skip: (PageNumber - 1) * PageSize };
}

/** Milliseconds since 1970, as the cloud prints them: 2026-01-31T12:00:00Z. */
export function isoSeconds(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
