/** A command in a pseudo-terminal, and what its screen looks like: by Python's pty module. */
import { spawnSync } from 'node:child_process';

const SCRIPT = new URL('in-terminal.py', import.meta.url).pathname;

/** Empty where there are pseudo-terminals to be had; otherwise why not. */
export const terminalAbsent: string =
  spawnSync('python3', ['-c', 'import pty, termios; pty.openpty()']).status === 0
    ? ''
    : 'python3 with pseudo-terminals is not there';

export interface TerminalRun {
  readonly argv: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly columns: number;
  readonly rows: number;
  /** What is done when a text has come, in order. */
  readonly steps?: readonly {
    readonly after: string;
    readonly resize?: readonly [columns: number, rows: number];
    readonly signal?: string;
  }[];
}

export interface TerminalEnd {
  readonly output: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly stepsLeft: number;
}

export function runInTerminal({ environment = {}, steps = [], ...rest }: TerminalRun): TerminalEnd {
  const { stdout, stderr, status } = spawnSync('python3', [SCRIPT], {
    input: JSON.stringify({ environment, steps, ...rest }),
    encoding: 'utf8',
    timeout: 100_000,
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(stderr);
  const end = JSON.parse(stdout) as TerminalEnd;
  return { ...end, output: Buffer.from(end.output, 'base64').toString('utf8') };
}

/** A terminal's state after some output: what its two screens hold, and its modes. */
export class Screen {
  isAlternate = false;
  isCursorShown = true;
  isWrapping = true;
  /** Sequences it does not know. */
  readonly unknown: string[] = [];
  /** Each frame drawn on the alternate screen, as lines without trailing blanks. */
  readonly frames: string[][] = [];
  /** What came while the main screen was shown. */
  main = '';
  #lines: string[] = [''];
  #row = 0;
  #column = 0;

  constructor(output: string) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal is told by.
    for (const part of output.match(/\x1b\[[?\d;]*[A-Za-z]|[^\x1b]+|\x1b/g) ?? []) {
      if (part.startsWith('\x1b')) this.#obey(part);
      else if (this.isAlternate) this.#put(part);
      else this.main += part;
    }
  }

  #obey(sequence: string): void {
    const kind = sequence.slice(2);
    if (kind === '?1049h' || kind === '?1049l') {
      this.isAlternate = kind.endsWith('h');
      this.#lines = [''];
      [this.#row, this.#column] = [0, 0];
    } else if (kind.startsWith('?25')) this.isCursorShown = kind.endsWith('h');
    else if (kind.startsWith('?7')) this.isWrapping = kind.endsWith('h');
    else if (kind === 'H') [this.#row, this.#column] = [0, 0];
    else if (kind === 'K') {
      this.#lines[this.#row] = (this.#lines[this.#row] ?? '').slice(0, this.#column);
    } else if (kind === 'J') {
      this.#lines.length = this.#row + 1;
      this.frames.push(this.#lines.map((line) => line.trimEnd()));
    } else if (!kind.endsWith('m')) this.unknown.push(sequence);
  }

  #put(text: string): void {
    for (const character of text) {
      if (character === '\r') this.#column = 0;
      else if (character === '\n') this.#row += 1;
      else {
        const line = (this.#lines[this.#row] ?? '').padEnd(this.#column);
        this.#lines[this.#row] =
          line.slice(0, this.#column) + character + line.slice(this.#column + 1);
        this.#column += 1;
      }
    }
  }
}
