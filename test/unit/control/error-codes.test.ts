/**
 * Every code a verb can refuse with, by one real call each: the code, its HTTP status, what the
 * message names, and that nothing is changed but the audit log. The cases are in error-cases/, a
 * file a domain; that none is forgotten is held by error-codes-complete.test.ts.
 */
import { describe, expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { httpStatusOf } from '../../../src/base/http-status.ts';
import { type ErrorCase, errorWorld } from '../../support/error-world.ts';
import { dumpState } from '../../support/state-dump.ts';
import { ERROR_CASES } from './error-cases/index.ts';

describe.each(Object.entries(ERROR_CASES))('%s', (_, cases) => {
  const named = cases.map((row) => [`${row.verb}: ${row.when}`, row.code, row] as const);
  test.each(named)('%s: %s', { timeout: 120_000 }, async (_, __, row) => {
    await expectRefusal(row);
  });
});

async function expectRefusal(row: ErrorCase): Promise<void> {
  const world = await errorWorld(row);
  const { parameters, says, hides, by = {} } = await row.prepare(world);
  const before = dumpState(world.control);
  const error = await world.call(row.verb, parameters as never, by).then(
    (answer) => `it was done: ${JSON.stringify(answer)}`,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PlaneError);
  const { code, message } = error as PlaneError;
  expect(code, message).toBe(row.code);
  expect(httpStatusOf(code, row.verb), `${code} of ${row.verb}`).toBe(row.status);
  for (const text of says) expect(message).toContain(text);
  if (hides !== undefined) expect(message).not.toContain(hides);
  expect(message).not.toMatch(/undefined|NaN|\[object/);
  expect(dumpState(world.control)).toEqual(before);
}
