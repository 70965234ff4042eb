/**
 * Pages of records: by number, or by token, as the cloud offers both.
 *
 * A filter that an index answers costs what its page costs. Any other is tried on every record the
 * index gives: those of the caller's account in its region, and of no other.
 */
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';
import { MAX_RESULTS_MAX, PAGE_SIZE_DEFAULT } from '../limits.ts';
import type { FacetFilter, Listing } from '../meta/metadata.ts';
import type { Tag } from './access/types.ts';
import type { Page, PageResult } from './paging.ts';
import { pageEntries, pageWindow } from './schemas.ts';

export interface TokenPage extends Page {
  readonly NextToken?: string;
  readonly MaxResults?: number;
}

export interface TokenPageResult extends PageResult {
  /** Empty on the last page, and unless NextToken or MaxResults was given. */
  readonly NextToken: string;
}

export const tokenPageEntries = {
  ...pageEntries,
  NextToken: v.optional(v.pipe(v.string(), v.maxLength(64))),
  MaxResults: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_RESULTS_MAX)),
  ),
};

export interface PageOf<T> extends TokenPageResult {
  readonly records: readonly T[];
}

/** Records read at once when each is looked at. */
const CHUNK = 1000;

/**
 * @param list what an index answers
 * @param matches null: all of them are wanted
 * @throws PlaneError InvalidParameter: NextToken is none of ours
 */
export function pageOf<T>(
  parameters: TokenPage,
  list: (skip: number, limit: number) => Listing<T>,
  matches: ((record: T) => boolean) | null,
): PageOf<T> {
  const byToken = parameters.NextToken !== undefined || parameters.MaxResults !== undefined;
  const window = pageWindow(parameters);
  const skip = byToken ? readToken(parameters.NextToken) : window.skip;
  const limit = byToken ? (parameters.MaxResults ?? PAGE_SIZE_DEFAULT) : window.PageSize;
  const { total, records } =
    matches === null ? list(skip, limit) : sift(list, matches, skip, limit);
  const end = skip + records.length;
  return {
    TotalCount: total,
    PageNumber: byToken ? 1 : window.PageNumber,
    PageSize: limit,
    NextToken: byToken && end < total ? writeToken(end) : '',
    records,
  };
}

function sift<T>(
  list: (skip: number, limit: number) => Listing<T>,
  matches: (record: T) => boolean,
  skip: number,
  limit: number,
): Listing<T> {
  const found: T[] = [];
  let total = 0;
  for (let at = 0; ; at += CHUNK) {
    const { records } = list(at, CHUNK);
    for (const record of records) {
      if (!matches(record)) continue;
      if (total >= skip && found.length < limit) found.push(record);
      total++;
    }
    if (records.length < CHUNK) return { total, records: found };
  }
}

function writeToken(skip: number): string {
  return Buffer.from(`after ${skip}`, 'latin1').toString('base64url');
}

function readToken(token: string | undefined): number {
  if (token === undefined || token === '') return 0;
  const match = /^after (\d{1,12})$/.exec(Buffer.from(token, 'base64url').toString('latin1'));
  if (match !== null) return Number(match[1]);
  throw new PlaneError('InvalidParameter', 'expected NextToken as the call before answered it');
}

/** A list already in memory, as an index would give it. */
export function listingOf<T>(all: readonly T[]): (skip: number, limit: number) => Listing<T> {
  return (skip, limit) => ({ total: all.length, records: all.slice(skip, skip + limit) });
}

/** A name, with * for any characters. Source: ECS DescribeDisks, parameter DiskName. */
export function matchesName(name: string, pattern: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

/** True if no index answers for it: a name with * in it, or none. */
export function isPattern(name: string | undefined): name is string {
  return name !== undefined && (name === '' || name.includes('*'));
}

interface FacetsAsked {
  readonly Status?: string | undefined;
  readonly Encrypted?: boolean | undefined;
  readonly Tag?: readonly Tag[] | undefined;
  readonly name: string | undefined;
  /** The status that means any. */
  readonly all: string;
}

/** What the filters of a Describe verb ask for that an index answers. */
export function facetsAsked({ Status, Encrypted, Tag, name, all }: FacetsAsked): FacetFilter {
  const tags = Tag?.map(({ Key, Value }) => ({
    key: Key,
    ...(Value === undefined ? {} : { value: Value }),
  }));
  return {
    ...(Status === undefined || Status === all ? {} : { status: Status }),
    ...(Encrypted === undefined ? {} : { isEncrypted: Encrypted }),
    ...(name === undefined || isPattern(name) ? {} : { name }),
    ...(tags === undefined ? {} : { tags }),
  };
}
