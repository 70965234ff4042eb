import { describe, expect, it } from 'vitest';
import { engines } from '../../../bench/micro/engines.bench.ts';
import { surveyEngines } from '../../../src/cipher/select-engine.ts';

describe('the engines benchmark', () => {
  it('measures every engine that works here, both ways and sizes', async () => {
    const rows = await engines(true);
    const working = surveyEngines().filter(({ verdict }) => verdict !== 'failed');
    const expected = working.flatMap(({ name }) =>
      ['encrypt 4 KiB', 'encrypt 128 KiB', 'decrypt 4 KiB', 'decrypt 128 KiB'].map(
        (what) => `${name} ${what}`,
      ),
    );
    expect(rows.map(({ name }) => name)).toEqual(expected);
    for (const { name, opsPerSecond, bytesPerSecond } of rows) {
      expect(opsPerSecond, name).toBeGreaterThan(0);
      const byteCount = name.endsWith('128 KiB') ? 131_072 : 4_096;
      expect(bytesPerSecond, name).toBeCloseTo(opsPerSecond * byteCount, -1);
    }
  });
});
