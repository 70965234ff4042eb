import { describe, expect, test } from 'vitest';
import { cosineOfTurns, exp, exponentialOf, ln, power } from '../../../src/fleet/elementary.ts';
import { nextUint32 } from '../../../src/fleet/random.ts';

function uniformFrom(state: Int32Array): () => number {
  return () => (nextUint32(state) + 0.5) / 2 ** 32;
}

/** The largest error of so many draws. */
function worst(errorOf: (uniform: () => number) => number): number {
  const uniform = uniformFrom(Int32Array.of(1, 2, 3, 4));
  let most = 0;
  for (let draw = 0; draw < 50_000; draw++) most = Math.max(most, errorOf(uniform));
  return most;
}

describe('elementary functions agree with those of the engine', () => {
  test('logarithm', () => {
    const error = worst((uniform) => {
      const x = uniform() * 2 ** (80 * (uniform() - 0.5));
      return Math.abs(ln(x) - Math.log(x)) / Math.max(1, Math.abs(Math.log(x)));
    });
    expect(error).toBeLessThan(1e-14);
    expect(ln(1)).toBeCloseTo(0, 15);
  });

  test('exponential', () => {
    const error = worst((uniform) => {
      const x = (uniform() - 0.5) * 200;
      return Math.abs(exp(x) / Math.exp(x) - 1);
    });
    expect(error).toBeLessThan(4e-14);
  });

  test('power and cosine', () => {
    const ofPower = worst((uniform) => {
      const [x, y] = [uniform() * 1e5, (uniform() - 0.5) * 4];
      return Math.abs(power(x, y) / x ** y - 1);
    });
    const ofCosine = worst((uniform) => {
      const turns = (uniform() - 0.5) * 20;
      return Math.abs(cosineOfTurns(turns) - Math.cos(2 * Math.PI * turns));
    });
    expect(Math.max(ofPower, ofCosine)).toBeLessThan(1e-13);
  });

  test('exponential draws are -ln of what is drawn', () => {
    for (const uint32 of [0, 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]) {
      expect(exponentialOf(uint32)).toBeCloseTo(-Math.log((uint32 + 0.5) / 2 ** 32), 12);
      expect(exponentialOf(uint32)).toBeGreaterThan(0);
    }
  });
});

test('their results are these bits, on every version of Node', () => {
  const values = new Float64Array(4000);
  const uniform = uniformFrom(Int32Array.of(1, 2, 3, 4));
  for (let at = 0; at < values.length; at += 4) {
    values[at] = ln(uniform() * 100);
    values[at + 1] = exp(uniform() * 40 - 20);
    values[at + 2] = power(uniform() * 1e4, uniform() * 2 - 1);
    values[at + 3] = cosineOfTurns(uniform() * 3);
  }
  // FNV-1a over the bytes.
  const hash = new Uint8Array(values.buffer).reduce(
    (sum, byte) => Math.imul(sum ^ byte, 0x01000193),
    0x811c9dc5,
  );
  expect((hash >>> 0).toString(16)).toBe('69bc223a');
});
