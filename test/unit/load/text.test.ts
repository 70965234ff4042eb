import { expect, test } from 'vitest';
import { startStatusLine, statusText } from '../../../src/load/status-line.ts';
import { duration, megabytes, shortCount, textTable } from '../../../src/load/text-table.ts';

test('columns are as wide as their widest cell, numbers to the right', () => {
  const table = textTable(
    [{ title: 'a', align: 'left' }, { title: 'long' }],
    [
      ['xyz', '1'],
      ['', '12345'],
    ],
  );
  expect(table).toBe('a     long\nxyz      1\n     12345');
});

test.each([
  [0, '0.00'],
  [7.25, '7.25'],
  [98.7, '98.7'],
  [999, '999'],
  [1000, '1.00k'],
  [412_345, '412k'],
  [1_610_000, '1.61M'],
])('%d is %s', (value, text) => {
  expect(shortCount(value)).toBe(text);
});

test.each([
  [850, '850ns'],
  [47_100, '47.1us'],
  [1_060_000, '1.06ms'],
  [2.5e9, '2.50s'],
  [3600e9, '3600s'],
])('%d ns is %s', (value, text) => {
  expect(duration(value)).toBe(text);
});

test('megabytes are of 10^6 bytes', () => {
  expect(megabytes(1_612_000_000)).toBe('1612');
});

test('the status line has share, rates since the last, and time to go', () => {
  const now = { phase: 'running', share: 0.25, requests: 3000, bytes: 4_000_000 } as const;
  expect(statusText(now, { requests: 1000, bytes: 0 }, 500, 10_000)).toBe(
    'running [25.0%][4.00k IOPS][8.00 MB/s][eta 00m:30s]',
  );
  expect(statusText({ ...now, share: Number.NaN }, now, 500, 10_000)).toContain(
    '[-.-%][0.00 IOPS]',
  );
  expect(statusText({ ...now, share: 2 }, now, 500, 10_000)).toContain('[100.0%]');
  expect(statusText({ ...now, share: 0.001 }, now, 500, 10_000)).toContain('[eta 02h:46m]');
});

const progress = () => ({ phase: 'running', share: 0.5, requests: 0, bytes: 0 }) as const;

test('nothing is written where there is no terminal', async () => {
  const written: string[] = [];
  const line = startStatusLine({ write: (text) => written.push(text) }, true, progress);
  await new Promise((resolve) => setTimeout(resolve, 600));
  line.stop();
  expect(written).toEqual([]);
});

test('a terminal has the line, cut to its width, coloured or not, erased at the end', async () => {
  const written: string[] = [];
  const stream = { isTTY: true, columns: 20, write: (text: string) => written.push(text) };
  const plain = startStatusLine(stream, false, progress);
  await new Promise((resolve) => setTimeout(resolve, 600));
  plain.stop();
  expect(written[0]).toBe('\r\x1b[Krunning [50.0%][0.0'.slice(0, 4 + 19));
  expect(written.at(-1)).toBe('\r\x1b[K');
  const coloured = startStatusLine(stream, true, progress);
  await new Promise((resolve) => setTimeout(resolve, 600));
  coloured.stop();
  expect(written.some((text) => text.includes('\x1b[2m'))).toBe(true);
});
