/** NextToken of the lineage verbs: where a page ended, as text that callers do not look into. */
import * as v from 'valibot';
import { PlaneError } from '../../base/errors.ts';
import type { LineageCursor } from '../../meta/metadata.ts';
import { isLineageId } from '../../record/ids.ts';
import { nextTokenSchema } from '../schemas.ts';

export const cursorSchema = nextTokenSchema(/^[A-Za-z0-9_-]+$/);

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const lineageId = v.pipe(v.string(), v.check(isLineageId));
const cursorShape = v.variant('phase', [
  v.strictObject({ phase: v.literal('up'), shown: count }),
  v.strictObject({ phase: v.literal('down'), parentId: lineageId, childId: lineageId }),
  v.strictObject({
    phase: v.literal('list'),
    section: count,
    last: v.pipe(v.string(), v.regex(/^[!-~]{1,128}$/)),
  }),
]);

/** @returns empty: there are no more pages */
export function encodeCursor(cursor: LineageCursor | null): string {
  return cursor === null ? '' : Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/** @throws PlaneError InvalidParameter: not a token that encodeCursor() made */
export function decodeCursor(token: string | undefined): LineageCursor | null {
  if (token === undefined) return null;
  const parsed = v.safeParse(cursorShape, parse(Buffer.from(token, 'base64url').toString()));
  if (parsed.success) return parsed.output;
  throw new PlaneError('InvalidParameter', 'expected NextToken as the page before answered it');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
