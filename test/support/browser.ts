/**
 * A headless Chromium, where one is installed, told what to do over its debugging pipe: messages of
 * the DevTools protocol, JSON ended by a zero byte, on file descriptors 3 and 4.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { tempDir } from './temp-dir.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const PROGRAM = NAMES.find((name) => spawnSync(name, ['--version']).status === 0) ?? null;

/** Empty where there is a browser; otherwise why not. */
export const browserAbsent: string = PROGRAM === null ? 'Chromium is not installed' : '';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export interface PageView {
  readonly width: number;
  readonly height?: number;
  readonly isDark?: boolean;
  /** @default true */
  readonly runsScripts?: boolean;
}

/** A page that has been loaded. */
export interface LoadedPage {
  /** What an expression is in the page. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** Errors, warnings and anything said on the console, so far. */
  readonly complaints: readonly string[];
  /** Addresses asked for, so far. */
  readonly requested: readonly string[];
  screenshot(fileName: string): Promise<void>;
}

export class Browser implements AsyncDisposable {
  readonly #directory = tempDir();
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #heard: Message[] = [];
  #id = 0;
  #rest = '';

  constructor() {
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run'];
    const more = [`--user-data-dir=${this.#directory.path}`, '--remote-debugging-pipe'];
    this.#process = spawn(PROGRAM!, [...flags, ...more], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    const answers = this.#process.stdio[4] as Readable;
    answers.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
  }

  /** Loads a file, and waits until its scripts have run and it has been painted. */
  async open(fileName: string, view: PageView): Promise<LoadedPage> {
    const { targetId } = await this.#ask('Target.createTarget', { url: 'about:blank' });
    const attached = await this.#ask('Target.attachToTarget', { targetId, flatten: true });
    const sessionId = attached.sessionId as string;
    const ask = (method: string, params: object = {}): Promise<Record<string, unknown>> =>
      this.#ask(method, params, sessionId);
    const from = this.#heard.length;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await ask(`${domain}.enable`);
    const { width, height = 900, isDark = false, runsScripts = true } = view;
    const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
    await ask('Emulation.setDeviceMetricsOverride', metrics);
    const value = isDark ? 'dark' : 'light';
    const features = [{ name: 'prefers-color-scheme', value }];
    await ask('Emulation.setEmulatedMedia', { features });
    await ask('Emulation.setScriptExecutionDisabled', { value: !runsScripts });
    await ask('Page.navigate', { url: pathToFileURL(fileName).href });
    while (!this.#heard.slice(from).some(({ method }) => method === 'Page.loadEventFired')) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const evaluate = async <Value>(expression: string): Promise<Value> => {
      const asked = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await ask('Runtime.evaluate', asked);
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: Value }).value;
    };
    const painted = 'requestAnimationFrame(() => requestAnimationFrame(() => done(true)))';
    if (runsScripts) await evaluate(`new Promise((done) => ${painted})`);
    const heard = this.#heard.slice(from);
    const requests = heard.filter(({ method }) => method === 'Network.requestWillBeSent');
    return {
      evaluate,
      complaints: heard.flatMap(complaintsOf),
      requested: requests.map(({ params }) => (params!.request as { url: string }).url),
      screenshot: async (path) => {
        const { data: bytes } = await ask('Page.captureScreenshot', {
          captureBeyondViewport: true,
        });
        writeFileSync(path, Buffer.from(bytes as string, 'base64'));
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    this.#directory[Symbol.dispose]();
  }

  async #ask(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    this.#id += 1;
    const id = this.#id;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    const words = this.#process.stdio[3] as Writable;
    words.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result!;
  }

  #hear(text: string): void {
    const messages = (this.#rest + text).split('\0');
    this.#rest = messages.pop()!;
    for (const each of messages) {
      const message = JSON.parse(each) as Message;
      if (message.id === undefined) this.#heard.push(message);
      else this.#waiting.get(message.id)?.(message);
    }
  }
}

function complaintsOf({ method, params }: Message): string[] {
  const isComplaint =
    method === 'Runtime.consoleAPICalled' ||
    method === 'Runtime.exceptionThrown' ||
    method === 'Log.entryAdded';
  return isComplaint ? [JSON.stringify(params)] : [];
}
