/**
 * A process the gate starts: its output, or why there is none. It ends before the gate does.
 *
 * 1. Each is the leader of a process group, so that what it started ends with it.
 * 2. It has a time limit; when that is over, when the run is stopped, and when the gate's process
 *    exits, the whole group is killed.
 * 3. A process that fails is an error with the end of what it said, never a measurement.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { PlaneError } from '../base/errors.ts';

export interface ProgramCall {
  /** A program and its words, or a line for the shell. */
  readonly program: string;
  readonly words?: readonly string[];
  readonly directory: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const OUTPUT_BYTES_MAX = 64 * 2 ** 20;
const COMPLAINT_CHARACTERS_MAX = 1000;

const running = new Set<ChildProcess>();
let endsWithProcess = false;

/** A process that runs, and how it is followed and ended. */
export interface StartedProgram {
  readonly child: ChildProcess;
  /** The program and its words, for people. */
  readonly name: string;
  /** Kills its group. @param why the error of `ended` */
  stop(why: string): void;
  /** The end of what it said on stderr. */
  complaint(): string;
  /**
   * Resolves with its exit code; null: a signal.
   *
   * @throws PlaneError InvalidArgument it could not be started, or was stopped; the signal's reason
   */
  readonly ended: Promise<number | null>;
}

/** Starts a program. @param stdin whether it is given one to write to */
export function startProgram(
  call: Omit<ProgramCall, 'timeoutMs'>,
  stdin: 'ignore' | 'pipe',
): StartedProgram {
  const { program, words, directory, signal } = call;
  signal.throwIfAborted();
  if (!endsWithProcess) process.on('exit', () => running.forEach(killGroup));
  endsWithProcess = true;
  const name = [program, ...(words ?? [])].join(' ');
  const child = spawn(program, words ?? [], {
    cwd: directory,
    shell: words === undefined,
    detached: true,
    stdio: [stdin, 'pipe', 'pipe'],
  });
  running.add(child);
  let trouble: string | null = null;
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-COMPLAINT_CHARACTERS_MAX);
  });
  const stop = (why: string): void => {
    trouble ??= why;
    killGroup(child);
  };
  const onAbort = (): void => stop('the run was stopped');
  signal.addEventListener('abort', onAbort);
  const ended = new Promise<number | null>((resolve, reject) => {
    const settle = (): void => {
      running.delete(child);
      signal.removeEventListener('abort', onAbort);
    };
    child.on('error', (error) => {
      settle();
      reject(refusal(name, error.message, said));
    });
    child.on('close', (code) => {
      settle();
      if (signal.aborted) reject(signal.reason);
      else if (trouble === null) resolve(code);
      else reject(refusal(name, trouble, said));
    });
  });
  // Who waits for something else of the program is told of its end there.
  ended.catch(() => {});
  return { child, name, stop, complaint: () => said.trim(), ended };
}

/**
 * Runs a program to its end.
 *
 * @returns what it wrote to stdout
 * @throws PlaneError InvalidArgument it could not be started, failed, or took too long
 */
export async function runProgram(call: ProgramCall): Promise<string> {
  const started = startProgram(call, 'ignore');
  const { child, name, stop, complaint, ended } = started;
  const output: Buffer[] = [];
  let outputBytes = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    outputBytes += chunk.byteLength;
    if (outputBytes > OUTPUT_BYTES_MAX) stop(`more than ${OUTPUT_BYTES_MAX} bytes of output`);
    else output.push(chunk);
  });
  const timer = setTimeout(() => stop(`not done in ${call.timeoutMs} ms`), call.timeoutMs);
  const code = await ended.finally(() => clearTimeout(timer));
  if (code === 0) return Buffer.concat(output).toString();
  throw refusal(name, `expected exit code 0, got ${code ?? child.signalCode}`, complaint());
}

function refusal(name: string, how: string, complaint: string): PlaneError {
  return new PlaneError('InvalidArgument', `${name}: ${how}\n${complaint}`.trim());
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // It has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
