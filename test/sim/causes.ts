/**
 * Which errors a caller may be answered with: each has a cause the history has put there. An error
 * without a cause is a violation.
 */
import { PlaneError } from '../../src/base/errors.ts';
import type { PlaneProcess } from './plane-process.ts';

/** What has happened to the process that is open. */
export interface Mishaps {
  isShardLost: boolean;
  isKmsLost: boolean;
  isKeyDisabled: boolean;
  isFull: boolean;
  isClosing: boolean;
}

export function noMishaps(): Mishaps {
  return {
    isShardLost: false,
    isKmsLost: false,
    isKeyDisabled: false,
    isFull: false,
    isClosing: false,
  };
}

type Cause = (process: PlaneProcess, mishaps: Mishaps) => boolean;

const anyDisk =
  (has: (disk: PlaneProcess['threads'][number]['disk']) => boolean): Cause =>
  (process) =>
    process.threads.some(({ disk }) => has(disk));

const isKeyAway: Cause = (_, { isKeyDisabled }) => isKeyDisabled;

const CAUSES: Readonly<Record<string, Cause>> = {
  NoSpace: (_, { isFull }) => isFull,
  StoreFailed: (process) =>
    process.threads.some(({ disk: { errors } }) => errors.write + errors.sync > 0) ||
    process.isStoreFailed,
  // What recovery writes again may land on what it has yet to write again (believed-slots.ts).
  ReadFailed: anyDisk(({ errors, scars }) => errors.read > 0 || scars.isDamaged),
  ChecksumMismatch: anyDisk(({ scars }) => scars.isDamaged || scars.hasLostPages),
  ShardLost: (_, { isShardLost }) => isShardLost,
  KmsUnavailable: (_, { isKmsLost, isClosing }) => isKmsLost || isClosing,
  PlaneClosed: (_, { isClosing }) => isClosing,
  DiskClosed: (_, { isClosing }) => isClosing,
  'InvalidParameter.KMSKeyId.CMKNotEnabled': isKeyAway,
  'Rejected.Disabled': isKeyAway,
};

/** After these a verb may have done what it was to do. */
const UNKNOWN_OUTCOMES: ReadonlySet<string> = new Set([
  'StoreFailed',
  'ShardLost',
  'Busy',
  'NoSpace',
  'PlaneClosed',
  'KmsUnavailable',
]);

export function codeOf(error: unknown): string {
  return error instanceof PlaneError ? error.code : '';
}

export function isOutcomeUnknown(error: unknown): boolean {
  return UNKNOWN_OUTCOMES.has(codeOf(error));
}

/** @returns null, or what is wrong with an error a caller got */
export function causelessError(
  what: string,
  error: unknown,
  process: PlaneProcess,
  mishaps: Mishaps,
  also: readonly string[] = [],
): string | null {
  const code = codeOf(error);
  if (code === '') return `${what}: ${error instanceof Error ? error.stack : String(error)}`;
  if (also.includes(code) || CAUSES[code]?.(process, mishaps) === true) return null;
  return `${what} was refused without a cause: ${String(error)}`;
}
