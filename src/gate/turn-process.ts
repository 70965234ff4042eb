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

/**
 * Runs a program to its end.
 *
 * @returns what it wrote to stdout
 * @throws PlaneError InvalidArgument it could not be started, failed, or took too long
 */
export function runProgram(call: ProgramCall): Promise<string> {
  call.signal.throwIfAborted();
  if (!endsWithProcess) process.on('exit', () => running.forEach(killGroup));
  endsWithProcess = true;
  const name = [call.program, ...(call.words ?? [])].join(' ');
  const child = spawn(call.program, call.words ?? [], {
    cwd: call.directory,
    shell: call.words === undefined,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let trouble: string | null = null;
  const stop = (why: string): void => {
    trouble ??= why;
    killGroup(child);
  };
  const onAbort = (): void => stop('the run was stopped');
  call.signal.addEventListener('abort', onAbort);
  const timer = setTimeout(() => stop(`not done in ${call.timeoutMs} ms`), call.timeoutMs);
  const said = collect(child, () => stop(`more than ${OUTPUT_BYTES_MAX} bytes of output`));
  return new Promise<string>((resolve, reject) => {
    const refuse = (how: string): void =>
      reject(new PlaneError('InvalidArgument', `${name}: ${how}\n${said.complaint()}`.trim()));
    const settle = (): void => {
      running.delete(child);
      clearTimeout(timer);
      call.signal.removeEventListener('abort', onAbort);
    };
    child.on('error', (error) => {
      settle();
      refuse(error.message);
    });
    child.on('close', (code, endedBy) => {
      settle();
      if (call.signal.aborted) reject(call.signal.reason);
      else if (code === 0 && trouble === null) resolve(said.output());
      else refuse(trouble ?? `expected exit code 0, got ${code ?? endedBy}`);
    });
  });
}

/** Keeps what a process writes: all of stdout, the end of stderr. */
function collect(
  child: ChildProcess,
  onTooMuch: () => void,
): { output: () => string; complaint: () => string } {
  const output: Buffer[] = [];
  let outputBytes = 0;
  let complaint = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    outputBytes += chunk.byteLength;
    if (outputBytes > OUTPUT_BYTES_MAX) onTooMuch();
    else output.push(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-COMPLAINT_CHARACTERS_MAX);
  });
  return { output: () => Buffer.concat(output).toString(), complaint: () => complaint.trim() };
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
