/**
 * BLOCK_STATUS: what lies where, in the terms of each context that was agreed on.
 *
 *   base:allocation       holes are HOLE | ZERO, everything else 0
 *   sealdisk:encryption   holes are HOLE (2), ciphertext is ENCRYPTED (1), plain bytes are 0
 *
 * A reply covers at most NBD_STATUS_BYTES_MAX, and what Disk.allocation() answers; a client asks
 * again from where it ended. With REQ_ONE it is one extent ("NBD_CMD_BLOCK_STATUS").
 *
 * **Thread:** main.
 */
import { NBD_STATUS_BYTES_MAX } from '../../limits.ts';
import type { Disk, DiskExtent } from '../../types.ts';
import { ALLOCATION_FLAG, COMMAND_FLAG, type ContextName, ENCRYPTION_FLAG } from './protocol.ts';
import type { StatusExtent } from './replies.ts';
import type { NbdRequest } from './request.ts';

interface ContextStatus {
  readonly name: ContextName;
  readonly extents: readonly StatusExtent[];
}

/** @throws PlaneError as Disk.allocation() */
export async function readStatus(
  disk: Disk,
  { offset, length, flags }: NbdRequest,
  contexts: readonly ContextName[],
): Promise<ContextStatus[]> {
  const found = await disk.allocation(offset, Math.min(length, NBD_STATUS_BYTES_MAX));
  const isOne = (flags & COMMAND_FLAG.requireOne) !== 0;
  const extents = isOne ? found.slice(0, 1) : found;
  return contexts.map((name) => ({
    name,
    extents: extents.map((extent) => ({
      length: extent.length,
      flags: statusFlags(name, extent, disk.encrypted),
    })),
  }));
}

function statusFlags(name: ContextName, { isHole }: DiskExtent, isEncrypted: boolean): number {
  if (name === 'base:allocation') {
    return isHole ? ALLOCATION_FLAG.hole | ALLOCATION_FLAG.zero : 0;
  }
  if (isHole) return ENCRYPTION_FLAG.hole;
  return isEncrypted ? ENCRYPTION_FLAG.encrypted : 0;
}
