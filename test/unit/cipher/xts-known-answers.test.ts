import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import type { SectorCipherEngine, SectorKey } from '../../../src/cipher/sector-cipher.ts';
import { runKnownAnswers } from '../../../src/cipher/xts-known-answers.ts';
import { nodeEngine } from '../../../src/cipher/xts-node.ts';

type Call = Parameters<SectorKey['encrypt']>;
type Direction = 'encrypt' | 'decrypt';

/** node:crypto, with something done after each call; counts keys that are open. */
function altered(after: (direction: Direction, call: Call) => void): {
  engine: SectorCipherEngine;
  open: () => number;
} {
  const real = nodeEngine();
  let open = 0;
  const openKey = (xtsKey: Uint8Array): SectorKey => {
    const key = real.openKey(xtsKey);
    open++;
    const run =
      (direction: Direction) =>
      (...call: Call): void => {
        key[direction](...call);
        after(direction, call);
      };
    return {
      encrypt: run('encrypt'),
      decrypt: run('decrypt'),
      close: () => {
        open--;
        key.close();
      },
    };
  };
  return { engine: { name: 'node-crypto', openKey }, open: () => open };
}

function flipBitAt(call: Call, at: number): void {
  const [, , target, targetOffset] = call;
  target.bytes[targetOffset + at] = (target.bytes[targetOffset + at] ?? 0) ^ 1;
}

describe('runKnownAnswers', () => {
  it('passes an engine that is right, and leaves no key open', () => {
    const { engine, open } = altered(() => {});
    expect(() => runKnownAnswers(engine)).not.toThrow();
    expect(open()).toBe(0);
  });

  it.each([
    ['encrypt', 0, 0, 'sector 0 encrypted'],
    ['encrypt', 1, 4095, 'sector 1 encrypted'],
    ['encrypt', 2 ** 32, 17, 'sector 4294967296 encrypted'],
    ['encrypt', Number.MAX_SAFE_INTEGER, 17, 'sector 9007199254740991 encrypted'],
    ['decrypt', 0, 4095, 'sector 0 decrypted in place'],
    ['decrypt', 1, 0, 'sector 1 decrypted in place'],
    ['decrypt', 2 ** 32, 0, 'sector 4294967296 decrypted in place'],
    ['decrypt', Number.MAX_SAFE_INTEGER, 0, 'sector 9007199254740991 decrypted in place'],
  ] as const)('fails an engine that %ss sector %d wrong at byte %d', (wrong, sector, at, what) => {
    const { engine, open } = altered((direction, call) => {
      if (direction === wrong && call[4] === sector && call[5] === 1) flipBitAt(call, at);
    });
    const message = `CipherUnavailable: node-crypto gives a wrong answer: ${what}`;
    expect(() => runKnownAnswers(engine)).toThrow(message);
    expect(open()).toBe(0);
  });

  it.each([
    ['encrypt', 0, 'sector 0 of two encrypted'],
    ['encrypt', 4096, 'sector 1 of two encrypted'],
    ['decrypt', 8191, 'two sectors decrypted in place'],
  ] as const)('fails an engine that %ss a batch wrong at byte %d', (wrong, at, what) => {
    const { engine } = altered((direction, call) => {
      if (direction === wrong && call[5] === 2) flipBitAt(call, at);
    });
    expect(() => runKnownAnswers(engine)).toThrow(what);
  });

  it('fails an engine that throws, and keeps the cause', () => {
    const cause = new RangeError('engine is broken');
    const { engine, open } = altered(() => {
      throw cause;
    });
    let error: unknown;
    try {
      runKnownAnswers(engine);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PlaneError);
    expect(error).toMatchObject({ code: 'CipherUnavailable', cause });
    expect(String(error)).toContain('node-crypto fails at its known answers: engine is broken');
    expect(open()).toBe(0);
  });

  it('fails an engine that throws what is not an error', () => {
    const { engine } = altered(() => {
      throw 'a string';
    });
    expect(() => runKnownAnswers(engine)).toThrow('a string');
  });

  it('fails an engine that opens no key', () => {
    const openKey = (): SectorKey => {
      throw new PlaneError('CipherUnavailable', 'no XTS in this OpenSSL');
    };
    expect(() => runKnownAnswers({ name: 'node-crypto', openKey })).toThrow(
      'CipherUnavailable: no XTS in this OpenSSL',
    );
  });
});
