/**
 * A victim as the checker sees it: started, told things, killed.
 *
 * Whatever is asked of a victim that ends is rejected with VictimEnded: the checker then does not
 * know whether it was done.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { AnswerLine, CommandName, Commands } from './protocol.ts';

const VICTIM: string = fileURLToPath(new URL('victim.js', import.meta.url));
/**
 * Longer than anything a victim is asked takes, on the slowest machine. Counted in ticks, not by
 * the clock: where the whole machine stood still, the victim had no time either.
 */
const ANSWER_TICKS_MAX = 240;
const TICK_MS = 1_000;

export class VictimEnded extends Error {}

/** The plane refused what it was asked. */
export class Refused extends Error {
  readonly code: string;

  constructor(what: string, code: string, message: string) {
    super(`${what} was refused: ${message}`);
    this.code = code;
  }
}

export interface VictimOptions {
  /** The library it loads. */
  readonly library: string;
  /** @default nothing is planted */
  readonly plant?: string | null;
  /** A program that runs it, with its arguments. @default none */
  readonly under?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Waiting {
  readonly what: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class VictimProcess {
  readonly ended: Promise<void>;
  /** It has loaded the library. */
  readonly ready: Promise<void>;
  /** What it said on stderr. */
  complaints = '';
  isEnded = false;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  constructor({ library, plant, under = [], environment }: VictimOptions) {
    const own = [process.execPath, VICTIM, library, ...(plant == null ? [] : [plant])];
    const [program, ...parameters] = [...under, ...own];
    const child = spawn(program!, parameters, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.#child = child;
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (bytes: Buffer) => {
      this.complaints = `${this.complaints}${bytes}`.slice(-4_000);
    });
    this.ended = new Promise((resolve) => child.once('close', () => resolve(this.#end())));
    child.once('error', () => this.#end());
    this.ready = new Promise((resolve, reject) =>
      this.#waiting.set(0, { what: 'start', resolve: () => resolve(), reject }),
    );
    this.ready.catch(() => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(line));
  }

  /** @throws VictimEnded, Refused */
  async ask<Name extends CommandName>(
    name: Name,
    parameters: Commands[Name]['parameters'],
  ): Promise<Commands[Name]['result']> {
    await this.ready;
    if (this.isEnded) throw this.#endedError();
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      let ticks = 0;
      const timer = setInterval(() => {
        if (++ticks < ANSWER_TICKS_MAX) return;
        this.#waiting.delete(id);
        settle();
        reject(new Error(`the victim gave no answer to ${name} in ${ticks} ticks of a second`));
      }, TICK_MS);
      const settle = (): void => clearInterval(timer);
      const what = name === 'call' ? (parameters as Commands['call']['parameters']).verb : name;
      this.#waiting.set(id, {
        what,
        resolve: (result) => {
          settle();
          resolve(result as Commands[Name]['result']);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#child.stdin!.write(`${JSON.stringify({ id, name, parameters })}\n`);
    });
  }

  /** A verb of its plane. */
  call(verb: string, parameters: Record<string, unknown>, mark?: string) {
    return this.ask('call', { verb, parameters, ...(mark === undefined ? {} : { mark }) });
  }

  /** SIGKILL, and waits for the end. One that runs under another program ends with its stdin. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    this.#child.stdin!.destroy();
    await this.ended;
  }

  #take(line: string): void {
    const answer = JSON.parse(line) as AnswerLine | 'ready';
    const id = answer === 'ready' ? 0 : answer.id;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (answer === 'ready') waiting?.resolve(null);
    else if ('error' in answer)
      waiting?.reject(new Refused(waiting.what, answer.error.code, answer.error.message));
    else waiting?.resolve(answer.result);
  }

  #end(): void {
    this.isEnded = true;
    for (const { reject } of this.#waiting.values()) reject(this.#endedError());
    this.#waiting.clear();
  }

  #endedError(): VictimEnded {
    return new VictimEnded(`the victim has ended. It said: ${this.complaints}`);
  }
}
