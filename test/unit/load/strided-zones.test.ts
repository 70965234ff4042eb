/** zonemode=strided: which bytes are requested, as fio's own log of its requests has them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readJobFile } from '../../../src/load/job.ts';
import { createNullTarget } from '../../../src/load/target.ts';
import { runJobs, witness } from './doubles.ts';
import { fio, fioAbsent } from './fio-oracle.ts';

const BLOCK = 65_536;

/** Block numbers of a job's requests, in order. */
async function blocksOf(options: string): Promise<number[]> {
  const { target, requests } = witness(createNullTarget());
  await runJobs(`[z]\nbs=64k\n${options.replaceAll(' ', '\n')}`, target);
  return requests.map(({ offset }) => offset / BLOCK);
}

function blocksOfFio(options: string): number[] {
  const directory = mkdtempSync(join(tmpdir(), 'sealdisk-zones-'));
  try {
    const log = join(directory, 'log');
    const job = options.split(' ').map((option) => `--${option}`);
    fio('--name=z', '--ioengine=null', '--bs=64k', ...job, `--write_iolog=${log}`);
    const lines = readFileSync(log, 'utf8').split('\n');
    return lines.flatMap((line) => {
      const offset = / read (\d+) \d+$/.exec(line)?.[1];
      return offset === undefined ? [] : [Number(offset) / BLOCK];
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('zonemode=strided', () => {
  test('transfers zonesize in each zone, skips, and begins again at the end', async () => {
    const blocks = await blocksOf('rw=read size=2m zonesize=128k zoneskip=512k');
    // Zones begin at blocks 0, 10, 20, 30, and then again at 0.
    expect(blocks.slice(0, 10)).toEqual([0, 1, 10, 11, 20, 21, 30, 31, 0, 1]);
    expect(blocks).toHaveLength(32);
  });

  test('random requests stay in their zone, each block of it once', async () => {
    const blocks = await blocksOf('rw=randread size=4m zonesize=512k zoneskip=512k');
    for (let zone = 0; zone < 8; zone++) {
      const inZone = blocks.slice(zone * 8, zone * 8 + 8).sort((one, two) => one - two);
      const start = (zone % 4) * 16;
      expect(inZone).toEqual(Array.from({ length: 8 }, (_, at) => start + at));
    }
  });

  test('a zone that the end of the disk cuts is shorter', async () => {
    const blocks = await blocksOf('rw=randread size=640k io_size=4m zonesize=256k zoneskip=256k');
    const inSecond = blocks.filter((_, at) => Math.floor(at / 4) % 2 === 1);
    expect(new Set(inSecond)).toEqual(new Set([8, 9]));
  });

  test
    .skipIf(fioAbsent !== '')
    .each([
      'rw=read size=8m zonemode=strided zonesize=256k zoneskip=1m',
      'rw=read size=8m zonemode=strided zonesize=512k zonerange=256k zoneskip=256k',
      'rw=read size=8m zonemode=strided zonesize=128k zonerange=512k',
      'rw=read size=4m io_size=12m zonemode=strided zonesize=1m zoneskip=1m',
    ])(`requests what fio requests: %s ${fioAbsent}`, async (options) => {
    const expected = blocksOfFio(options);
    expect(expected.length).toBeGreaterThan(60);
    expect(await blocksOf(options)).toEqual(expected);
  });

  test.skipIf(fioAbsent !== '')(`random ones go through fio's zones ${fioAbsent}`, async () => {
    const options =
      'rw=randread size=8m zonemode=strided zonesize=256k zonerange=512k zoneskip=512k';
    const zonesOf = (blocks: number[]) => blocks.map((block) => Math.floor(block / 16));
    expect(zonesOf(await blocksOf(options))).toEqual(zonesOf(blocksOfFio(options)));
  });

  test.each([
    ['zonemode=strided', 'zonemode=strided needs zonesize'],
    ['zonemode=none\nzonesize=1m', 'zonemode=none has no zonesize'],
    ['zonesize=2k', 'zonerange: expected at least bs, 4096, got 2048'],
    ['zonemode=zbd', 'expected none or strided'],
  ])('%j is refused', (options, message) => {
    expect(() => readJobFile(`[a]\n${options}`, 'a.fio')).toThrow(message);
  });
});
