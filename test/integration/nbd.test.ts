/** NBD, judged by clients that are not ours: libnbd, nbdkit, qemu, fio, and bytes made by hand. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PlaneError } from '../../dist/src/index.js';
import { longFactor } from '../support/long.ts';
import {
  absentModule,
  absentTools,
  diskWith,
  nbdSubject,
  PYTHON,
  run,
} from '../support/nbd-server.ts';
import { suiteSeed } from '../support/seed.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
/** 1 GiB where tests may run long. */
const COPIED_BYTES = longFactor > 1 ? GIB : 256 * MIB;
const CONFORMANCE = new URL('nbd-conformance.py', import.meta.url).pathname;
const DIFFERENTIAL = new URL('nbd-differential.py', import.meta.url).pathname;

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

describe('the protocol', () => {
  test.skipIf(absentModule !== '')(
    `every obligation, case by case, by libnbd and by raw bytes ${absentModule}`,
    async () => {
      await using subject = await nbdSubject([
        { name: 'disk' },
        { name: 'frozen', isReadOnly: true },
        { name: 'large', sizeGiB: 8 },
      ]);
      const words = ['disk', 'frozen', `${GIB}`, 'large', `${8 * GIB}`];
      const ended = await run(PYTHON, CONFORMANCE, subject.socketPath, ...words);
      expect([ended.code, ended.stderr]).toEqual([0, '']);
      const cases = ended.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { name: string; want: unknown; got: unknown });
      for (const { name, want, got } of cases) expect({ name, got }).toEqual({ name, got: want });
      expect(cases.length).toBeGreaterThan(270);
      expect(subject.bugs).toEqual([]);
    },
  );

  const absent = absentModule || absentTools('nbdkit');
  test.skipIf(absent !== '')(
    `20,000 random operations: bytes and errors as nbdkit's ${absent}`,
    async () => {
      await using subject = await nbdSubject([{ name: 'disk' }]);
      // nbdkit gives --run a URI of its own, and ends when the command does.
      const count = 20_000 * longFactor;
      const uris = `'${subject.uri('disk')}' "$uri"`;
      const command = `${PYTHON} ${DIFFERENTIAL} ${uris} ${count} ${suiteSeed}`;
      const ended = await run('nbdkit', '-U', '-', 'memory', '1G', '--run', command);
      expect([ended.code, ended.stdout]).toEqual([0, '']);
    },
  );
});

describe('programs people use', () => {
  const absentCopy = absentTools('nbdcopy');
  test.skipIf(absentCopy !== '')(
    `nbdcopy of ${COPIED_BYTES / MIB} MiB, in and out by 4 connections: equal hashes ${absentCopy}`,
    { timeout: 600_000 },
    async () => {
      await using subject = await nbdSubject([{ name: 'disk' }]);
      const from = join(subject.directory, 'from');
      const into = join(subject.directory, 'into');
      const block = randomBytes(COPIED_BYTES / 4);
      // Data, zeros and data: the holes in the middle are told and taken as such.
      await writeFile(from, Buffer.concat([block, Buffer.alloc(COPIED_BYTES / 2), block]));
      const words = ['--connections=4', '--requests=32', '--flush'];
      expect(await run('nbdcopy', ...words, from, subject.uri('disk'))).toMatchObject({ code: 0 });
      const { stdout } = await run('nbdinfo', '--map', '--totals', subject.uri('disk'));
      expect(stdout).toMatch(new RegExp(`^ *${COPIED_BYTES / 2} .* 0 +data`, 'm'));
      expect(await run('nbdcopy', ...words, subject.uri('disk'), into)).toMatchObject({ code: 0 });
      expect(await sha256(into)).toBe(await sha256Padded(from, GIB));
    },
  );

  test.skipIf(absentCopy !== '')(
    `nbdcopy fails when the disk does (CVE-2022-0485) ${absentCopy}`,
    async () => {
      const broken = (): Promise<never> => Promise.reject(new PlaneError('ReadFailed', 'planted'));
      await using subject = await nbdSubject([
        { name: 'disk', wrap: (disk) => diskWith(disk, { read: broken }) },
      ]);
      await subject.disks[0]!.write(0, randomBytes(MIB));
      const { code, stderr } = await run('nbdcopy', subject.uri('disk'), 'null:');
      expect(code).not.toBe(0);
      expect(stderr).toContain('Input/output error');
    },
  );

  const absentQemu = absentTools('qemu-img', 'qemu-io');
  test.skipIf(absentQemu !== '')(
    `qemu-img converts a qcow2 into it, and finds no difference ${absentQemu}`,
    async () => {
      await using subject = await nbdSubject([{ name: 'disk' }]);
      const image = join(subject.directory, 'a.qcow2');
      expect(await run('qemu-img', 'create', '-q', '-f', 'qcow2', image, '1G')).toMatchObject({
        code: 0,
      });
      const commands = [
        'write -P 7 3M 5M',
        'write -P 9 100M 64k',
        'write -z 4M 1M',
        'write -P 1 1023M 1M',
      ];
      const io = commands.flatMap((command) => ['-c', command]);
      expect(await run('qemu-io', ...io, image)).toMatchObject({ code: 0 });
      const uri = subject.uri('disk');
      const convert = ['convert', '-n', '-W', '-m', '8', '-O', 'raw', image, uri];
      expect(await run('qemu-img', ...convert)).toMatchObject({ code: 0, stderr: '' });
      expect(
        await run('qemu-img', 'compare', '-f', 'qcow2', '-F', 'raw', image, uri),
      ).toMatchObject({ code: 0, stdout: 'Images are identical.\n' });
      const map = await run('qemu-img', 'map', '--output=json', '-f', 'raw', uri);
      const extents = JSON.parse(map.stdout) as Record<string, number | boolean>[];
      const dataBytes = extents.reduce(
        (sum, each) => sum + (each.data === true ? Number(each.length) : 0),
        0,
      );
      expect(dataBytes).toBeLessThan(8 * MIB);
      expect(await run('qemu-io', '-f', 'raw', '-c', 'read -P 7 3M 1M', uri)).toMatchObject({
        code: 0,
      });
    },
  );

  const absentFio = absentTools('fio');
  test.skipIf(absentFio !== '')(`fio verifies what it wrote by crc32c ${absentFio}`, async () => {
    await using subject = await nbdSubject([{ name: 'disk' }]);
    const common = [
      '--ioengine=nbd',
      `--uri=${subject.uri('disk')}`,
      '--verify=crc32c',
      '--verify_state_save=0',
    ];
    const sizes = ['--bsrange=512-128k', '--bs_unaligned', '--size=32m', '--iodepth=32'];
    const ended = await run(
      'fio',
      '--name=a',
      '--rw=randwrite',
      '--verify_fatal=1',
      ...common,
      ...sizes,
    );
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stdout).toContain('err= 0');
    const trims = ['--name=b', '--rw=randtrimwrite', '--bs=4k', '--size=16m', '--iodepth=8'];
    const trimmed = ['--ioengine=nbd', `--uri=${subject.uri('disk')}`, ...trims];
    expect((await run('fio', ...trimmed)).stdout).toContain('err= 0');
  });
});

/** The hash of a file as it is on a larger disk of zeros. */
async function sha256Padded(path: string, size: number): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  const zeros = Buffer.alloc(MIB);
  for (; bytes < size; bytes += zeros.length) hash.update(zeros);
  return hash.digest('hex');
}
