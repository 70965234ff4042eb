/**
 * Where a disk's old and new data key are while it is moved from one to the other, and afterwards:
 * by a scan of the whole memory of a process that runs a plane.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MemoryHit, scanObstacle } from '../support/memory-scan.ts';
import { learnKey, Subject } from '../support/subject.ts';
import { tempDir } from '../support/temp-dir.ts';

const obstacle = scanObstacle();

function outsideArenas(hits: readonly MemoryHit[]): MemoryHit[] {
  return hits.filter((hit) => hit.region !== 'thread arena');
}

describe.skipIf(obstacle !== '')(`the data keys of a disk that is rekeyed ${obstacle}`, () => {
  const dir = tempDir();
  let subject: Subject;
  let diskId = '';
  let taskId = '';
  let oldNeedles = new Map<string, Buffer>();
  let needles = new Map<string, Buffer>();

  beforeAll(async () => {
    subject = new Subject(dir.path, 'openssl-ffi');
    expect(await subject.next()).toBe('ready');
    diskId = await subject.ask('create');
    oldNeedles = await learnKey(dir.path, diskId);
    await subject.ask(`attach ${diskId}`);
    await subject.ask('load 100');
  });
  afterAll(() => {
    subject.child.kill('SIGKILL');
    dir[Symbol.dispose]();
  });

  it('are both in arenas of shards, and nowhere else, while the data is moved', async () => {
    taskId = await subject.ask('rekey 4096');
    await subject.ask('load 30');
    needles = await learnKey(dir.path, diskId);
    for (const each of [oldNeedles, needles]) {
      const hits = subject.scan(each);
      expect(hits.length).toBeGreaterThan(0);
      expect(outsideArenas(hits)).toEqual([]);
    }
  });

  it('are down to the new one when the task has ended: the old one is nowhere', async () => {
    expect(await subject.ask(`finish ${taskId}`)).toBe('Finished');
    expect(subject.scan(oldNeedles)).toEqual([]);
    const hits = subject.scan(needles);
    expect(hits.length).toBeGreaterThan(0);
    expect(outsideArenas(hits)).toEqual([]);
  });

  it('are nowhere as soon as the disk is detached', async () => {
    await subject.ask('detach');
    expect(subject.scan(needles)).toEqual([]);
    expect(subject.scan(oldNeedles)).toEqual([]);
  });
});
