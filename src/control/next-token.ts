/** The other way to page: NextToken of one answer asks for the page after it. */
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';
import { PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from '../limits.ts';
import { pageEntries, pageWindow } from './schemas.ts';

export const tokenPageEntries = {
  ...pageEntries,
  MaxResults: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(PAGE_SIZE_MAX))),
  NextToken: v.optional(v.pipe(v.string(), v.maxLength(256))),
};

interface TokenPageWindow {
  readonly PageNumber: number;
  readonly PageSize: number;
  readonly skip: number;
}

/** @throws PlaneError InvalidParameter: the token is none of ours */
export function tokenPageWindow(page: {
  readonly PageNumber?: number;
  readonly PageSize?: number;
  readonly MaxResults?: number;
  readonly NextToken?: string;
}): TokenPageWindow {
  const { MaxResults, NextToken } = page;
  if (MaxResults === undefined && NextToken === undefined) return pageWindow(page);
  const PageSize = MaxResults ?? PAGE_SIZE_DEFAULT;
  return { PageNumber: 1, PageSize, skip: skipOf(NextToken ?? '') };
}

/** @returns empty on the last page */
export function nextToken({ skip, PageSize }: TokenPageWindow, total: number): string {
  const next = skip + PageSize;
  return next < total ? Buffer.from(`after ${next}`, 'utf8').toString('base64url') : '';
}

/** The empty token asks for the first page. */
function skipOf(token: string): number {
  if (token === '') return 0;
  const text = Buffer.from(token, 'base64url').toString('utf8');
  const found = /^after (\d{1,15})$/.exec(text);
  if (found !== null) return Number(found[1]);
  throw new PlaneError('InvalidParameter', 'expected NextToken to be that of an answer');
}
