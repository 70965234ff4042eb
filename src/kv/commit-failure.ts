/**
 * What a failed commit of LMDB means: a full file system, or the end.
 *
 * lmdb-js reports them by the text of the root cause and a code that is not always the errno: where
 * a write was cut short by lack of space the code is EIO. Tried on Linux, lmdb 3.5, by strace and
 * on a full tmpfs:
 *
 *   fault                        root cause                                      later commits
 *   page written in part         code 5, "Input/output error"                    work, nothing lost
 *   page not written, ENOSPC     code 28, "...: Attempting to write page ..."    work, nothing lost
 *   page not written, EIO        code 5, "...: Attempting to write page ..."     seem to work
 *   meta page not written        the errno, nothing else                         never settle
 *   fdatasync                    the errno, nothing else                         seem to work
 *
 * So it is for lack of space if the text is of a page and the errno says so, or if there is no
 * space. Anything else may be an fdatasync: the system may have dropped what it could not write,
 * and the next one would report success (Rebello et al., USENIX ATC 2020).
 */
import { constants } from 'node:os';
import { STORE_FULL_BYTES } from '../limits.ts';

const PAGE_TEXT = /Attempting to write page/;

const SPACE_ERRNOS: ReadonlySet<number> = new Set([
  constants.errno.ENOSPC,
  constants.errno.EDQUOT,
  constants.errno.EFBIG,
]);

/** @param freeBytes of the file system, looked at after the failure; null: not known */
export function isForLackOfSpace(cause: unknown, freeBytes: number | null): boolean {
  const { code, message } = (cause ?? {}) as {
    readonly code?: unknown;
    readonly message?: unknown;
  };
  const isOfPage = PAGE_TEXT.test(String(message));
  if (isOfPage && typeof code === 'number' && SPACE_ERRNOS.has(code)) return true;
  return freeBytes !== null && freeBytes < STORE_FULL_BYTES;
}
