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

export class Subject {
  readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  /** @param messagesFile where every message main receives is to be written, if it is */
  constructor(dataDir: string, engine: string, messagesFile?: string) {
    const recorder = ['--import', './test/custody/record-messages.mjs'];
    const flags = messagesFile === undefined ? [] : recorder;
    const parameters = [...flags, 'test/custody/subject.mjs', dataDir, engine];
    this.child = spawn(process.execPath, parameters, {
      cwd: root,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, MESSAGES_FILE: messagesFile ?? '' },
    });
    const stdout = this.child.stdout as NodeJS.ReadableStream;
    this.lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async next(): Promise<string> {
    return (await this.lines.next()).value as string;
  }

  ask(line: string): Promise<string> {
    this.child.stdin?.write(`${line}\n`);
    return this.next();
  }

  scan(needles: ReadonlyMap<string, Buffer>): MemoryHit[] {
    return scanMemory(this.child.pid as number, needles);
  }
}

/** The needles of a disk's data key and of the cipher key made from it. */
export async function learnKey(dataDir: string, diskId: string): Promise<Map<string, Buffer>> {
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
  const dataKey = new Uint8Array(answer.key);
  const xtsKey = deriveXtsKey(dataKey);
  return new Map([...keyNeedles('data key', dataKey), ...keyNeedles('cipher key', xtsKey)]);
}
