/** A terminal that keeps what is said. */
import type { Terminal } from '../../../src/cli/terminal.ts';

export interface TerminalDouble extends Terminal {
  readonly printed: string[];
  readonly said: string[];
}

export function terminalDouble(): TerminalDouble {
  const printed: string[] = [];
  const said: string[] = [];
  return {
    printed,
    said,
    print: (text) => void printed.push(text),
    say: (text) => void said.push(text),
    status: { write: () => {} },
    isColoured: false,
  };
}
