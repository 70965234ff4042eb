import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { nativeOpening } from '../../../src/base/native.ts';
import type { SectorCipherName } from '../../../src/cipher/sector-cipher.ts';
import {
  type EngineCandidate,
  engineCandidates,
  selectEngine,
  surveyEngines,
} from '../../../src/cipher/select-engine.ts';
import { nodeEngine } from '../../../src/cipher/xts-node.ts';

const hasNative = nativeOpening().library !== null;

/** Passes, fails at opening, or gives wrong answers. */
function candidate(name: SectorCipherName, fate: 'passes' | 'absent' | 'wrong'): EngineCandidate {
  return {
    name,
    open() {
      if (fate === 'absent') throw new PlaneError('CipherUnavailable', `${name} is not here`);
      const engine = { ...nodeEngine(), name, method: `${name} as such` };
      if (fate === 'passes') return engine;
      const openKey: typeof engine.openKey = (xtsKey) => {
        const other = xtsKey.slice();
        other[0] = (other[0] ?? 0) ^ 1;
        return engine.openKey(other);
      };
      return { ...engine, openKey };
    },
  };
}

describe('selectEngine', () => {
  it.skipIf(!hasNative)('takes OpenSSL by FFI here, and looks no further', () => {
    const { engine, considered } = selectEngine('auto');
    expect(engine.name).toBe('openssl-ffi');
    expect(considered).toEqual([
      { name: 'openssl-ffi', verdict: 'chosen', reason: expect.stringMatching(/live iv$/) },
    ]);
  });

  it('takes node:crypto where there is no native code, and says why', () => {
    const candidates = engineCandidates({ library: null, failure: 'koffi: wrong platform' });
    const { engine, considered } = selectEngine('auto', candidates);
    expect(engine.name).toBe('node-crypto');
    expect(considered).toEqual([
      {
        name: 'openssl-ffi',
        verdict: 'failed',
        reason: 'no native code: koffi: wrong platform',
      },
      { name: 'node-crypto', verdict: 'chosen', reason: expect.stringMatching(/^node:crypto/) },
    ]);
  });

  it('passes over an engine that gives wrong answers', () => {
    const { engine, considered } = selectEngine('auto', [
      candidate('openssl-ffi', 'wrong'),
      candidate('node-crypto', 'absent'),
      candidate('noble-reference', 'passes'),
    ]);
    expect(engine.name).toBe('noble-reference');
    expect(considered.map(({ verdict }) => verdict)).toEqual(['failed', 'failed', 'chosen']);
    expect(considered[0]?.reason).toContain('gives a wrong answer: sector 0 encrypted');
    expect(considered[1]?.reason).toBe('node-crypto is not here');
  });

  it.each(['node-crypto', 'noble-reference'] as const)('takes %s when asked by name', (name) => {
    const { engine, considered } = selectEngine(name);
    expect(engine.name).toBe(name);
    expect(considered).toHaveLength(1);
  });

  it('takes no other engine than the one asked for by name', () => {
    const candidates = [candidate('openssl-ffi', 'absent'), candidate('node-crypto', 'passes')];
    expect(() => selectEngine('openssl-ffi', candidates)).toThrow(
      'CipherUnavailable: openssl-ffi: openssl-ffi is not here',
    );
  });

  it('names every engine and its reason when none passes', () => {
    const candidates = [candidate('openssl-ffi', 'absent'), candidate('node-crypto', 'wrong')];
    expect(() => selectEngine('auto', candidates)).toThrow(
      /^CipherUnavailable: openssl-ffi: openssl-ffi is not here; node-crypto: .*wrong answer/,
    );
  });

  it('says so when there is no engine of a name', () => {
    expect(() => selectEngine('openssl-ffi', [])).toThrow('no engine is called openssl-ffi');
  });

  it('does not hide a bug in an engine behind the next engine', () => {
    const buggy: EngineCandidate = {
      name: 'openssl-ffi',
      open() {
        throw new TypeError('undefined is not a function');
      },
    };
    expect(() => selectEngine('auto', [buggy, candidate('node-crypto', 'passes')])).toThrow(
      TypeError,
    );
  });
});

describe('surveyEngines', () => {
  it('considers every engine, and marks the one that auto takes', () => {
    const survey = surveyEngines([
      candidate('openssl-ffi', 'absent'),
      candidate('node-crypto', 'passes'),
      candidate('noble-reference', 'passes'),
    ]);
    expect(survey).toEqual([
      { name: 'openssl-ffi', verdict: 'failed', reason: 'openssl-ffi is not here' },
      { name: 'node-crypto', verdict: 'chosen', reason: 'node-crypto as such' },
      { name: 'noble-reference', verdict: 'passed', reason: 'noble-reference as such' },
    ]);
  });

  it('agrees with auto on this machine', () => {
    const chosen = surveyEngines().find(({ verdict }) => verdict === 'chosen');
    expect(chosen?.name).toBe(selectEngine('auto').engine.name);
    expect(surveyEngines()).toHaveLength(3);
  });
});
