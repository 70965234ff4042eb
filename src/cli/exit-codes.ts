/**
 * How the process ends, and which errors end it how. Documented in `sealdisk --help`.
 */
import { type ErrorCode, PlaneError } from '../base/errors.ts';

export const EXIT = {
  ok: 0,
  /** A job failed, a read did not return what was written, a check did not hold. */
  failed: 1,
  /** The command line, a job file or a trace is wrong. */
  usage: 2,
  /** The environment does not allow an answer. */
  cannotTell: 3,
  /** A rule of the cloud refused: a key's state, encryption, lineage. */
  refused: 4,
  /** SIGINT. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command line that asks for something there is not. Ends with EXIT.usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const USAGE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'JobFileInvalid',
  'TraceInvalid',
  'InvalidArgument',
  'MissingParameter',
  'UnknownVerb',
  'InvalidParameter',
]);

const CANNOT_TELL_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CipherUnavailable',
  'DataDirectoryLocked',
  'DataDirectoryForeign',
  'DataDirectoryVersion',
  'DataDirectoryUnusable',
  'RootKeyInvalid',
  'DebuggerOpen',
]);

/** Codes of the cloud's own rules that have no dot in them. */
const RULE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'IncorrectDiskStatus',
  'IncorrectTaskStatus',
  'OperationConflict',
  'IncorrectDestinationRegion',
  'ImageNotSupported',
  'UnsupportedOperation',
  'UnsupportedParameter',
]);

function isRule(code: ErrorCode): boolean {
  return code.includes('.') || RULE_CODES.has(code);
}

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage;
  if (!(error instanceof PlaneError)) return EXIT.failed;
  if (USAGE_CODES.has(error.code)) return EXIT.usage;
  if (CANNOT_TELL_CODES.has(error.code)) return EXIT.cannotTell;
  return isRule(error.code) ? EXIT.refused : EXIT.failed;
}
