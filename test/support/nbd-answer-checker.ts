/**
 * Reads what a server answers a fuzzed session, and says what is wrong with it: a reply without a
 * form, to nobody, to somebody twice; a READ of another length or place; bytes nobody wrote.
 */
import { FILL, type FuzzSession } from './nbd-fuzz-session.ts';

const OPTION_REPLY = 0x0003e889045565a9n;
const SIMPLE = 0x67446698;
const CHUNK = 0x668e33ef;
const READ = 0;
const REPLY_BYTES_MAX = 33 * 2 ** 20;

export class AnswerChecker {
  /** The first thing that was wrong. */
  problem: string | null = null;
  answers = 0;
  private readonly session: FuzzSession;
  private received: Buffer = Buffer.alloc(0);
  private place: 'hello' | 'options' | 'transmission' = 'hello';
  private isStructured = false;

  constructor(session: FuzzSession) {
    this.session = session;
  }

  /** Every request is answered, as often as it was sent. */
  get isAllAnswered(): boolean {
    const requests = [...this.session.requests.values()];
    return requests.every(({ sent, answered }) => sent === answered);
  }

  take(chunk: Buffer): void {
    // What bits were flipped in has no meaning to compare with.
    if (this.session.kind === 'bytes' || this.problem !== null) return;
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    for (let taken = -1; taken !== 0 && this.problem === null; ) {
      taken = this.next();
      this.received = this.received.subarray(taken);
    }
  }

  /** @returns bytes it has read; 0: more are needed */
  private next(): number {
    const { received } = this;
    if (this.place === 'hello') {
      if (received.length < 18) return 0;
      this.place = 'options';
      return 18;
    }
    if (received.length < 16) return 0;
    if (this.place === 'options') return this.nextOption();
    const magic = received.readUInt32BE(0);
    if (magic === SIMPLE) return this.nextSimple();
    if (magic === CHUNK) return this.nextChunk();
    this.problem = `neither a reply nor a chunk: ${received.subarray(0, 16).toString('hex')}`;
    return 0;
  }

  private nextOption(): number {
    const { received, session } = this;
    if (received.readBigUInt64BE(0) !== OPTION_REPLY) {
      const length = session.hasNoZeroes ? 10 : 134;
      if (!session.hasExportName) {
        this.problem = `no option reply: ${received.subarray(0, 16).toString('hex')}`;
        return 0;
      }
      if (received.length < length) return 0;
      this.place = 'transmission';
      return length;
    }
    if (received.length < 20) return 0;
    const [option, type, length] = [8, 12, 16].map((at) => received.readUInt32BE(at));
    if (received.length < 20 + length!) return 0;
    if (option === 8 && type === 1) this.isStructured = true;
    if (option === 7 && type === 1) this.place = 'transmission';
    return 20 + length!;
  }

  private nextSimple(): number {
    const { received } = this;
    const errno = received.readUInt32BE(4);
    const cookie = received.readBigUInt64BE(8);
    const request = this.session.requests.get(cookie);
    const isRead = request?.command === READ && errno === 0;
    if (isRead && this.isStructured) this.problem = 'a READ was answered by a simple reply';
    const length = isRead ? request.length : 0;
    if (received.length < 16 + length) return 0;
    if (isRead) this.checkBytes(received.subarray(16, 16 + length));
    this.answer(cookie);
    return 16 + length;
  }

  private nextChunk(): number {
    const { received } = this;
    if (received.length < 20) return 0;
    const isDone = (received.readUInt16BE(4) & 1) !== 0;
    const type = received.readUInt16BE(6);
    const cookie = received.readBigUInt64BE(8);
    const length = received.readUInt32BE(16);
    if (length > REPLY_BYTES_MAX) this.problem = `a chunk of ${length} bytes`;
    if (received.length < 20 + length) return 0;
    const request = this.session.requests.get(cookie);
    if (request === undefined || request.answered === request.sent) {
      const why = request === undefined ? 'nobody sent' : 'is answered';
      this.problem = `a chunk for ${cookie}, which ${why}`;
    }
    if (type === 1) this.checkBytes(received.subarray(28, 20 + length));
    if (isDone) this.answer(cookie);
    return 20 + length;
  }

  private answer(cookie: bigint): void {
    const request = this.session.requests.get(cookie);
    if (request === undefined) this.problem ??= `an answer to ${cookie}, which nobody sent`;
    else if (++request.answered > request.sent) this.problem ??= `${cookie} was answered twice`;
    this.answers++;
  }

  private checkBytes(bytes: Buffer): void {
    if (this.session.kind !== 'plain') return;
    let at = bytes.length - 1;
    while (at >= 0 && (bytes[at] === 0 || bytes[at] === FILL)) at--;
    if (at >= 0) this.problem ??= `byte ${bytes[at]} was read, which nobody wrote`;
  }
}
