/** `sealdisk rekey` as a user has it: a child process of what was built. */
import { spawnSync } from 'node:child_process';
import { openPlane } from 'sealdisk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tempDir } from '../support/temp-dir.ts';

const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;
const temporary = tempDir();
afterAll(() => temporary[Symbol.dispose]());
const dataDir = `${temporary.path}/plane`;
let diskId = '';
let oldKey = '';

beforeAll(async () => {
  await using plane = await openPlane({ dataDir });
  oldKey = (await plane.call('CreateKey', {})).KeyMetadata.KeyId;
  const parameters = { Size: 1, Encrypted: true, KMSKeyId: oldKey };
  diskId = (await plane.call('CreateDisk', parameters)).DiskId;
  await using disk = await plane.attach(diskId);
  await disk.write(4096, new Uint8Array(2 << 20).fill(5));
});

function rekey(...words: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'rekey', ...words], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

async function newKey(): Promise<string> {
  await using plane = await openPlane({ dataDir });
  return (await plane.call('CreateKey', {})).KeyMetadata.KeyId;
}

test('moves a disk to another key and says so', async () => {
  const key = await newKey();
  const { code, stdout, stderr } = rekey(diskId, '--key', key, '--data-dir', dataDir);
  expect([code, stdout, stderr]).toEqual([0, `${diskId} is under ${key}, 2 MiB moved\n`, '']);
  await using plane = await openPlane({ dataDir });
  await plane.call('ScheduleKeyDeletion', { KeyId: oldKey, PendingWindowInDays: 7 });
  await using disk = await plane.attach(diskId);
  expect(await disk.read(4095, 2)).toEqual(new Uint8Array([0, 5]));
});

test('goes on with a task that was begun before, as JSON', async () => {
  let taskId = '';
  {
    await using plane = await openPlane({ dataDir });
    taskId = (await plane.call('RekeyDisk', { DiskId: diskId, BytesPerSecond: 4096 })).TaskId;
    await plane.call('PauseTask', { TaskId: taskId });
  }
  const { code, stdout, stderr } = rekey(diskId, '--json', '--data-dir', dataDir);
  expect(code).toBe(0);
  expect(stderr).toBe(`going on with ${taskId}, which was begun before\n`);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    DiskId: diskId,
    Task: { TaskId: taskId, TaskStatus: 'Finished' },
  });
});

test.each([
  [['d-none'], 2, /--data-dir/],
  [['d-none', '--data-dir', dataDir], 4, /InvalidDiskId.NotFound/],
])('%j ends with %d', (words, expected, message) => {
  const { code, stdout, stderr } = rekey(...words);
  expect([code, stdout]).toEqual([expected, '']);
  expect(stderr).toMatch(message);
});
