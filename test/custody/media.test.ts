/**
 * No data key and no plaintext on media: every write system call of a process through a disk's
 * whole life, kill and restart included, and every file it leaves.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asTraced, namesFound, plaintextNeedles, searchFiles } from '../support/leak-search.ts';
import { learnKey, Subject } from '../support/subject.ts';
import { tempDir } from '../support/temp-dir.ts';

const WRITES = 'write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg';
const CANARY = createHash('sha256').update('a secret of a user').digest();

function straceObstacle(): string {
  try {
    execFileSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return '';
  } catch {
    return '(skipped: strace is not here, or may not trace)';
  }
}

const obstacle = straceObstacle();

/** A process under strace, each string of a call whole. */
function traced(dataDir: string, engine: string, trace: string): Subject {
  const flags = ['-f', '-qq', '-xx', '-s', '4194304', '-e', `trace=${WRITES}`, '-e', 'signal=none'];
  return new Subject(dataDir, engine, { wrapper: ['strace', ...flags, '-o', trace] });
}

describe.skipIf(obstacle !== '')(`an encrypted disk’s life as files see it ${obstacle}`, () => {
  const dir = tempDir();
  const dataDir = join(dir.path, 'plane');
  const traces = [join(dir.path, 'first.trace'), join(dir.path, 'second.trace')] as const;
  const keys = new Map<string, Buffer>();
  const plain = plaintextNeedles('canary', CANARY);
  let output = '';

  const learn = async (name: string, diskId: string): Promise<void> => {
    for (const [needle, bytes] of await learnKey(dataDir, diskId)) {
      keys.set(`${name}: ${needle}`, bytes);
    }
  };

  beforeAll(async () => {
    const first = traced(dataDir, 'openssl-ffi', traces[0]);
    expect(await first.next()).toBe('ready');
    const diskId = await first.ask('create');
    await learn('disk', diskId);
    await first.ask(`attach ${diskId}`);
    await first.ask(`canary ${CANARY.toString('hex')} 64`);
    await first.ask('snapshotAndClone');
    expect(await first.ask('rekey 0')).toBe('Finished');
    await learn('rekeyed disk', diskId);
    await first.ask(`canary ${CANARY.toString('hex')} 16`);
    await first.ask('crash');
    await first.exited;

    const second = traced(dataDir, 'openssl-ffi', traces[1]);
    expect(await second.next()).toBe('ready');
    await second.ask(`attach ${diskId}`);
    await second.ask(`canary ${CANARY.toString('hex')} 8`);
    await second.ask('detach');
    await second.ask('close');
    // The canary of this test: the same search must find a key that is written on purpose.
    const quarter = keys.get('disk: data key quarter 0') as Buffer;
    await second.ask(`leak ${join(dir.path, 'leaked')} ${quarter.toString('hex')}`);
    await second.ask(`leak ${join(dir.path, 'leaked-text')} ${CANARY.toString('hex')}`);
    second.child.stdin?.end();
    await second.exited;
    output = first.output + second.output;
  }, 300_000);
  afterAll(() => dir[Symbol.dispose]());

  it('no file holds a data key or plaintext', () => {
    const { files, hits } = searchFiles(dataDir, new Map([...keys, ...plain]));
    expect(hits).toEqual([]);
    expect(files).toBeGreaterThan(8);
  });

  it.each([
    ['the process that is killed', 0],
    ['the one after it, but for what it leaks on purpose,', 1],
  ] as const)('no write call of %s carries either', (_, index) => {
    const trace = readFileSync(traces[index]);
    const found = namesFound(trace, asTraced(new Map([...keys, ...plain])));
    // What the second process writes last is a key and the canary, on purpose: they are found.
    const planted = ['disk: data key quarter 0', 'canary', 'canary, its end'];
    expect(found).toEqual(index === 0 ? [] : planted);
    // Ciphertext of 64 sectors, four characters a byte: the trace is of the process that wrote it.
    expect(statSync(traces[index]).size).toBeGreaterThan(index === 0 ? 1_000_000 : 100_000);
  });

  it('neither is in what the processes printed', () => {
    expect(namesFound(Buffer.from(output), new Map([...keys, ...plain]))).toEqual([]);
    expect(output).toContain('ready');
  });

  it('a key and a canary written on purpose are found in files', () => {
    const { hits } = searchFiles(dir.path, new Map([...keys, ...plain]));
    const found = hits.filter(({ file }) => file.includes('leaked')).map(({ needle }) => needle);
    expect(found).toEqual(
      expect.arrayContaining(['disk: data key quarter 0', 'canary', 'canary, its end']),
    );
  });
});
