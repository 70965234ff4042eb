/** The load generator beside fio: the same job on the same export moves the same bytes. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { absentTools } from '../support/nbd-server.ts';

const CROSS = new URL('../../dist/bench/load-cross.js', import.meta.url).pathname;
const absent = absentTools('fio');
const REQUESTS = 2000;
const ROUNDS = 2;

interface Row {
  readonly figure: string;
  readonly fio: number;
  readonly sealdisk: number;
  readonly bytes: { readonly fio: readonly number[]; readonly sealdisk: readonly number[] };
}

describe.skipIf(absent !== '')(`fio and sealdisk load ${absent}`, () => {
  test.each([
    ['sealdisk', 'randread:4k:4'],
    ['null', 'randwrite:4k:4'],
  ])('on %s, %s: both make all requests, and figures of one kind', (server, workload) => {
    const options = ['--rounds', `${ROUNDS}`, '--requests', `${REQUESTS}`, '--server', server];
    const words = [CROSS, '--json', ...options, workload];
    const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect(stderr).toBe('');
    const rows = JSON.parse(stdout) as Row[];
    expect(rows.map(({ figure }) => figure.split(',')[0])).toEqual([
      'IOPS',
      'p50',
      'p99',
      'CPU a request',
    ]);
    for (const { bytes } of rows) {
      const all = Array<number>(ROUNDS).fill(REQUESTS * 4096);
      expect(bytes).toEqual({ fio: all, sealdisk: all });
    }
    const [iops, p50] = rows as [Row, Row];
    // Nanoseconds taken for microseconds, or requests for bytes, would be a factor of a thousand.
    for (const { fio, sealdisk } of server === 'null' ? [] : [iops, p50]) {
      expect(sealdisk / fio).toBeGreaterThan(1 / 10);
      expect(sealdisk / fio).toBeLessThan(10);
    }
  });
});
