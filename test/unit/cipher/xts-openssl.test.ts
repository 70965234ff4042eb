import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { allocateKey, allocateRegion, memoryRegion } from '../../../src/base/bytes.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import {
  type NativeFunction,
  type NativeLibrary,
  type NativeOpening,
  nativeLibrary,
} from '../../../src/base/native.ts';
import { SECTOR_BYTES } from '../../../src/base/units.ts';
import { runKnownAnswers } from '../../../src/cipher/xts-known-answers.ts';
import { opensslEngine } from '../../../src/cipher/xts-openssl.ts';

const real = nativeLibrary();
const LIVE_IV = 'EVP_CIPHER_CTX_iv_noconst';

/** The real binary, with some functions replaced (null: not exported), and contexts counted. */
interface Altered {
  readonly opening: NativeOpening;
  readonly contexts: { opened: number; freed: number };
}

type Replacement = ((real: NativeFunction) => NativeFunction) | null;

function altered(replacements: Record<string, Replacement>, view?: NativeLibrary['view']): Altered {
  if (real === null) throw new Error('these tests need native code');
  const contexts = { opened: 0, freed: 0 };
  const find: NativeLibrary['find'] = (prototype) => {
    const found = real.find(prototype);
    const name = /(\w+)\(/.exec(prototype)?.[1] ?? '';
    if (found === null || replacements[name] === null) return null;
    const replaced = replacements[name]?.(found) ?? found;
    if (name === 'EVP_CIPHER_CTX_new') return () => counted(replaced(), 'opened');
    if (name !== 'EVP_CIPHER_CTX_free') return replaced;
    return (context) => replaced(counted(context ?? 0, 'freed'));
  };
  const counted = (context: number, what: 'opened' | 'freed'): number => {
    if (context !== 0) contexts[what]++;
    return context;
  };
  return { opening: { library: { ...real, find, view: view ?? real.view } }, contexts };
}

function key(): Uint8Array {
  const bytes = allocateKey(64);
  for (let at = 0; at < 64; at++) bytes[at] = at + 1;
  return bytes;
}

/** Views that show the live iv as it was when they were made, where the number of the view says. */
function copiedView(isCopied: (viewNumber: number) => boolean): NativeLibrary['view'] {
  let views = 0;
  return (address, byteCount) => {
    const view = real?.view(address, byteCount) ?? new ArrayBuffer(byteCount);
    return isCopied(++views) ? view.slice(0) : view;
  };
}

/** Makes the n-th call of a function return something else. */
function onCall(turn: number, result: number): Replacement {
  let calls = 0;
  return (found) =>
    (...args) =>
      ++calls === turn ? result : found(...args);
}

describe('without native code', () => {
  it('is unavailable, and says why', () => {
    expect(() => opensslEngine({ library: null, failure: 'no koffi for this platform' })).toThrow(
      'CipherUnavailable: no native code: no koffi for this platform',
    );
  });
});

describe.skipIf(real === null)('with native code (skipped where there is none)', () => {
  it('sets the tweak through the live iv on this Node', () => {
    expect(opensslEngine().method).toMatch(/^OpenSSL [\d.]+.*, tweak by live iv$/);
  });

  it.each([
    'EVP_CIPHER_CTX_new',
    'EVP_CIPHER_CTX_free',
    'EVP_aes_256_xts',
    'EVP_EncryptInit_ex',
    'EVP_DecryptInit_ex',
    'EVP_Cipher',
    'ERR_clear_error',
  ])('is unavailable where the binary does not export %s', (name) => {
    const { opening } = altered({ [name]: null });
    expect(() => opensslEngine(opening)).toThrow(/^CipherUnavailable: .*does not export.*/);
    expect(() => opensslEngine(opening)).toThrow(name);
  });

  const foreign = memoryRegion(new Uint8Array(new ArrayBuffer(16)).fill(0x77));
  const liveIvFailures: [string, Altered, RegExp][] = [
    ['is not exported', altered({ [LIVE_IV]: null }), /not exported/],
    ['is NULL', altered({ [LIVE_IV]: () => () => 0 }), /shows no iv/],
    ['is other memory', altered({ [LIVE_IV]: () => () => foreign.address }), /not the iv of/],
    [
      'is a copy of what the provider uses',
      altered(
        {},
        copiedView(() => true),
      ),
      /sector 5/,
    ],
    // Encryption contexts are opened first.
    [
      'is a copy in encryption',
      altered(
        {},
        copiedView((n) => n % 2 === 1),
      ),
      /sector 5/,
    ],
    [
      'is a copy in decryption',
      altered(
        {},
        copiedView((n) => n % 2 === 0),
      ),
      /sector 5/,
    ],
    // The second context, after the first has shown that its own is live.
    [
      'is a copy in one context of four',
      altered(
        {},
        copiedView((n) => n === 3),
      ),
      /sector 5/,
    ],
    [
      'cannot be viewed in this runtime',
      altered({}, () => {
        throw new Error('external buffers are not supported');
      }),
      /external buffers are not supported/,
    ],
    ['stops working in the probe', altered({ EVP_Cipher: onCall(20, -1) }), /whole data unit/],
  ];
  it.each(liveIvFailures)('re-inits per sector where the live iv %s', (_, alteration, reason) => {
    const engine = opensslEngine(alteration.opening);
    expect(engine.method).toMatch(/tweak by re-init per sector/);
    expect(engine.method).toMatch(reason);
    runKnownAnswers(engine);
    expect(alteration.contexts.freed, 'no context is left over').toBe(alteration.contexts.opened);
  });

  it('frees both contexts of a key at the first close() and nothing at the second', () => {
    const { opening, contexts } = altered({});
    const engine = opensslEngine(opening);
    const before = { ...contexts };
    expect(before.freed, 'the probe leaves nothing open').toBe(before.opened);
    const opened = engine.openKey(key());
    expect(contexts).toEqual({ opened: before.opened + 2, freed: before.freed });
    opened.close();
    opened.close();
    expect(contexts).toEqual({ opened: before.opened + 2, freed: before.freed + 2 });
  });

  it('never touches a context, or its iv, after it was freed', () => {
    const { opening, contexts } = altered({});
    const { encryption, decryption } = opensslEngine(opening).openDataUnits(key());
    const region = allocateRegion(SECTOR_BYTES);
    encryption.close();
    decryption.close();
    const { freed } = contexts;
    expect(() => encryption.tweak.setUint32(0, 1, true)).toThrow(RangeError);
    expect(() => encryption.crypt(region, 0, region, 0, SECTOR_BYTES)).toThrow(InvariantError);
    encryption.close();
    expect(contexts.freed).toBe(freed);
  });

  it.each(['first', 'second'])('leaves nothing open when there is no %s context', (which) => {
    let failFrom = Number.POSITIVE_INFINITY;
    let calls = 0;
    const { opening, contexts } = altered({
      EVP_CIPHER_CTX_new: (found) => () => (++calls >= failFrom ? 0 : found()),
    });
    const engine = opensslEngine(opening);
    failFrom = calls + (which === 'first' ? 1 : 2);
    expect(() => engine.openKey(key())).toThrow('CipherUnavailable: no memory');
    expect(contexts.freed).toBe(contexts.opened);
  });

  it.each(['EVP_EncryptInit_ex', 'EVP_DecryptInit_ex'])(
    'leaves nothing open, and no queued error, when %s fails',
    (name) => {
      let isFailing = false;
      let cleared = 0;
      const { opening, contexts } = altered({
        [name]:
          (found) =>
          (...args) =>
            isFailing ? 0 : found(...args),
        ERR_clear_error: (found) => () => {
          cleared++;
          return found();
        },
      });
      const engine = opensslEngine(opening);
      isFailing = true;
      expect(() => engine.openKey(key())).toThrow('CipherUnavailable: EVP init returned 0');
      expect(contexts.freed).toBe(contexts.opened);
      expect(cleared).toBe(1);
    },
  );

  it('ends the thread when OpenSSL does not do a whole sector', () => {
    let result: number | null = null;
    const { opening } = altered({
      EVP_Cipher:
        (found) =>
        (...args) =>
          result ?? found(...args),
    });
    const opened = opensslEngine(opening).openKey(key());
    const region = allocateRegion(2 * SECTOR_BYTES);
    // -1: an error; 1: what a legacy (engine) cipher returns; 4080: a short unit.
    for (result of [-1, 0, 1, 4080]) {
      expect(() => opened.encrypt(region, 0, region, 0, 0, 2)).toThrow(InvariantError);
      expect(() => opened.decrypt(region, 0, region, 0, 0, 2)).toThrow(InvariantError);
    }
    result = null;
    opened.close();
  });

  it('ends the thread when a re-init fails', () => {
    let isFailing = false;
    const { opening } = altered({
      [LIVE_IV]: null,
      EVP_EncryptInit_ex:
        (found) =>
        (...args) =>
          isFailing ? 0 : found(...args),
    });
    const opened = opensslEngine(opening).openKey(key());
    const region = allocateRegion(SECTOR_BYTES);
    isFailing = true;
    expect(() => opened.encrypt(region, 0, region, 0, 0, 1)).toThrow(InvariantError);
    opened.close();
  });

  it('gives native code no region that has no address', () => {
    const opened = opensslEngine().openKey(key());
    const region = allocateRegion(SECTOR_BYTES);
    const nowhere = { bytes: region.bytes, address: 0 };
    const other = allocateRegion(SECTOR_BYTES);
    expect(() => opened.encrypt(nowhere, 0, other, 0, 0, 1)).toThrow(InvariantError);
    expect(() => opened.encrypt(other, 0, nowhere, 0, 0, 1)).toThrow(InvariantError);
    opened.close();
  });

  it('erases its own copy of the key before openKey() returns', () => {
    const copies: Uint8Array[] = [];
    const watch: Replacement =
      (found) =>
      (...args) => {
        const at = args[3] ?? 0;
        if (at !== 0) copies.push(new Uint8Array(real?.view(at, 64) ?? new ArrayBuffer(0)));
        return found(...args);
      };
    const { opening } = altered({ EVP_EncryptInit_ex: watch, EVP_DecryptInit_ex: watch });
    const engine = opensslEngine(opening);
    copies.length = 0;
    const caller = key();
    const opened = engine.openKey(caller);
    expect(copies.length).toBe(2);
    for (const copy of copies) expect(copy.every((byte) => byte === 0)).toBe(true);
    expect(
      caller.some((byte) => byte !== 0),
      'the caller’s key is the caller’s',
    ).toBe(true);
    opened.close();
  });

  it('stays right through thousands of keys opened and closed while memory is collected', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const engine = opensslEngine();
    const lasting = engine.openKey(key());
    const plain = allocateRegion(SECTOR_BYTES);
    const expected = allocateRegion(SECTOR_BYTES);
    lasting.encrypt(plain, 0, expected, 0, 2 ** 33, 1);
    for (let turn = 0; turn < 5_000; turn++) {
      const passing = engine.openKey(key());
      const target = allocateRegion(SECTOR_BYTES);
      passing.encrypt(plain, 0, target, 0, 2 ** 33, 1);
      passing.close();
      if (turn % 500 === 0) collect();
      if (Buffer.compare(target.bytes, expected.bytes) !== 0) expect.fail(`turn ${turn}`);
    }
    lasting.decrypt(expected, 0, expected, 0, 2 ** 33, 1);
    expect(Buffer.compare(expected.bytes, plain.bytes)).toBe(0);
    lasting.close();
  });
});
