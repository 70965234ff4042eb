import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/prng.ts';
import { createFileTarget } from '../../../src/load/target-file.ts';
import { runJobs } from './doubles.ts';

const directory = mkdtempSync(join(tmpdir(), 'sealdisk-file-target-'));
afterAll(() => rmSync(directory, { recursive: true }));
const pathOf = (name: string): string => join(directory, name);

test('a verified job runs on a file, which holds what was written', async () => {
  const path = pathOf('one');
  const target = createFileTarget({ path, overwrites: false });
  const text =
    '[a]\nfilename=d\nrw=randrw\nbs=4k\nsize=256k\niodepth=16\nverify=crc32c\nfsync=8\nloops=2\n' +
    'norandommap';
  const [result] = await runJobs(text, target);
  expect(result!.run.error).toBeNull();
  expect(result!.run.log.checkedUnits).toBeGreaterThan(0);
  expect(statSync(path).size).toBe(256 * 1024);
  expect(readFileSync(path).some((byte) => byte !== 0)).toBe(true);
});

test('what is not empty is refused without leave to overwrite, and is not touched', async () => {
  const path = pathOf('held');
  writeFileSync(path, 'precious');
  const refused = createFileTarget({ path, overwrites: false }).openDisk('d', 4096);
  await expect(refused).rejects.toThrow('holds 8 bytes: --overwrite allows to write over them');
  expect(readFileSync(path, 'utf8')).toBe('precious');
  const target = createFileTarget({ path, overwrites: true });
  const disk = await target.openDisk('d', 4096);
  expect(disk).toMatchObject({ sizeBytes: 4096, isFresh: false });
  await target.close();
  await disk.close();
});

test('a directory has a file for each disk, a file is one disk', async () => {
  const many = createFileTarget({ path: `${pathOf('many')}/`, overwrites: false });
  await many.openDisk('a', 512);
  await many.openDisk('b/c', 512);
  expect((await many.openDisk('a', 512)).isFresh).toBe(false);
  await many.close();
  expect(statSync(pathOf('many/b%2Fc')).size).toBe(512);
  const one = createFileTarget({ path: pathOf('single'), overwrites: false });
  await one.openDisk('a', 512);
  await expect(one.openDisk('b', 512)).rejects.toThrow('is one disk, the load needs b too');
  await one.close();
});

test('requests on the same bytes take effect in the order made', async () => {
  const target = createFileTarget({ path: pathOf('order'), overwrites: false });
  const disk = await target.openDisk('d', 64 * 1024);
  const model = new Uint8Array(64 * 1024);
  const prng = createPrng(3);
  const checks: Promise<void>[] = [];
  const under: Promise<unknown>[] = [];
  for (let number = 1; number < 400; number++) {
    const offset = prng.nextBelow(15) * 4096;
    const length = 4096 * (1 + prng.nextBelow(2));
    const kind = prng.nextBelow(5);
    if (kind === 0) {
      model.fill(0, offset, offset + length);
      under.push(disk.trim(offset, length));
    } else if (kind < 3) {
      model.fill(number & 0xff, offset, offset + length);
      under.push(disk.write(offset, new Uint8Array(length).fill(number & 0xff)));
    } else {
      const wanted = Buffer.from(model.slice(offset, offset + length));
      const into = new Uint8Array(length);
      checks.push(
        disk.read(offset, into).then(() => expect(wanted.compare(into), `read ${number}`).toBe(0)),
      );
    }
  }
  await Promise.all([...under, ...checks]);
  expect(Buffer.compare(readFileSync(pathOf('order')), model)).toBe(0);
  await expect(disk.read(64 * 1024, new Uint8Array(1))).rejects.toThrow('OutOfRange');
  truncateSync(pathOf('order'), 100);
  await expect(disk.read(0, new Uint8Array(512))).rejects.toThrow('the file ends before');
  await target.close();
});
