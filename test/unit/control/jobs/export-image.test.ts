/** ExportImage and its task: what it leaves, whatever happens to it. */
import { truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PlaneError } from '../../../../src/base/errors.ts';
import { fullAccount } from '../../../../src/control/access/accounts.ts';
import { exportFilesIn, type OpenFile } from '../../../../src/control/jobs/export-files.ts';
import { codeOf, OWNER } from '../../../support/control-world.ts';
import {
  BUCKET,
  describeTask,
  expectExported,
  exportWorld,
  files,
  ownDirectory,
  removeDirectories,
  SIZE,
  until,
} from '../../../support/export-world.ts';

afterEach(removeDirectories);

describe('ExportImage', () => {
  it('writes the image whole, sparse, for its owner alone, and says how far it is', async () => {
    const world = await exportWorld();
    const { call, ImageId, directory } = world;
    const asked = { ImageId, OSSBucket: BUCKET, OSSPrefix: 'nightly' };
    const { TaskId, RegionId } = await call('ExportImage', asked);
    expect(RegionId).toBe('cn-hangzhou');
    await until(world, TaskId, 'finished');
    const name = `${BUCKET}/nightly${ImageId}.raw`;
    expect(files(directory)).toEqual([name]);
    expectExported(`${directory}/${name}`);
    expect(await describeTask(world, TaskId)).toMatchObject({
      TaskAction: 'ExportImage',
      TaskStatus: 'Finished',
      ResourceId: ImageId,
      DoneBytes: SIZE,
      TotalBytes: SIZE,
      Code: '',
    });
    expect(world.seen.at(0)).toBe('open t-');
    expect(world.seen.at(-1)).toBe('close');
    // Again, over the one there is.
    const again = await call('ExportImage', asked);
    await until(world, again.TaskId, 'finished');
    expect(files(directory)).toEqual([name]);
  }, 60_000);

  it('goes on after a restart where the file ends, and anew without it', async () => {
    const world = await exportWorld();
    const { call, ImageId, directory } = world;
    const paced = { ImageId, OSSBucket: BUCKET, BytesPerSecond: 256 * 1024 };
    const { TaskId } = await call('ExportImage', paced);
    await vi.waitFor(() => expect(world.seen.length).toBeGreaterThan(1));
    await world.runner().close();
    const { doneSectors, totalSectors } = world.task(TaskId);
    expect(doneSectors).toBeGreaterThan(0);
    expect(doneSectors).toBeLessThan(totalSectors);
    expect(files(directory)).toEqual([`${BUCKET}/${ImageId}.raw.${TaskId}.partial`]);
    world.seen.length = 0;
    await world.restart();
    await vi.waitFor(() => expect(world.seen).toContain(`read ${doneSectors * 4096}`));
    expect(world.seen).not.toContain('read 4096');
    // Cut short by somebody: it is not what was begun.
    await world.runner().close();
    truncateSync(`${directory}/${files(directory)[0]}`, 4096);
    world.seen.length = 0;
    const runner = await world.restart();
    await vi.waitFor(() => expect(world.seen).toContain('read 4096'));
    await runner.resume(TaskId, 0).catch(() => {});
    await runner.pause(TaskId);
    await runner.resume(TaskId, 0);
    await until(world, TaskId, 'finished');
    expectExported(`${directory}/${BUCKET}/${ImageId}.raw`);
  }, 60_000);

  it('leaves nothing when it is cancelled, paused or not', async () => {
    const world = await exportWorld();
    const { call, ImageId, directory } = world;
    const { TaskId } = await call('ExportImage', {
      ImageId,
      OSSBucket: BUCKET,
      BytesPerSecond: 4096,
    });
    await vi.waitFor(() => expect(files(directory)).toHaveLength(1));
    const asked = { ImageId, OSSBucket: BUCKET };
    expect(await codeOf(call('ExportImage', asked))).toBe('OperationConflict');
    expect(await codeOf(call('DeleteImage', { ImageId }))).toBe('ImageIsExporting');
    await call('PauseTask', { TaskId });
    expect((await describeTask(world, TaskId)).TaskStatus).toBe('Paused');
    expect(files(directory)).toHaveLength(1);
    await call('CancelTask', { TaskId });
    expect(files(directory)).toEqual([]);
    expect((await describeTask(world, TaskId)).TaskStatus).toBe('Cancelled');
    await call('DeleteImage', { ImageId });
  });

  it('of an image that is gone at the next open is cancelled, its file with it', async () => {
    const world = await exportWorld();
    const { call, ImageId, directory, world: inner } = world;
    const { TaskId } = await call('ExportImage', {
      ImageId,
      OSSBucket: BUCKET,
      BytesPerSecond: 4096,
    });
    await vi.waitFor(() => expect(files(directory)).toHaveLength(1));
    await world.runner().close();
    const removeDocuments = [{ kind: 'image', key: ImageId } as const];
    await inner.control.context.metadata.commit({ removeDocuments });
    await world.restart();
    await until(world, TaskId, 'cancelled');
    expect(files(directory)).toEqual([]);
  });

  it.each([
    ['ENOSPC', 'NoSpace'],
    ['EDQUOT', 'NoSpace'],
    ['EIO', 'ExportFailed'],
  ] as const)(
    'that meets %s has failed with %s, and no file is left',
    async (errno, code) => {
      let writes = 0;
      const openFile = (async (...parameters: Parameters<OpenFile>) => {
        const file = await open(...parameters);
        const write = file.write.bind(file) as typeof file.write;
        file.write = (async (...all: Parameters<typeof write>) => {
          if (++writes === 3) throw Object.assign(new Error(errno), { code: errno });
          // In part: the rest is written by another call.
          const [bytes, offset, length, position] = all as unknown as [
            Uint8Array,
            number,
            number,
            number,
          ];
          return write(bytes, offset, Math.min(length, 100_000), position);
        }) as typeof file.write;
        return file;
      }) as OpenFile;
      const world = await exportWorld({ openFile });
      const { call, ImageId, directory } = world;
      const { TaskId } = await call('ExportImage', { ImageId, OSSBucket: BUCKET });
      await until(world, TaskId, 'failed');
      expect(await describeTask(world, TaskId)).toMatchObject({ TaskStatus: 'Failed', Code: code });
      expect(files(directory)).toEqual([]);
      expect(world.seen.at(-1)).toBe('close');
      // There is space again.
      const again = await call('ExportImage', { ImageId, OSSBucket: BUCKET });
      await until(world, again.TaskId, 'finished');
      expectExported(`${directory}/${BUCKET}/${ImageId}.raw`);
    },
    60_000,
  );

  it('that the directory cannot be made for has failed', async () => {
    const folder = ownDirectory();
    await (await open(`${folder}/file`, 'w')).close();
    const world = await exportWorld();
    await world.restart(exportFilesIn(`${folder}/file`));
    const { TaskId } = await world.call('ExportImage', {
      ImageId: world.ImageId,
      OSSBucket: BUCKET,
    });
    await until(world, TaskId, 'failed');
    expect(world.task(TaskId).code).toBe('ExportFailed');
    expect(await codeOf(world.runner().cancel(TaskId))).toBe('IncorrectTaskStatus');
  });

  it('waits with the code of what may pass, and ends with that of damage', async () => {
    const world = await exportWorld();
    const { call, ImageId, directory, failNext } = world;
    failNext.read = new PlaneError('ReadFailed', 'the test says so');
    const { TaskId } = await call('ExportImage', { ImageId, OSSBucket: BUCKET });
    await vi.waitFor(() => expect(world.task(TaskId).code).toBe('ReadFailed'));
    expect(world.task(TaskId).state).toBe('paused');
    failNext.read = new PlaneError('ChecksumMismatch', 'the test says so');
    await world.runner().resume(TaskId);
    await until(world, TaskId, 'failed');
    expect(world.task(TaskId).code).toBe('ChecksumMismatch');
    expect(files(directory)).toEqual([]);
  });

  it('of a plane in memory is refused, and says what would help', async () => {
    const world = await exportWorld({ isMemory: true });
    const { call, ImageId } = world;
    const refusal = call('ExportImage', { ImageId, OSSBucket: BUCKET });
    await expect(refusal).rejects.toMatchObject({
      code: 'UnsupportedOperation',
      message: expect.stringContaining('exportDirectory'),
    });
  });

  it('that goes on in a plane without a directory has failed', async () => {
    const world = await exportWorld();
    const { call, ImageId } = world;
    const { TaskId } = await call('ExportImage', {
      ImageId,
      OSSBucket: BUCKET,
      BytesPerSecond: 4096,
    });
    await world.restart(null);
    await until(world, TaskId, 'failed');
    expect(world.task(TaskId).code).toBe('UnsupportedOperation');
  });

  it('takes buckets and prefixes as the cloud does, so that no name leads elsewhere', async () => {
    const { call, ImageId, runner } = await exportWorld();
    const refused = (parameters: object) =>
      codeOf(call('ExportImage', { ImageId, OSSBucket: BUCKET, ...parameters }));
    const buckets = [
      '..',
      'a',
      'ab',
      'a/../b',
      '-abc',
      'abc-',
      'ABC',
      'a.b',
      'a\0bc',
      'x'.repeat(64),
    ];
    for (const OSSBucket of buckets) expect(await refused({ OSSBucket })).toBe('InvalidParameter');
    for (const OSSPrefix of ['../', '/etc/', 'a/b', '.', 'a\0', 'x'.repeat(31)]) {
      expect(await refused({ OSSPrefix })).toBe('InvalidParameter');
    }
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string(), async (OSSBucket, OSSPrefix) => {
        fc.pre(/[^a-z0-9-]/.test(OSSBucket) || /[^A-Za-z0-9]/.test(OSSPrefix));
        expect(await refused({ OSSBucket, OSSPrefix })).toBe('InvalidParameter');
      }),
    );
    await runner().close();
  });

  it('of a dry run writes nothing', async () => {
    const { call, ImageId, directory } = await exportWorld();
    const asked = { ImageId, OSSBucket: BUCKET, DryRun: true };
    expect(await codeOf(call('ExportImage', asked))).toBe('DryRunOperation');
    expect(files(directory)).toEqual([]);
  });
});

describe('the task of an encrypted image, which no rule set lets begin', () => {
  it('uses its key, says so in the audit log, and waits while the key is not enabled', async () => {
    const world = await exportWorld({ kind: 'user' });
    const { ImageId, KMSKeyId, SnapshotId, failNext, world: inner } = world;
    const { metadata } = inner.control.context;
    const refusal = world.call('ExportImage', { ImageId, OSSBucket: BUCKET });
    expect(await codeOf(refusal)).toBe('ImageNotSupported');
    const image = metadata.getDocument('image', ImageId)!;
    failNext.open = new PlaneError('Rejected.Disabled', 'the test says so');
    const taskId = await world.runner().exportImage(image, `${BUCKET}/${ImageId}.raw`);
    await vi.waitFor(() => expect(world.task(taskId).code).toBe('Rejected.Disabled'));
    await world.runner().resume(taskId);
    await until(world, taskId, 'finished');
    const uses = metadata
      .listDocuments('audit', null, 0, 100)
      .records.filter(({ reason }) => reason === 'ExportImage');
    expect(uses.map(({ action, outcome, keyId }) => [action, outcome, keyId])).toEqual([
      ['UnwrapDataKey', 'Rejected.Disabled', KMSKeyId],
      ['UnwrapDataKey', 'OK', KMSKeyId],
    ]);
    expect(uses[0]?.resourceIds).toContain(SnapshotId);
    expect(uses[0]?.principal).toBe('root');
  }, 30_000);

  it('is not begun for want of the role to use keys', async () => {
    const world = await exportWorld();
    const record = { ...fullAccount(OWNER, 0), roles: [] };
    const { metadata } = world.world.control.context;
    await metadata.commit({ putDocuments: [{ kind: 'account', record }] });
    const refusal = world.call('ExportImage', { ImageId: world.ImageId, OSSBucket: BUCKET });
    expect(await codeOf(refusal)).toBe('NoSetRoletoECSServiceAcount');
  });
});
