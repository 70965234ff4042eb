import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { auditKey, scopeGroup, tokenHourGroup, tokenKey } from '../../../src/meta/documents.ts';
import { type Metadata, openMetadata } from '../../../src/meta/metadata.ts';
import type { TaskRecord } from '../../../src/record/document.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { disk, diskId } from './fixtures.ts';

const scope = { accountId: '1234567890123456', regionId: 'cn-hangzhou' };
const taskId = (number: number): string => `t-${String(number).padStart(20, '0')}`;

function task(number: number, fields: Partial<TaskRecord> = {}): TaskRecord {
  return {
    ...scope,
    taskId: taskId(number),
    groupId: 'g',
    action: 'reencrypt',
    resourceId: diskId(1),
    state: 'running',
    code: '',
    doneSectors: 0,
    totalSectors: 10,
    bytesPerSecond: 0,
    createdAt: 1,
    finishedAt: null,
    ...fields,
  };
}

const put = (record: TaskRecord) => ({ kind: 'task', record }) as const;

describe.each(['memory', 'lmdb'])('documents over %s', (backend) => {
  const temporary = tempDir();
  const directory = `${temporary.path}/meta`;
  let metadata: Metadata;
  const open = (): Promise<Metadata> => openMetadata(backend === 'memory' ? null : directory);
  beforeEach(async () => {
    metadata = await open();
    await metadata.commit({ putDocuments: [1, 2, 3].map((number) => put(task(number))) });
  });
  afterEach(async () => {
    const removeDocuments = [1, 2, 3].map(
      (number) => ({ kind: 'task', key: taskId(number) }) as const,
    );
    await metadata.commit({ removeDocuments });
    expect(metadata.check()).toEqual([]);
    await metadata.close();
  });

  test('are read by key, and listed by group in the order of their keys, a page at a time', () => {
    expect(metadata.getDocument('task', taskId(2))).toEqual(task(2));
    expect(metadata.getDocument('task', taskId(9))).toBeUndefined();
    const page = metadata.listDocuments('task', 'state/running', 1, 1);
    expect(page).toEqual({ total: 3, records: [task(2)] });
    expect(metadata.listDocuments('task', null, 0, 10).records).toHaveLength(3);
    expect(metadata.listDocuments('task', 'state/failed', 0, 10)).toEqual({
      total: 0,
      records: [],
    });
  });

  test('that change leave the groups they were in', async () => {
    await metadata.commit({ putDocuments: [put(task(2, { state: 'finished' }))] });
    expect(metadata.listDocuments('task', 'state/running', 0, 10).total).toBe(2);
    expect(metadata.listDocuments('task', 'state/finished', 0, 10).records).toEqual([
      task(2, { state: 'finished' }),
    ]);
    expect(metadata.check()).toEqual([]);
  });

  test('are committed together with disks, or not at all', async () => {
    const broken = { ...task(4), resourceId: 'x' };
    const change = { putDisks: [disk(diskId(7))], putDocuments: [put(broken)] };
    await expect(metadata.commit(change)).rejects.toThrow(/resourceId/);
    expect(metadata.getDisk(diskId(7))).toBeUndefined();
    await metadata.commit({ removeDocuments: [{ kind: 'task', key: taskId(99) }] });
    expect(metadata.listDocuments('task', null, 0, 10).total).toBe(3);
  });

  test('whose key has parts are found by group and by key', async () => {
    const region = { ...scope, isDefaultEncryptionOn: true, defaultKeyId: null };
    const token = {
      accountId: scope.accountId,
      token: 'a/b',
      verb: 'CreateDisk',
      parametersHash: '',
      result: '{}',
      created: [],
      createdAt: 1,
    };
    const putDocuments = [
      { kind: 'region', record: region },
      { kind: 'token', record: token },
    ] as const;
    await metadata.commit({ putDocuments });
    const regionKey = scopeGroup(scope.accountId, scope.regionId);
    expect(metadata.getDocument('region', regionKey)).toEqual(region);
    const key = tokenKey(scope.accountId, 'CreateDisk', 'a/b');
    expect(metadata.getDocument('token', key)).toEqual(token);
    const hour = metadata.listDocuments('token', tokenHourGroup(3_599_999), 0, 10);
    expect(hour.records).toEqual([token]);
    expect(metadata.listDocuments('region', null, 0, 10).records).toEqual([region]);
    expect(auditKey(10) > auditKey(9)).toBe(true);
  });
});
