/**
 * write_iolog: the requests of one clone as they are made, in fio's log of version 3 (io-log.ts).
 *
 * Lines are written a chunk at a time, so that a log may be larger than memory.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { FLUSH, type Operation } from './operation-source.ts';

const CHUNK_LINES = 1024;
/** By Operation. */
const ACTIONS = ['read', 'write', 'trim', 'sync'] as const;

export class IoLogWriter {
  readonly #descriptor: number;
  readonly #diskName: string;
  #lines: string[] = ['fio version 3 iolog\n'];
  #beganAtMs = Number.NaN;

  /**
   * @param diskName blanks in it become -
   * @throws the error of the file system if the file cannot be made
   */
  constructor(fileName: string, diskName: string) {
    this.#descriptor = openSync(fileName, 'w');
    this.#diskName = diskName.replace(/\s/g, '-');
  }

  /** A request that is made now. */
  made(operation: Operation, offsetBytes: number, lengthBytes: number, nowMs: number): void {
    if (Number.isNaN(this.#beganAtMs)) {
      // One before: a time of 0 is none to who reads the log.
      this.#beganAtMs = nowMs - 1e-3;
      this.#lines.push(`1 ${this.#diskName} add\n`, `1 ${this.#diskName} open\n`);
    }
    const timeUs = Math.round((nowMs - this.#beganAtMs) * 1e3);
    const range = operation === FLUSH ? '0 0' : `${offsetBytes} ${lengthBytes}`;
    this.#lines.push(`${timeUs} ${this.#diskName} ${ACTIONS[operation]} ${range}\n`);
    if (this.#lines.length >= CHUNK_LINES) this.#write();
  }

  /** Writes what is still to be written. Call once. */
  close(nowMs: number): void {
    if (!Number.isNaN(this.#beganAtMs)) {
      const timeUs = Math.round((nowMs - this.#beganAtMs) * 1e3);
      this.#lines.push(`${timeUs} ${this.#diskName} close\n`);
    }
    this.#write();
    closeSync(this.#descriptor);
  }

  #write(): void {
    writeSync(this.#descriptor, this.#lines.join(''));
    this.#lines = [];
  }
}
