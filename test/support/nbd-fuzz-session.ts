/**
 * What a fuzzed NBD client says: sessions by the protocol's grammar, and what is done to them.
 *
 *   plain    by the grammar, right and refused requests mixed: every one has to be answered
 *   mutated  messages dropped, doubled, swapped, cut, fields changed: what the stream means is
 *            known up to where it breaks
 *   bytes    bits flipped anywhere, as zzuf does: nothing is known of what it means
 *
 * Only plain sessions use the export `clean`, and write nothing but FILL: so whatever else than
 * FILL and zero is read from it comes from somewhere it should not.
 */
import type { Prng } from '../../src/base/prng.ts';
import { clientFlagsBytes, goBytes, optionBytes, requestBytes } from './nbd-bytes.ts';

export const FILL = 0xf5;
/** Bytes of every export. */
export const FUZZED_SIZE: number = 2 ** 30;
/** Plain sessions write here only, so that the disks of a long run stay small. */
const AREA_BYTES = 8 * 2 ** 20;

export type SessionKind = 'plain' | 'mutated' | 'bytes';

export interface FuzzSession {
  readonly kind: SessionKind;
  /** What is sent, cut as it is sent. */
  readonly chunks: readonly Buffer[];
  /** Requests that are in it whole, by their cookie. */
  readonly requests: ReadonlyMap<bigint, FuzzRequest>;
  /** EXPORT_NAME is in it: its answer has no magic. */
  readonly hasExportName: boolean;
  readonly hasNoZeroes: boolean;
  /** How it leaves: after the last answer, after it has spoken, at once, without reading. */
  readonly end: 'answered' | 'FIN' | 'RST' | 'deaf';
}

export interface FuzzRequest {
  readonly command: number;
  readonly length: number;
  /** How often it was sent. */
  sent: number;
  answered: number;
}

interface Message {
  readonly option: number | null;
  bytes: Buffer;
}

const [READ, WRITE, DISCONNECT, FLUSH, TRIM, CACHE, ZERO, STATUS] = [0, 1, 2, 3, 4, 5, 6, 7];
const COMMANDS = [READ, READ, WRITE, WRITE, FLUSH, TRIM, CACHE, ZERO, STATUS, 8, 9, 0xffff];
const LENGTHS = [0, 1, 7, 511, 512, 513, 4095, 4096, 4096, 4097, 8192, 8193, 12_288, 70_000];
const ODD_LENGTHS = [2 ** 21, 2 ** 25 + 1, 2 ** 31, 2 ** 32 - 1, FUZZED_SIZE];
const ODD_OFFSETS = [FUZZED_SIZE - 1, FUZZED_SIZE, 2 ** 32 - 1, 2 ** 32, 2 ** 53]
  .map(BigInt)
  .concat([2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 4096n, 2n ** 64n - 1n]);
const ODD_NUMBERS = [
  0, 1, 2, 3, 6, 7, 10, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];
const NAMES = ['clean', 'wild', '', 'nobody', 'x'.repeat(255), 'x'.repeat(256), 'y'.repeat(4096)];

/** The session of a seed: always the same one. */
export function fuzzSession(prng: Prng): FuzzSession {
  const draw = prng.nextBelow(10);
  const kind: SessionKind = draw < 3 ? 'plain' : draw < 7 ? 'mutated' : 'bytes';
  const name = kind === 'plain' ? 'clean' : 'wild';
  const flags = pick(prng, [3, 3, 3, 1, 2, 0]);
  const byName = prng.nextBelow(20) === 0;
  const requests = new Map<bigint, FuzzRequest>();
  const messages: Message[] = [
    { option: null, bytes: clientFlagsBytes(flags) },
    ...options(prng, name),
    byName
      ? { option: 1, bytes: optionBytes(1, Buffer.from(name)) }
      : { option: 7, bytes: optionBytes(7, goBytes(name)) },
    ...requestMessages(prng),
  ];
  if (kind === 'mutated') {
    mutate(prng, messages);
    tellApart(messages);
  }
  for (const { option, bytes } of messages.slice(1)) if (option === null) note(requests, bytes);
  const stream = Buffer.concat(messages.map(({ bytes }) => bytes));
  if (kind === 'bytes') flipBits(prng, stream);
  return {
    kind,
    chunks: cut(prng, stream),
    requests,
    hasExportName: messages.some(
      ({ option, bytes }) => option !== null && bytes.length >= 12 && bytes.readUInt32BE(8) === 1,
    ),
    hasNoZeroes: (flags & 2) !== 0,
    end: kind === 'plain' ? 'answered' : pick(prng, ['FIN', 'FIN', 'FIN', 'FIN', 'RST', 'deaf']),
  };
}

/** Counts a request as the server has to understand it, unless it is not whole. */
function note(requests: Map<bigint, FuzzRequest>, bytes: Buffer): void {
  if (bytes.length < 28) return;
  const cookie = bytes.readBigUInt64BE(8);
  const known = requests.get(cookie);
  if (known !== undefined) known.sent++;
  else {
    const command = bytes.readUInt16BE(6);
    requests.set(cookie, { command, length: bytes.readUInt32BE(24), sent: 1, answered: 0 });
  }
}

function options(prng: Prng, name: string): Message[] {
  const kinds = Array.from({ length: prng.nextBelow(5) }, () => prng.nextBelow(7));
  if (prng.nextBelow(2) === 0) kinds.push(0, 1);
  return kinds.map((kind) => option(prng, kind, name));
}

function option(prng: Prng, kind: number, name: string): Message {
  const say = (number: number, bytes?: Buffer): Message => ({
    option: number,
    bytes: optionBytes(number, bytes),
  });
  switch (kind) {
    case 0:
      return say(8);
    case 1:
      return say(10, contexts(name, ['base:allocation', 'sealdisk:encryption']));
    case 2:
      return say(3);
    case 3:
      return say(6, goBytes(pick(prng, NAMES)));
    case 4:
      return say(9, contexts(name, pick(prng, [[], ['base:'], ['x:y'], ['base:allocation']])));
    case 5:
      return say(5);
    default:
      return say(pick(prng, [0, 4, 11, 99, 0xffffffff]), Buffer.alloc(pick(prng, [0, 9, 70_000])));
  }
}

/** Name length 4, name, count 4, queries: length 4, text. */
function contexts(name: string, queries: readonly string[]): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const texts = queries.flatMap((query) => [number(query.length), Buffer.from(query)]);
  return Buffer.concat([number(name.length), Buffer.from(name), number(queries.length), ...texts]);
}

function requestMessages(prng: Prng): Message[] {
  const count = pick(prng, [0, 1, 3, 8, 30]);
  return Array.from({ length: count }, (_, index) => {
    const command = pick(prng, COMMANDS);
    const isFlush = command === FLUSH && prng.nextBelow(8) > 0;
    const isOdd = prng.nextBelow(30) === 0;
    // A WRITE has as many bytes as it says.
    const long = command === WRITE || prng.nextBelow(2) === 0 ? LENGTHS : ODD_LENGTHS;
    const length = isFlush ? 0 : pick(prng, isOdd ? long : LENGTHS);
    const offset =
      prng.nextBelow(10) === 0 ? pick(prng, ODD_OFFSETS) : BigInt(prng.nextBelow(AREA_BYTES));
    const high = pick(prng, [0n, 1n, 0xffffffffn, 0x67446698n, prng.nextUint32()].map(BigInt));
    const request = {
      command,
      flags: prng.nextBelow(4) === 0 ? pick(prng, [1, 2, 4, 8, 16, 18, 32, 0x8000]) : 0,
      cookie: (high << 32n) | BigInt(index),
      offset: isFlush ? 0n : offset,
      length,
    };
    const payload = command === WRITE ? Buffer.alloc(length, FILL) : undefined;
    const bytes = requestBytes(payload === undefined ? request : { ...request, payload });
    return { option: null, bytes };
  });
}

/** One to four changes, the grammar's way. */
function mutate(prng: Prng, messages: Message[]): void {
  let isCut = false;
  for (let left = 1 + prng.nextBelow(4); left > 0; left--) {
    const at = prng.nextBelow(messages.length);
    const message = messages[at]!;
    switch (prng.nextBelow(7)) {
      case 0:
        messages.splice(at, 0, { ...message, bytes: Buffer.from(message.bytes) });
        break;
      case 1:
        if (messages.length > 2) messages.splice(at, 1);
        break;
      case 2: {
        const other = prng.nextBelow(messages.length);
        messages[at] = messages[other]!;
        messages[other] = message;
        break;
      }
      case 3:
        isCut = true;
        break;
      case 4:
        if (message.bytes.length >= 16) setField(prng, message);
        break;
      case 5:
        messages.splice(at, 0, { option: 0, bytes: Buffer.alloc(prng.nextBelow(40), 0x41) });
        break;
      default:
        messages.push({
          option: null,
          bytes: requestBytes({ command: DISCONNECT, cookie: 77n << 40n }),
        });
    }
  }
  if (!isCut) return;
  // Last, and the end: what came after it would be taken for its rest.
  messages.length = 1 + prng.nextBelow(messages.length);
  const last = messages.at(-1)!;
  last.bytes = last.bytes.subarray(0, prng.nextBelow(last.bytes.length));
}

/**
 * A simple reply does not say how long it is: requests of one cookie are of one command and length,
 * or nobody could read the answers. A changed double gets a cookie of its own.
 */
function tellApart(messages: readonly Message[]): void {
  const shapes = new Map<bigint, string>();
  messages.slice(1).forEach(({ option, bytes }, index) => {
    if (option !== null || bytes.length < 28) return;
    const shape = `${bytes.readUInt16BE(6)} ${bytes.readUInt32BE(24)}`;
    const cookie = bytes.readBigUInt64BE(8);
    if ((shapes.get(cookie) ?? shape) === shape) shapes.set(cookie, shape);
    else bytes.writeBigUInt64BE((BigInt(index) << 32n) | 0xd0b1eb1en, 8);
  });
}

/** Options: number, length. Requests: flags, command, offset, length. */
function setField(prng: Prng, message: Message): void {
  const bytes = Buffer.from(message.bytes);
  const isRequest = bytes.readUInt32BE(0) === 0x25609513;
  const at = isRequest ? pick(prng, [0, 4, 16, 20, 24]) : pick(prng, [0, 8, 12]);
  if (at + 4 <= bytes.length) bytes.writeUInt32BE(pick(prng, ODD_NUMBERS), at);
  message.bytes = bytes;
}

/** One bit in a hundred to one in ten thousand. */
function flipBits(prng: Prng, stream: Buffer): void {
  const rarity = pick(prng, [100, 1_000, 10_000]);
  const count = 1 + prng.nextBelow(Math.ceil((stream.length * 8) / rarity));
  for (let flip = 0; flip < Math.min(count, 2_000); flip++) {
    const at = prng.nextBelow(Math.min(stream.length, 4_096));
    stream[at] = stream[at]! ^ (1 << prng.nextBelow(8));
  }
}

function cut(prng: Prng, stream: Buffer): Buffer[] {
  const most = pick(prng, [7, 28, 1_000, 2 ** 20, 2 ** 20]);
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length && chunks.length < 50; ) {
    const end = chunks.length === 49 ? stream.length : at + 1 + prng.nextBelow(most);
    chunks.push(stream.subarray(at, end));
    at = end;
  }
  return chunks;
}

function pick<T>(prng: Prng, from: readonly T[]): T {
  return from[prng.nextBelow(from.length)]!;
}
