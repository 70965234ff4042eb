/**
 * What may be asked of an export: one table of commands, and the one place that refuses.
 *
 * Checks come in the order of judge(); the first that fails is the answer. A request that passes
 * can be handled without a further look at it.
 *
 * proto.md, "Request types", "Error values"; obligations on errors: past the end a read, trim,
 * cache or block status is EINVAL, a write or write zeroes ENOSPC; on a read-only export every
 * change is EPERM; ENOTSUP only for FAST_ZERO; EOVERFLOW only where there is no payload.
 *
 * RESIZE is of an experimental extension (proto.md of the branch extension-resize). Where it was
 * not offered it is a command there is not; a size below the one there is is EPERM, as it says.
 *
 * **Thread:** any.
 */
import { REQUEST_BYTES_MAX } from '../../limits.ts';
import { COMMAND, COMMAND_FLAG, ERRNO, type Errno } from './protocol.ts';
import type { NbdRequest, Refusal } from './request.ts';

interface CommandRow {
  readonly command: number;
  readonly name: string;
  /** FUA may be set on any command ("Transmission flags", SEND_FUA). */
  readonly flags: number;
  readonly isChange: boolean;
  /** null: has no range. */
  readonly pastEnd: Errno | null;
  readonly tooLong: { readonly lengthMax: number; readonly errno: Errno } | null;
}

const { fua, noHole, df, requireOne, fastZero } = COMMAND_FLAG;
const MAX = REQUEST_BYTES_MAX;

/** DISC is not here: it has no reply, whatever comes with it. */
const COMMANDS: readonly CommandRow[] = [
  {
    command: COMMAND.read,
    name: 'READ',
    flags: fua | df,
    isChange: false,
    pastEnd: ERRNO.invalid,
    tooLong: { lengthMax: MAX, errno: ERRNO.overflow },
  },
  {
    command: COMMAND.write,
    name: 'WRITE',
    flags: fua,
    isChange: true,
    pastEnd: ERRNO.noSpace,
    tooLong: { lengthMax: MAX, errno: ERRNO.invalid },
  },
  {
    command: COMMAND.flush,
    name: 'FLUSH',
    flags: fua,
    isChange: false,
    pastEnd: null,
    tooLong: null,
  },
  {
    command: COMMAND.trim,
    name: 'TRIM',
    flags: fua,
    isChange: true,
    pastEnd: ERRNO.invalid,
    tooLong: null,
  },
  {
    command: COMMAND.cache,
    name: 'CACHE',
    flags: fua,
    isChange: false,
    pastEnd: ERRNO.invalid,
    tooLong: null,
  },
  {
    command: COMMAND.writeZeroes,
    name: 'WRITE_ZEROES',
    flags: fua | noHole | fastZero,
    isChange: true,
    pastEnd: ERRNO.noSpace,
    tooLong: null,
  },
  {
    command: COMMAND.resize,
    name: 'RESIZE',
    flags: fua,
    isChange: true,
    pastEnd: null,
    tooLong: null,
  },
  {
    command: COMMAND.blockStatus,
    name: 'BLOCK_STATUS',
    flags: fua | requireOne,
    isChange: false,
    pastEnd: ERRNO.invalid,
    tooLong: null,
  },
];

/** What the answer depends on besides the request. */
export interface ExportFacts {
  readonly size: number;
  readonly isReadOnly: boolean;
  readonly isStructured: boolean;
  readonly hasContexts: boolean;
  readonly canResize: boolean;
}

/** @returns null: it can be handled */
export function judge(request: NbdRequest, facts: ExportFacts): Refusal | null {
  const row = COMMANDS.find((candidate) => candidate.command === request.command);
  const isOffered = request.command !== COMMAND.resize || facts.canResize;
  if (row === undefined || !isOffered) return invalid(`command ${request.command} is unknown`);
  const { flags, offset, length } = request;
  if ((flags & ~row.flags) !== 0) return invalid(`flags ${flags} are not of ${row.name}`);
  if ((flags & df) !== 0 && !facts.isStructured) return invalid('DF needs structured replies');
  if (row.isChange && facts.isReadOnly) {
    return { errno: ERRNO.notPermitted, text: 'the export is read-only' };
  }
  if (request.command === COMMAND.resize) return judgeResize(request, facts);
  if (row.pastEnd === null) {
    return offset === 0 && length === 0 ? null : invalid(`${row.name} has no range`);
  }
  if (offset + length > facts.size) {
    return { errno: row.pastEnd, text: `range ends beyond ${facts.size}` };
  }
  if (row.tooLong !== null && length > row.tooLong.lengthMax) {
    return { errno: row.tooLong.errno, text: `at most ${row.tooLong.lengthMax} bytes` };
  }
  return judgeMeaning(request, facts);
}

/** The new size stands where other commands have their offset. */
function judgeResize({ offset, length }: NbdRequest, facts: ExportFacts): Refusal | null {
  if (length !== 0) return invalid('RESIZE has no length');
  if (offset >= facts.size) return null;
  return { errno: ERRNO.notPermitted, text: `a disk of ${facts.size} bytes does not shrink` };
}

function judgeMeaning({ command, flags, length }: NbdRequest, facts: ExportFacts): Refusal | null {
  if (command === COMMAND.writeZeroes && (flags & fastZero) !== 0 && (flags & noHole) !== 0) {
    return { errno: ERRNO.notSupported, text: 'zeros that are stored are as slow as a write' };
  }
  if (command === COMMAND.blockStatus && !facts.hasContexts) return invalid('no context was set');
  if (command === COMMAND.blockStatus && length === 0)
    return invalid('an empty range has no status');
  return null;
}

function invalid(text: string): Refusal {
  return { errno: ERRNO.invalid, text };
}
