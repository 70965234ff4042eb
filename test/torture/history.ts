/**
 * The file a load writes down what it does in, and its reader. protocol.ts has the lines.
 *
 * Lines about what has settled may wait for the next line about what begins, or for the end of the
 * turn of the event loop: lost with the victim, they count as not acknowledged.
 */
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { HistoryLine } from './protocol.ts';

export class History {
  readonly #file: number;
  #pending = '';

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  /** Written before this returns, and what waited before it. */
  say(line: HistoryLine): void {
    this.#pending += `${JSON.stringify(line)}\n`;
    this.write();
  }

  /** Written soon, in order. */
  note(line: HistoryLine): void {
    if (this.#pending === '') setImmediate(() => this.write());
    this.#pending += `${JSON.stringify(line)}\n`;
  }

  write(): void {
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    writeSync(this.#file, text);
  }
}

/** The whole lines of a file; none if it is not there. The last may have been cut off. */
export function readHistory(path: string): HistoryLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line) as HistoryLine);
}
