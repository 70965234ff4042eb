/**
 * Which error number a client is told for what the library throws: the one place that maps them.
 *
 * proto.md, "Error values". What is not in the table is EIO.
 *
 * **Thread:** any.
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { ERRNO, type Errno } from './protocol.ts';
import type { Refusal } from './request.ts';

const NUMBERS: Partial<Record<ErrorCode, Errno>> = {
  OutOfRange: ERRNO.invalid,
  InvalidArgument: ERRNO.invalid,
  RequestTooLarge: ERRNO.invalid,
  NoSpace: ERRNO.noSpace,
  'InvalidDiskSize.TooLarge': ERRNO.noSpace,
  'InvalidDiskSize.TooSmall': ERRNO.notPermitted,
  DiskClosed: ERRNO.shutdown,
  PlaneClosed: ERRNO.shutdown,
};

/** @throws what is no PlaneError: a bug, not an answer */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof PlaneError)) throw error;
  return { errno: NUMBERS[error.code] ?? ERRNO.ioError, text: error.message };
}
