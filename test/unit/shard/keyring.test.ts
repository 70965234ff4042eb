/** Keys on their way into the cipher: refused, late, or met by a bug; and that nothing stays. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import type { SectorCipherEngine, SectorKey } from '../../../src/cipher/sector-cipher.ts';
import { referenceEngine } from '../../../src/cipher/xts-reference.ts';
import { KMS_TIMEOUT_MS } from '../../../src/limits.ts';
import type { UnwrapRequest } from '../../../src/record/kms-message.ts';
import { Keyring } from '../../../src/shard/keyring.ts';

const context = { accountId: 'a', regionId: 'r', lineageId: 'd' };
const wrapped = { tree: 'd', wrappedKey: new Uint8Array(90), context };
const plain = { tree: 'p', wrappedKey: null, context: null };

type Outcome = readonly (SectorKey | null)[] | PlaneError;

/** A keyring whose engine counts the keys it has open, and whose clock stands until moved. */
function subject(open?: () => never) {
  const asked: UnwrapRequest[] = [];
  const clock = { time: 0, now: () => 0, monotonic: () => clock.time };
  const state = { openKeys: 0 };
  const reference = referenceEngine();
  const engine: SectorCipherEngine = {
    ...reference,
    name: reference.name,
    openKey(key: Uint8Array) {
      open?.();
      const opened = reference.openKey(key);
      state.openKeys++;
      let isOpen = true;
      return Object.assign(Object.create(opened) as SectorKey, {
        close() {
          if (isOpen) state.openKeys--;
          isOpen = false;
          opened.close();
        },
      });
    },
  };
  const keyring = new Keyring(engine, (request) => asked.push(request), clock);
  const outcomes: Outcome[] = [];
  const answer = (index: number, fill: number): Uint8Array => {
    const key = new Uint8Array(new ArrayBuffer(32)).fill(fill);
    keyring.answer({ id: asked[index]?.id ?? 0, key: key.buffer });
    return key;
  };
  return {
    keyring,
    asked,
    clock,
    state,
    outcomes,
    answer,
    take: (outcome: Outcome) => void outcomes.push(outcome),
  };
}

describe('the keys of a volume', () => {
  it('of plain layers alone are there at once', () => {
    const { keyring, outcomes, asked, take } = subject();
    keyring.askAll([plain, plain], take);
    expect([outcomes, asked]).toEqual([[[null, null]], []]);
  });

  it('are all given, in the order asked for, when the last has come', () => {
    const { keyring, outcomes, answer, state, take } = subject();
    keyring.askAll([wrapped, plain, wrapped], take);
    expect(answer(1, 2)).toEqual(new Uint8Array(32));
    expect(outcomes).toEqual([]);
    expect(answer(0, 1)).toEqual(new Uint8Array(32));
    expect((outcomes[0] as readonly unknown[]).map((each) => each !== null)).toEqual([
      true,
      false,
      true,
    ]);
    expect(state.openKeys).toBe(2);
  });

  it('are none at all when one is refused: those that came are erased', () => {
    const { keyring, asked, outcomes, answer, state, take } = subject();
    keyring.askAll([wrapped, wrapped], take);
    answer(0, 1);
    const error = new PlaneError('WrappedKeyInvalid', 'not this one').toRecord();
    keyring.answer({ id: asked[1]?.id ?? 0, error });
    expect(outcomes).toMatchObject([{ code: 'WrappedKeyInvalid' }]);
    expect(state.openKeys).toBe(0);
  });

  it('that do not come in time are KmsUnavailable, and what comes late is erased', () => {
    const { keyring, clock, outcomes, answer, state, take } = subject();
    keyring.expire();
    keyring.askAll([wrapped, wrapped], take);
    answer(0, 1);
    clock.time = KMS_TIMEOUT_MS - 1;
    keyring.expire();
    expect(outcomes).toEqual([]);
    clock.time = KMS_TIMEOUT_MS + 1;
    keyring.expire();
    expect(outcomes).toMatchObject([{ code: 'KmsUnavailable' }]);
    expect(answer(1, 2)).toEqual(new Uint8Array(32));
    expect([outcomes.length, state.openKeys]).toEqual([1, 0]);
  });

  it('that wait for others when the shard stops are erased, and nobody is told', () => {
    const { keyring, outcomes, answer, state, take } = subject();
    keyring.askAll([wrapped, wrapped], take);
    answer(0, 1);
    expect(state.openKeys).toBe(1);
    keyring.close();
    expect([outcomes, state.openKeys]).toEqual([[], 0]);
  });

  it('the engine refuses are an answer; a bug of the engine is none, and the bytes go', () => {
    const refused = subject(() => {
      throw new PlaneError('CipherUnavailable', 'no');
    });
    refused.keyring.askAll([wrapped], refused.take);
    refused.answer(0, 1);
    expect(refused.outcomes).toMatchObject([{ code: 'CipherUnavailable' }]);

    const broken = subject(() => {
      throw new TypeError('a bug');
    });
    broken.keyring.askAll([wrapped], broken.take);
    const key = new Uint8Array(new ArrayBuffer(32)).fill(3);
    const { id = 0 } = broken.asked[0] ?? {};
    expect(() => broken.keyring.answer({ id, key: key.buffer })).toThrow(TypeError);
    expect(key).toEqual(new Uint8Array(32));
  });
});
