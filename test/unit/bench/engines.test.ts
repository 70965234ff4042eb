import { describe, expect, it } from 'vitest';
import { enginesBench } from '../../../bench/micro/engines.bench.ts';
import { surveyEngines } from '../../../src/cipher/select-engine.ts';

describe('enginesBench', () => {
  it('measures every engine that works here, both ways and sizes, and crc32', async () => {
    const rows = await enginesBench('smoke');
    const engines = surveyEngines().filter(({ verdict }) => verdict !== 'failed');
    const expected = engines.flatMap(({ name }) =>
      ['encrypt 4 KiB', 'encrypt 128 KiB', 'decrypt 4 KiB', 'decrypt 128 KiB'].map(
        (what) => `${name} ${what}`,
      ),
    );
    expect(rows.map(({ name }) => name)).toEqual([...expected, 'crc32 4 KiB', 'crc32 128 KiB']);
    for (const { name, opsPerSecond, bytesPerSecond } of rows) {
      expect(opsPerSecond, name).toBeGreaterThan(0);
      const byteCount = name.endsWith('128 KiB') ? 131_072 : 4_096;
      expect(bytesPerSecond, name).toBeCloseTo(opsPerSecond * byteCount, -1);
    }
  });
});
