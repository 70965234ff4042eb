/** Commands that look at a data directory: they open it, and make none. */
import { existsSync } from 'node:fs';
import { ACCOUNT_DEFAULT } from '../limits.ts';
import type { Plane, PlaneSession } from '../types.ts';
import { UsageError } from './exit-codes.ts';
import { GRAPH_FORMATS, type GraphFormat } from './graph.ts';
import type { OpenPlane } from './load-targets.ts';

export interface DirectoryFlags {
  readonly dataDir: string;
  readonly rootKeyFile?: string;
  readonly json?: boolean;
}

/** @throws UsageError there is no such directory */
export function openExisting(openPlane: OpenPlane, flags: DirectoryFlags): Promise<Plane> {
  const { dataDir, rootKeyFile } = flags;
  if (!existsSync(dataDir)) throw new UsageError(`--data-dir: there is no directory ${dataDir}`);
  return openPlane(rootKeyFile === undefined ? { dataDir } : { dataDir, rootKeyFile });
}

/** Who asks: the account the plane opens with, unless the flags say otherwise. */
export interface CallerFlags {
  readonly account?: string;
  /** A RAM user of the account. */
  readonly as?: string;
  readonly region?: string;
}

/** The plane as the caller sees it. */
export function callerOf(plane: Plane, { account, as, region }: CallerFlags): PlaneSession {
  return plane.as({
    accountId: account ?? ACCOUNT_DEFAULT,
    ...(as === undefined ? {} : { userName: as }),
    ...(region === undefined ? {} : { regionId: region }),
  });
}

/** @throws UsageError not a format */
export function formatOf(format: string | undefined): GraphFormat {
  const known = GRAPH_FORMATS.find((each) => each === (format ?? 'text'));
  if (known !== undefined) return known;
  throw new UsageError(`--format: expected ${GRAPH_FORMATS.join(', ')}; got ${format}`);
}

/** Every page of a verb that pages by NextToken. */
export async function everyPage<P extends { readonly NextToken: string }>(
  page: (token: { readonly NextToken?: string; readonly MaxResults: number }) => Promise<P>,
): Promise<P[]> {
  const MaxResults = 500;
  const pages = [await page({ MaxResults })];
  for (let token = pages[0]!.NextToken; token !== ''; ) {
    const next = await page({ MaxResults, NextToken: token });
    pages.push(next);
    token = next.NextToken;
  }
  return pages;
}
