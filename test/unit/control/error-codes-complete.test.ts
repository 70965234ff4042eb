/**
 * That no code is forgotten: every code of errors.ts has a case, or another test that is named; and
 * every code of the cloud's error tables is answered, or there is a reason why it cannot be.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../../src/base/errors.ts';
import { httpStatusOf, OPERATION_STATUS_ROWS, STATUS_ROWS } from '../../../src/base/http-status.ts';
import { verbFacts } from '../../../src/control/call.ts';
import { NOT_ANSWERED, TESTED_ELSEWHERE } from './error-cases/elsewhere.ts';
import { ERROR_CASES } from './error-cases/index.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FACTS = `${ROOT}../shared/facts/alibaba-api.md`;
const CODES = Object.keys(ERROR_CODES);
const CASES = Object.values(ERROR_CASES).flat();
const covered = new Set<string>(CASES.map(({ code }) => code));
const elsewhere = TESTED_ELSEWHERE.flatMap(({ codes }) => codes as readonly string[]);
const notAnswered = NOT_ANSWERED.flatMap(({ codes }) => codes);

describe('every code of the table', () => {
  test.each(CODES)('%s has a case, or another test that is named: one of the two', (code) => {
    const places = [covered.has(code), elsewhere.includes(code)];
    expect(places.filter(Boolean)).toHaveLength(1);
  });

  test.each(TESTED_ELSEWHERE)('$test has $codes', ({ codes, test: path }) => {
    const text = readFileSync(`${ROOT}${path}`, 'utf8');
    expect(codes.filter((code) => !text.includes(code))).toEqual([]);
  });

  test('is in the lists once', () => {
    for (const list of [elsewhere, notAnswered]) expect(new Set(list).size).toBe(list.length);
    expect(notAnswered.filter((code) => CODES.includes(code))).toEqual([]);
  });

  test('has one HTTP status', () => {
    const rows = STATUS_ROWS.flatMap(({ codes }) => codes);
    expect(new Set(rows).size).toBe(rows.length);
    for (const code of CODES) {
      const status = httpStatusOf(code as keyof typeof ERROR_CODES, '');
      expect([400, 403, 404, 409, 413, 429, 500, 503]).toContain(status);
    }
  });

  test('has other statuses of operations that differ from its own', () => {
    for (const { code, status, operations } of OPERATION_STATUS_ROWS) {
      expect(httpStatusOf(code, ''), code).not.toBe(status);
      for (const operation of operations) expect(httpStatusOf(code, operation)).toBe(status);
    }
  });
});

test('cases have names of their own', () => {
  const names = CASES.map(({ verb, code, when }) => `${verb} ${code} ${when}`);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test('most verbs that change something have a case', () => {
  const tried = new Set(CASES.map(({ verb }) => verb as string));
  const writes = verbFacts().filter(({ access }) => access === 'write');
  expect(writes.filter(({ name }) => tried.has(name)).length).toBeGreaterThan(writes.length / 2);
});

describe.skipIf(!existsSync(FACTS))('the cloud’s error tables (../shared)', () => {
  const text = existsSync(FACTS) ? readFileSync(FACTS, 'utf8') : '';
  const section = text.slice(text.indexOf('\n# C. Errors'), text.indexOf('\n# D. '));
  const named = new Set(section.match(/\b[A-Z]\w+(?:\.[A-Z]\w+)+\b/g));
  /** A prefix the text speaks of, which is no code. */
  named.delete('InvalidParameter.KMSKeyId');

  test('are read', () => {
    expect(named.size).toBeGreaterThan(80);
  });

  test.each([...named])('%s is answered, or is in the list of those that are not', (code) => {
    const places = [covered.has(code), elsewhere.includes(code), notAnswered.includes(code)];
    expect(places.filter(Boolean)).toHaveLength(1);
  });
});
