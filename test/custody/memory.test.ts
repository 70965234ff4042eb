/**
 * Where a disk's data key is while the disk is attached, and that it is nowhere afterwards: by a
 * scan of the whole memory of a process that runs a plane.
 *
 * The key is learned without any help of that process: from copies of its data directory, opened by
 * the KMS code in this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deriveXtsKey } from '../../src/cipher/xts-key.ts';
import { openVaultAt } from '../../src/kms/open-vault.ts';
import { createKmsServer } from '../../src/kms/serve.ts';
import { openMetadata } from '../../src/meta/metadata.ts';
import { keyNeedles, type MemoryHit, scanMemory, scanObstacle } from '../support/memory-scan.ts';
import { tempDir } from '../support/temp-dir.ts';

const root = new URL('../../', import.meta.url).pathname;
const obstacle = scanObstacle();

class Subject {
  readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(dataDir: string, engine: string) {
    this.child = spawn(process.execPath, ['test/custody/subject.mjs', dataDir, engine], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'inherit'],
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
async function learnKey(dataDir: string, diskId: string): Promise<Map<string, Buffer>> {
  using copy = tempDir();
  cpSync(dataDir, copy.path, { recursive: true });
  const metadata = await openMetadata(`${copy.path}/meta`);
  const disk = metadata.getDisk(diskId);
  await metadata.close();
  const vault = await openVaultAt({ dataDir: copy.path, rootKeyFile: null });
  const { accountId, regionId, encryption } = disk ?? {};
  const answer = createKmsServer({ vault }).unwrap({
    id: 1,
    wrappedKey: encryption?.wrappedKey ?? new Uint8Array(),
    context: {
      accountId: accountId ?? '',
      regionId: regionId ?? '',
      lineageId: encryption?.lineageId ?? '',
    },
  });
  await vault.close();
  if (!('key' in answer)) throw new Error(`the key of ${diskId} could not be learned`);
  const dataKey = new Uint8Array(answer.key);
  const xtsKey = deriveXtsKey(dataKey);
  return new Map([...keyNeedles('data key', dataKey), ...keyNeedles('cipher key', xtsKey)]);
}

function outsideArenas(hits: readonly MemoryHit[]): MemoryHit[] {
  return hits.filter((hit) => hit.region !== 'thread arena');
}

describe.skipIf(obstacle !== '')(`the data key of an attached disk ${obstacle}`, () => {
  const dir = tempDir();
  let subject: Subject;
  let diskId = '';
  let needles = new Map<string, Buffer>();

  beforeAll(async () => {
    subject = new Subject(dir.path, 'openssl-ffi');
    expect(await subject.next()).toBe('ready');
    diskId = await subject.ask('create');
    needles = await learnKey(dir.path, diskId);
  });
  afterAll(() => {
    subject.child.kill('SIGKILL');
    dir[Symbol.dispose]();
  });

  it('is nowhere before the disk is attached', () => {
    expect(subject.scan(needles)).toEqual([]);
  });

  it('is only in arenas of threads other than main while the disk is attached', async () => {
    await subject.ask(`attach ${diskId}`);
    const hits = subject.scan(needles);
    expect(hits.length).toBeGreaterThan(0);
    expect(outsideArenas(hits)).toEqual([]);
    const dataKeyHits = hits.filter((hit) => hit.needle.startsWith('data key'));
    expect(dataKeyHits).toEqual([]);
  });

  it('stays there under load and through errors', async () => {
    await subject.ask('load 300');
    expect(outsideArenas(subject.scan(needles))).toEqual([]);
    expect(await subject.ask('errors')).toBe('400 refused');
    const hits = subject.scan(needles);
    expect(outsideArenas(hits)).toEqual([]);
    expect(hits.length).toBeGreaterThan(0);
  });

  it('is nowhere at all as soon as the disk is detached', async () => {
    await subject.ask('detach');
    expect(subject.scan(needles)).toEqual([]);
  });

  it('is nowhere after 100 more attaches and detaches, and after the plane is closed', async () => {
    await subject.ask(`churn ${diskId} 100`);
    expect(subject.scan(needles)).toEqual([]);
    await subject.ask(`attach ${diskId}`);
    await subject.ask('load 3');
    expect(await subject.ask('close')).toBe('closed 0');
    expect(subject.scan(needles)).toEqual([]);
  });

  it('is found by the scan when it is planted on main', async () => {
    const quarter = needles.get('cipher key quarter 2') as Buffer;
    await subject.ask(`plant ${quarter.toString('hex')}`);
    const hits = subject.scan(needles).filter((hit) => hit.needle === 'cipher key quarter 2');
    expect(outsideArenas(hits).length).toBeGreaterThan(0);
  });
});
