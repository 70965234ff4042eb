/**
 * Numbers of the NBD protocol, each group under the heading of proto.md it stands under
 * (NetworkBlockDevice/nbd, doc/proto.md). All integers are big-endian.
 *
 * **Thread:** any.
 */

// "Handshake phase": S: NBDMAGIC, IHAVEOPT, 16 bits of handshake flags; C: 32 bits of client flags.
export const SERVER_MAGIC = Buffer.from('NBDMAGICIHAVEOPT', 'latin1');
/** "Option haggling": every option begins with IHAVEOPT. */
export const OPTION_MAGIC_HIGH = 0x49484156;
export const OPTION_MAGIC_LOW = 0x454f5054;
/** Magic of every option reply, 0x0003e889045565a9. */
export const OPTION_REPLY_MAGIC_HIGH = 0x0003e889;
export const OPTION_REPLY_MAGIC_LOW = 0x045565a9;
/** Magic 8, option 4, length 4. */
export const OPTION_HEADER_BYTES = 16;
/** Magic 8, option 4, reply type 4, length 4. */
export const OPTION_REPLY_HEADER_BYTES = 20;
/** "NBD_OPT_EXPORT_NAME": zeros after size and flags, unless both sides said NO_ZEROES. */
export const EXPORT_NAME_PADDING_BYTES = 124;

/** "Handshake flags" and "Client flags": bit for bit the same. */
export const HANDSHAKE_FLAG = { fixedNewstyle: 1, noZeroes: 2 } as const;

/** "Option types". */
export const OPTION = {
  exportName: 1,
  abort: 2,
  list: 3,
  startTls: 5,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
} as const;

/** "Option reply types"; errors have bit 31. */
export const OPTION_REPLY = {
  ack: 1,
  server: 2,
  info: 3,
  metaContext: 4,
  errorUnsupported: 0x80000001,
  errorPolicy: 0x80000002,
  errorInvalid: 0x80000003,
  errorTlsRequired: 0x80000005,
  errorUnknown: 0x80000006,
  errorShutdown: 0x80000007,
  errorTooBig: 0x80000009,
} as const;
export type OptionReplyType = (typeof OPTION_REPLY)[keyof typeof OPTION_REPLY];

/** "NBD_REP_INFO": kinds of information. */
export const INFORMATION = { export: 0, name: 1, description: 2, blockSize: 3 } as const;

/** "Transmission flags". */
export const TRANSMISSION_FLAG = {
  hasFlags: 1 << 0,
  readOnly: 1 << 1,
  sendFlush: 1 << 2,
  sendFua: 1 << 3,
  sendTrim: 1 << 5,
  sendWriteZeroes: 1 << 6,
  sendDf: 1 << 7,
  canMultiConn: 1 << 8,
  sendResize: 1 << 9,
  sendCache: 1 << 10,
  sendFastZero: 1 << 11,
} as const;

/** "Request message": magic 4, command flags 2, type 2, cookie 8, offset 8, length 4. */
export const REQUEST_MAGIC = 0x25609513;
export const REQUEST_BYTES = 28;

/** "Request types". */
export const COMMAND = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  cache: 5,
  writeZeroes: 6,
  blockStatus: 7,
  /** Of the experimental RESIZE extension (branch extension-resize): the offset is the new size. */
  resize: 8,
} as const;

/** "Command flags". */
export const COMMAND_FLAG = { fua: 1, noHole: 2, df: 4, requireOne: 8, fastZero: 16 } as const;

/** "Simple reply message": magic 4, error 4, cookie 8. */
export const SIMPLE_REPLY_MAGIC = 0x67446698;
export const SIMPLE_REPLY_BYTES = 16;

/** "Structured reply chunk message": magic 4, flags 2, type 2, cookie 8, length 4. */
export const CHUNK_MAGIC = 0x668e33ef;
export const CHUNK_BYTES = 20;
export const CHUNK_FLAG_DONE = 1;
/** "Structured reply types". */
export const CHUNK = {
  none: 0,
  offsetData: 1,
  offsetHole: 2,
  blockStatus: 5,
  error: 0x8001,
} as const;

/** "Error values". */
export const ERRNO = {
  none: 0,
  notPermitted: 1,
  ioError: 5,
  invalid: 22,
  noSpace: 28,
  overflow: 75,
  notSupported: 95,
  shutdown: 108,
} as const;
export type Errno = (typeof ERRNO)[keyof typeof ERRNO];

/** "NBD_OPT_LIST" and others: names and queries are UTF-8 of at most so many bytes. */
export const STRING_BYTES_MAX = 4096;

/** "Metadata querying": contexts, by the number clients are given for them (never 0). */
export const CONTEXT_NAMES = ['base:allocation', 'sealdisk:encryption'] as const;
export type ContextName = (typeof CONTEXT_NAMES)[number];

/** "base:allocation" metadata context: status flags. */
export const ALLOCATION_FLAG = { hole: 1, zero: 2 } as const;
/** Our own context: what lies in the range is ciphertext; there is nothing in the range. */
export const ENCRYPTION_FLAG = { encrypted: 1, hole: 2 } as const;
