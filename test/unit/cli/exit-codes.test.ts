import { expect, test } from 'vitest';
import { ERROR_CODES, type ErrorCode, PlaneError } from '../../../src/base/errors.ts';
import { EXIT, exitCodeOf, UsageError } from '../../../src/cli/exit-codes.ts';

test('usage, failure and the unexpected have their codes', () => {
  expect(exitCodeOf(new UsageError('x'))).toBe(EXIT.usage);
  expect(exitCodeOf(new Error('x'))).toBe(EXIT.failed);
  expect(exitCodeOf('x')).toBe(EXIT.failed);
});

test('every error code has one, and none that is not documented', () => {
  const documented = new Set<number>(Object.values(EXIT));
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const exit = exitCodeOf(new PlaneError(code, 'x'));
    expect(documented.has(exit)).toBe(true);
    expect([EXIT.ok, EXIT.interrupted]).not.toContain(exit);
    // What names a rule of the cloud has a dot in it.
    if (code.includes('.')) expect(`${code} ${exit}`).toBe(`${code} ${EXIT.refused}`);
  }
});

test.each([
  ['JobFileInvalid', EXIT.usage],
  ['TraceInvalid', EXIT.usage],
  ['VerifyMismatch', EXIT.failed],
  ['NoSpace', EXIT.failed],
  ['DataDirectoryLocked', EXIT.cannotTell],
  ['CipherUnavailable', EXIT.cannotTell],
  ['Rejected.Disabled', EXIT.refused],
  ['IncorrectDiskStatus', EXIT.refused],
  ['IncorrectDestinationRegion', EXIT.refused],
  ['IncorrectTaskStatus', EXIT.refused],
  ['OperationConflict', EXIT.refused],
  ['UnsupportedParameter', EXIT.refused],
] as const)('%s ends with %d', (code, exit) => {
  expect(exitCodeOf(new PlaneError(code, 'x'))).toBe(exit);
});
