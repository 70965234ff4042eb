/**
 * The haggling over options: one client's state, and the answer to each option. No sockets.
 *
 *   flags ─▶ haggling ──GO, EXPORT_NAME──▶ transmission
 *               │ ├──ABORT, unknown EXPORT_NAME──▶ end
 *               │ └──STARTTLS──▶ (TLS) ─▶ haggling, everything forgotten
 *               └──INFO, LIST, STRUCTURED_REPLY, SET/LIST_META_CONTEXT──▶ haggling
 *
 * 1. An option is checked completely before it changes anything, with one exception the protocol
 *    makes: SET_META_CONTEXT forgets the contexts set before even where it is refused.
 * 2. Contexts count only for the export they were set for ("NBD_OPT_SET_META_CONTEXT").
 * 3. After STARTTLS nothing that was agreed in the clear holds (CVE-2021-3716).
 * 4. Where TLS is required, everything but STARTTLS, ABORT and EXPORT_NAME (which ends the
 *    connection) is ERR_TLS_REQD.
 *
 * proto.md, "Fixed newstyle negotiation", "Option types", "Metadata querying", "TLS support".
 *
 * **Thread:** main.
 */
import { PlaneError } from '../../base/errors.ts';
import { NBD_QUERIES_MAX, REQUEST_BYTES_MAX } from '../../limits.ts';
import type { Disk } from '../../types.ts';
import type { ExportDirectory, ExportUse, NbdExport, OpenExports } from './exports.ts';
import type { ClientOption } from './handshake-reader.ts';
import {
  encodeOptionReply,
  parseContextRequest,
  parseInformationRequest,
  parseString,
} from './option-bytes.ts';
import {
  CONTEXT_NAMES,
  type ContextName,
  EXPORT_NAME_PADDING_BYTES,
  HANDSHAKE_FLAG,
  INFORMATION,
  OPTION,
  OPTION_REPLY,
  type OptionReplyType,
  TRANSMISSION_FLAG,
} from './protocol.ts';

/** off: STARTTLS is unknown. offered: as the client likes. required: nothing without it. */
export type TlsMode = 'off' | 'offered' | 'required';

export interface NegotiationOptions {
  readonly directory: ExportDirectory;
  readonly opened: OpenExports;
  readonly tlsMode: TlsMode;
}

/** What transmission needs to know. */
export interface Agreement {
  readonly use: ExportUse;
  readonly isStructured: boolean;
  readonly contexts: readonly ContextName[];
}

/** What happens after an option. Its replies are sent first, whatever it is. */
export type NextStep =
  | { readonly step: 'haggle' }
  | { readonly step: 'end' }
  | { readonly step: 'startTls' }
  | { readonly step: 'transmit'; readonly agreement: Agreement };

const HAGGLE: NextStep = { step: 'haggle' };
const NOTHING = Buffer.alloc(0);
const UNSEEN_TLS: ReadonlySet<number> = new Set([OPTION.startTls, OPTION.abort, OPTION.exportName]);
const PREFERRED_BLOCK_BYTES = 4096;

/** Transmission flags of an export ("Transmission flags"). */
function transmissionFlags({ isReadOnly, resize }: NbdExport, isStructured: boolean): number {
  const always =
    TRANSMISSION_FLAG.hasFlags |
    TRANSMISSION_FLAG.sendFlush |
    TRANSMISSION_FLAG.sendFua |
    TRANSMISSION_FLAG.canMultiConn |
    TRANSMISSION_FLAG.sendCache;
  const changing =
    TRANSMISSION_FLAG.sendTrim | TRANSMISSION_FLAG.sendWriteZeroes | TRANSMISSION_FLAG.sendFastZero;
  const resizing = resize === undefined ? 0 : TRANSMISSION_FLAG.sendResize;
  const kind = isReadOnly ? TRANSMISSION_FLAG.readOnly : changing | resizing;
  return always | kind | (isStructured ? TRANSMISSION_FLAG.sendDf : 0);
}

export class Negotiation {
  /** Replies not sent yet, in order; the caller takes them. */
  readonly replies: Buffer[] = [];
  private readonly options: NegotiationOptions;
  private isTls = false;
  private isStructured = false;
  private hasNoZeroes = false;
  private contexts: { exportName: string; names: ContextName[] } | null = null;
  /** The export INFO opened, kept so that GO finds it as it was told. */
  private inUse: ExportUse | null = null;

  constructor(options: NegotiationOptions) {
    this.options = options;
  }

  /** Forgets everything that was agreed: TLS has begun. */
  async restartUnderTls(): Promise<void> {
    this.isTls = true;
    this.isStructured = false;
    this.contexts = null;
    await this.close();
  }

  /** @returns false: flags there are not, the client is to be dropped */
  takeClientFlags(flags: number): boolean {
    const known = HANDSHAKE_FLAG.fixedNewstyle | HANDSHAKE_FLAG.noZeroes;
    this.hasNoZeroes = (flags & HANDSHAKE_FLAG.noZeroes) !== 0;
    return (flags & ~known) === 0;
  }

  /** Gives up an export that was opened and not handed on. */
  async close(): Promise<void> {
    const { inUse } = this;
    this.inUse = null;
    await inUse?.leave();
  }

  async answer(option: ClientOption): Promise<NextStep> {
    try {
      return await this.choose(option);
    } catch (error) {
      if (!(error instanceof PlaneError)) throw error;
      // "NBD_OPT_EXPORT_NAME" has no error reply, so whatever is wrong ends the connection.
      if (option.option === OPTION.exportName) return { step: 'end' };
      return this.reply(option.option, refusalType(error), Buffer.from(error.message));
    }
  }

  /** @throws PlaneError what looking for an export, or opening it, is refused with */
  private async choose({ option, bytes }: ClientOption): Promise<NextStep> {
    if (this.options.tlsMode === 'required' && !this.isTls && !UNSEEN_TLS.has(option)) {
      return this.reply(option, OPTION_REPLY.errorTlsRequired);
    }
    if (bytes === null) {
      if (option === OPTION.exportName) return { step: 'end' };
      return this.reply(option, OPTION_REPLY.errorTooBig);
    }
    switch (option) {
      case OPTION.exportName:
        return this.answerExportName(bytes);
      case OPTION.abort:
        this.reply(option, OPTION_REPLY.ack);
        return { step: 'end' };
      case OPTION.list:
        return this.answerList(bytes);
      case OPTION.startTls:
        return this.answerStartTls(bytes);
      case OPTION.info:
      case OPTION.go:
        return this.answerInformation(option, bytes);
      case OPTION.structuredReply:
        if (bytes.length > 0) return this.reply(option, OPTION_REPLY.errorInvalid);
        this.isStructured = true;
        return this.reply(option, OPTION_REPLY.ack);
      case OPTION.listMetaContext:
      case OPTION.setMetaContext:
        return this.answerContexts(option, bytes);
      default:
        return this.reply(option, OPTION_REPLY.errorUnsupported);
    }
  }

  private reply(option: number, type: OptionReplyType, payload: Uint8Array = NOTHING): NextStep {
    this.replies.push(encodeOptionReply(option, type, payload));
    return HAGGLE;
  }

  private async answerExportName(bytes: Buffer): Promise<NextStep> {
    const name = parseString(bytes);
    const isHidden = this.options.tlsMode === 'required' && !this.isTls;
    if (name === null || isHidden) return { step: 'end' };
    const wanted = await this.options.directory.find(name);
    if (wanted === null) return { step: 'end' };
    await this.use(wanted);
    const padding = this.hasNoZeroes ? 0 : EXPORT_NAME_PADDING_BYTES;
    const answer = Buffer.alloc(10 + padding);
    writeSize(answer, this.inUse!.disk.size, 0);
    answer.writeUInt16BE(transmissionFlags(wanted, this.isStructured), 8);
    this.replies.push(answer);
    return this.transmit(name);
  }

  private async answerList(bytes: Buffer): Promise<NextStep> {
    if (bytes.length > 0) return this.reply(OPTION.list, OPTION_REPLY.errorInvalid);
    for (const each of await this.options.directory.list()) {
      const name = Buffer.from(each.name);
      const payload = Buffer.alloc(4 + name.length);
      payload.writeUInt32BE(name.length, 0);
      payload.set(name, 4);
      this.reply(OPTION.list, OPTION_REPLY.server, payload);
    }
    return this.reply(OPTION.list, OPTION_REPLY.ack);
  }

  private answerStartTls(bytes: Buffer): NextStep {
    if (this.options.tlsMode === 'off') {
      return this.reply(OPTION.startTls, OPTION_REPLY.errorUnsupported);
    }
    if (bytes.length > 0 || this.isTls) {
      return this.reply(OPTION.startTls, OPTION_REPLY.errorInvalid);
    }
    this.reply(OPTION.startTls, OPTION_REPLY.ack);
    return { step: 'startTls' };
  }

  private async answerInformation(option: number, bytes: Buffer): Promise<NextStep> {
    const request = parseInformationRequest(bytes);
    if (request === null) return this.reply(option, OPTION_REPLY.errorInvalid);
    const wanted = await this.options.directory.find(request.exportName);
    if (wanted === null) return this.reply(option, OPTION_REPLY.errorUnknown);
    await this.use(wanted);
    this.describe(option, wanted, this.inUse!.disk, request.kinds);
    this.reply(option, OPTION_REPLY.ack);
    return option === OPTION.go ? this.transmit(request.exportName) : HAGGLE;
  }

  /** "NBD_REP_INFO". NBD_INFO_EXPORT and the block sizes always, the rest if asked for. */
  private describe(option: number, wanted: NbdExport, disk: Disk, kinds: readonly number[]): void {
    const size = Buffer.alloc(12);
    size.writeUInt16BE(INFORMATION.export, 0);
    writeSize(size, disk.size, 2);
    size.writeUInt16BE(transmissionFlags(wanted, this.isStructured), 10);
    this.reply(option, OPTION_REPLY.info, size);
    const blocks = Buffer.alloc(14);
    blocks.writeUInt16BE(INFORMATION.blockSize, 0);
    blocks.writeUInt32BE(1, 2);
    blocks.writeUInt32BE(PREFERRED_BLOCK_BYTES, 6);
    blocks.writeUInt32BE(REQUEST_BYTES_MAX, 10);
    this.reply(option, OPTION_REPLY.info, blocks);
    const texts = [
      [INFORMATION.name, wanted.name],
      [INFORMATION.description, wanted.description],
    ] as const;
    for (const [kind, text] of texts) {
      if (!kinds.includes(kind)) continue;
      const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(text)]);
      payload.writeUInt16BE(kind, 0);
      this.reply(option, OPTION_REPLY.info, payload);
    }
  }

  private async answerContexts(option: number, bytes: Buffer): Promise<NextStep> {
    const isSet = option === OPTION.setMetaContext;
    if (isSet) this.contexts = null;
    if (!this.isStructured) return this.reply(option, OPTION_REPLY.errorInvalid);
    const request = parseContextRequest(bytes, NBD_QUERIES_MAX);
    if (request === 'too many') return this.reply(option, OPTION_REPLY.errorTooBig);
    if (request === null) return this.reply(option, OPTION_REPLY.errorInvalid);
    const { exportName, queries } = request;
    if ((await this.options.directory.find(exportName)) === null) {
      return this.reply(option, OPTION_REPLY.errorUnknown);
    }
    const names = CONTEXT_NAMES.filter((name) => isAskedFor(name, queries, isSet));
    for (const name of names) {
      const payload = Buffer.concat([Buffer.alloc(4), Buffer.from(name)]);
      payload.writeUInt32BE(isSet ? contextId(name) : 0, 0);
      this.reply(option, OPTION_REPLY.metaContext, payload);
    }
    if (isSet) this.contexts = { exportName, names };
    return this.reply(option, OPTION_REPLY.ack);
  }

  /** Opens an export, unless it is the one that is open; gives up another one. */
  private async use(wanted: NbdExport): Promise<void> {
    if (this.inUse?.export.name === wanted.name) return;
    await this.close();
    this.inUse = await this.options.opened.use(wanted);
  }

  private transmit(exportName: string): NextStep {
    const use = this.inUse!;
    this.inUse = null;
    const isOfExport = this.contexts?.exportName === exportName;
    const contexts = isOfExport ? (this.contexts?.names ?? []) : [];
    return { step: 'transmit', agreement: { use, isStructured: this.isStructured, contexts } };
  }
}

/** The number a context goes by in block status chunks. */
export function contextId(name: ContextName): number {
  return CONTEXT_NAMES.indexOf(name) + 1;
}

/** "NBD_OPT_LIST_META_CONTEXT": no query is all; a bare namespace is all of it, for LIST only. */
function isAskedFor(name: ContextName, queries: readonly string[], isSet: boolean): boolean {
  if (queries.includes(name)) return true;
  if (isSet) return false;
  return queries.length === 0 || queries.includes(name.slice(0, name.indexOf(':') + 1));
}

function refusalType(error: PlaneError): OptionReplyType {
  const isGone = error.code === 'InvalidDiskId.NotFound';
  if (isGone || error.code === 'InvalidSnapshotId.NotFound') return OPTION_REPLY.errorUnknown;
  if (error.code === 'PlaneClosed') return OPTION_REPLY.errorShutdown;
  return OPTION_REPLY.errorPolicy;
}

/** A size as 64 bits. Disks are smaller than 2^53 bytes. */
function writeSize(target: Buffer, size: number, at: number): void {
  target.writeUInt32BE(Math.floor(size / 2 ** 32), at);
  target.writeUInt32BE(size % 2 ** 32, at + 4);
}
