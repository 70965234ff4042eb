/** Shapes several verbs share. Lengths and ranges as the cloud's API documents them. */
import * as v from 'valibot';
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
export const descriptionSchema = v.pipe(v.string(), v.maxLength(DISK_DESCRIPTION_CHARS_MAX));
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
