/**
 * Where commands speak: stdout is data, stderr is talk.
 *
 * Commands are given a Terminal instead of using process.stdout, so that what they print is a
 * result a test can look at.
 */
import type { ScreenStream } from '../load/live-screen.ts';

export interface Terminal {
  /** Data: what the command was run for. */
  print(text: string): void;
  /** Talk: a line on stderr, unless --quiet. */
  say(text: string): void;
  /** For a status line, or the whole screen. */
  readonly status: ScreenStream;
  /** False with NO_COLOR set, or where it makes no sense. */
  readonly isColoured: boolean;
}

interface ProcessStreams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The terminal of a process.
 *
 * @param isQuiet nothing on stderr but errors
 */
export function processTerminal(streams: ProcessStreams, isQuiet: boolean): Terminal {
  const { stdout, stderr, env } = streams;
  return {
    print: (text) => void stdout.write(text),
    say: (text) => {
      if (!isQuiet) stderr.write(`${text}\n`);
    },
    status: isQuiet ? { write: () => {} } : stderr,
    // https://no-color.org: set, and not empty.
    isColoured: stderr.isTTY === true && (env.NO_COLOR ?? '') === '',
  };
}

/** A reader that went away (`sealdisk ... | head`) ends the process quietly. */
export function endOnBrokenPipe(stdout: NodeJS.WriteStream): void {
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
  });
}
