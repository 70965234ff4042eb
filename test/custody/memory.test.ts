/**
 * Where a disk's data key is while the disk is attached, and that it is nowhere afterwards: by a
 * scan of the whole memory of a process that runs a plane.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MemoryHit, scanObstacle } from '../support/memory-scan.ts';
import { learnKey, Subject } from '../support/subject.ts';
import { tempDir } from '../support/temp-dir.ts';

const obstacle = scanObstacle();

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

  it('serves on while its master key is disabled, and is not had back then', async () => {
    await subject.ask(`attach ${diskId}`);
    await subject.ask('disable');
    await subject.ask('load 30');
    const hits = subject.scan(needles);
    expect(hits.length).toBeGreaterThan(0);
    expect(outsideArenas(hits)).toEqual([]);
    await subject.ask('detach');
    const code = 'InvalidParameter.KMSKeyId.CMKNotEnabled';
    for (let round = 0; round < 5; round++) {
      expect(await subject.ask(`refusedAttach ${diskId}`)).toBe(code);
    }
    expect(subject.scan(needles)).toEqual([]);
    await subject.ask('enable');
  });

  it('is nowhere after all threads that held it have ended and others took over', async () => {
    await subject.ask(`attach ${diskId}`);
    await subject.ask('load 30');
    await subject.ask('reopen');
    expect(subject.scan(needles)).toEqual([]);
    await subject.ask(`attach ${diskId}`);
    const hits = subject.scan(needles);
    expect(hits.length).toBeGreaterThan(0);
    expect(outsideArenas(hits)).toEqual([]);
    await subject.ask('detach');
    expect(subject.scan(needles)).toEqual([]);
  });

  it('is nowhere after 200 more attaches and detaches, and after the plane is closed', async () => {
    await subject.ask(`churn ${diskId} 200`);
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
