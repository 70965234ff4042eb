/**
 * A process that runs a plane for a test to look into, and the key it must not give away, learned
 * without any help of that process: from copies of its data directory, opened by the KMS code here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { deriveXtsKey } from '../../src/cipher/xts-key.ts';
import { openVaultAt } from '../../src/kms/open-vault.ts';
import { createKmsServer } from '../../src/kms/serve.ts';
import { openMetadata } from '../../src/meta/metadata.ts';
import { keyNeedles, type MemoryHit, scanMemory } from './memory-scan.ts';
import { tempDir } from './temp-dir.ts';

const root = new URL('../../', import.meta.url).pathname;
const CUSTODY = `${root}test/custody/`;

interface SubjectOptions {
  /** Where every message main receives is to be written. */
  readonly messagesFile?: string;
  /** A command that runs the process: strace, a shell with limits. */
  readonly wrapper?: readonly string[];
  /** @default the repository */
  readonly workingDirectory?: string;
  readonly nodeFlags?: readonly string[];
  readonly nodeOptions?: string;
  readonly allowDebugging?: boolean;
}

export class Subject {
  readonly child: ChildProcess;
  /** Everything it wrote to stdout and stderr. */
  output = '';
  readonly exited: Promise<string | number | null>;
  private readonly lines: AsyncIterator<string>;

  constructor(dataDir: string, engine: string, options: SubjectOptions = {}) {
    const { messagesFile, wrapper = [], nodeFlags = [] } = options;
    const recorder =
      messagesFile === undefined ? [] : ['--import', `${CUSTODY}record-messages.mjs`];
    const program = [...nodeFlags, ...recorder, `${CUSTODY}subject.mjs`, dataDir, engine];
    if (options.allowDebugging === true) program.push('allow-debugging');
    const [command = '', ...words] = [...wrapper, process.execPath, ...program];
    this.child = spawn(command, words, {
      cwd: options.workingDirectory ?? root,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        MESSAGES_FILE: messagesFile ?? '',
        NODE_OPTIONS: options.nodeOptions ?? '',
      },
    });
    const { stdout, stderr } = this.child;
    stdout?.on('data', (text) => {
      this.output += text;
    });
    stderr?.on('data', (text) => {
      this.output += text;
    });
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve(signal ?? code));
    });
    this.lines = createInterface({ input: stdout as NodeJS.ReadableStream })[
      Symbol.asyncIterator
    ]();
  }

  async next(): Promise<string> {
    const { value, done } = await this.lines.next();
    if (done === true) throw new Error(`the process has ended: ${this.output}`);
    return value as string;
  }

  ask(line: string): Promise<string> {
    this.child.stdin?.write(`${line}\n`);
    return this.next();
  }

  scan(needles: ReadonlyMap<string, Buffer>): MemoryHit[] {
    return scanMemory(this.child.pid as number, needles);
  }
}

/** A disk's data key. */
export async function learnDataKey(dataDir: string, diskId: string): Promise<Uint8Array> {
  using copy = tempDir();
  cpSync(dataDir, copy.path, { recursive: true });
  const metadata = await openMetadata(`${copy.path}/meta`);
  const disk = metadata.getDisk(diskId);
  await metadata.close();
  const vault = await openVaultAt({ dataDir: copy.path, rootKeyFile: null });
  const { encryption } = disk ?? {};
  const answer = createKmsServer({ vault }).unwrap({
    id: 1,
    wrappedKey: encryption?.wrappedKey ?? new Uint8Array(),
    context: {
      accountId: encryption?.accountId ?? '',
      regionId: encryption?.regionId ?? '',
      lineageId: encryption?.lineageId ?? '',
    },
  });
  await vault.close();
  if (!('key' in answer)) throw new Error(`the key of ${diskId} could not be learned`);
  return new Uint8Array(answer.key);
}

/** The needles of a disk's data key and of the cipher key made from it. */
export async function learnKey(dataDir: string, diskId: string): Promise<Map<string, Buffer>> {
  const dataKey = await learnDataKey(dataDir, diskId);
  const xtsKey = deriveXtsKey(dataKey);
  return new Map([...keyNeedles('data key', dataKey), ...keyNeedles('cipher key', xtsKey)]);
}
