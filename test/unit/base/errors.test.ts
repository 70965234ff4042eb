import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode, PlaneError } from '../../../src/base/errors.ts';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];

describe('PlaneError', () => {
  it('carries code, message, cause, and whether to try again', () => {
    const cause = new Error('ENOSPC');
    const error = new PlaneError('NoSpace', 'segment 3 of shard 1', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('PlaneError');
    expect(error.code).toBe('NoSpace');
    expect(error.message).toBe('NoSpace: segment 3 of shard 1');
    expect(error.retryable).toBe(true);
    expect(error.cause).toBe(cause);
  });

  it.each(codes)('crosses threads as data and comes back the same: %s', (code) => {
    const error = new PlaneError(code, 'disk d-1: expected 1, came 2');
    const back = PlaneError.fromRecord(structuredClone(error.toRecord()));
    expect(back).toBeInstanceOf(PlaneError);
    expect(back.code).toBe(code);
    expect(back.message).toBe(error.message);
    expect(back.retryable).toBe(ERROR_CODES[code].retryable);
  });

  it('leaves the code out of the record’s message', () => {
    const record = new PlaneError('OutOfRange', 'offset 9').toRecord();
    expect(record).toEqual({ code: 'OutOfRange', message: 'offset 9' });
  });
});

describe('the table of codes', () => {
  it.each(codes)('%s has a meaning in words and a fault', (code) => {
    const { meaning, fault } = ERROR_CODES[code];
    expect(meaning).toMatch(/ /);
    expect(['caller', 'system', 'transient']).toContain(fault);
  });

  it('has no transient code that is not worth another try', () => {
    const rows = codes.map((code) => ERROR_CODES[code]);
    expect(rows.filter(({ fault, retryable }) => fault === 'transient' && !retryable)).toEqual([]);
  });
});
