/** Who is let in: both schemes, good, bad, late, and twice. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AccessKeys, type AuthMode } from '../../../../src/front/api/access-keys.ts';
import {
  type AuthenticationRules,
  authenticate,
  type WireRequest,
} from '../../../../src/front/api/authenticate.ts';
import { Nonces } from '../../../../src/front/api/nonces.ts';
import {
  acs3Request,
  refusedWith,
  TIME,
  version1Request,
} from '../../../support/signed-request.ts';

const ALICE = {
  accessKeyId: 'alice-key',
  accessKeySecret: 'alice-secret',
  accountId: '1000000000000002',
  userName: 'alice',
  regionId: 'cn-beijing',
};
const TEMPORARY = {
  accessKeyId: 'STS.key',
  accessKeySecret: 'sts-secret',
  securityToken: 'token-1',
  expiration: '2026-11-22T01:00:00Z',
};
const NOW = Date.parse(TIME);
const MINUTE_MS = 60_000;

function rules(mode: AuthMode = 'strict', now = NOW): AuthenticationRules {
  const keys = new AccessKeys([ALICE, TEMPORARY]);
  return { mode, keys, nonces: new Nonces(), now: () => now };
}

function codeOf(request: WireRequest, its: AuthenticationRules): string {
  return refusedWith(() => authenticate(request, its));
}

const SCHEMES = [
  ['ACS3-HMAC-SHA256', acs3Request],
  ['HMAC-SHA1', version1Request],
] as const;

describe.each(SCHEMES)('%s', (_, sign) => {
  test('a right signature is the caller its key says', () => {
    const { accountId, userName, regionId } = ALICE;
    const caller = authenticate(sign({ key: ALICE }), rules());
    expect(caller).toEqual({ accountId, userName, regionId });
  });

  test('a wrong secret does not match', () => {
    const key = { ...ALICE, accessKeySecret: 'guessed' };
    expect(codeOf(sign({ key }), rules())).toBe('SignatureDoesNotMatch');
    expect(codeOf(sign({ key }), rules('any'))).toBe('SignatureDoesNotMatch');
  });

  test('an unknown key id is refused by strict, and the default account by any', () => {
    const key = { accessKeyId: 'nobody', accessKeySecret: 'x' };
    expect(codeOf(sign({ key }), rules())).toBe('InvalidAccessKeyId.NotFound');
    expect(authenticate(sign({ key }), rules('any'))).toEqual({ accountId: '1000000000000001' });
  });

  test('under any, a key id may name an account, and a RAM user of it', () => {
    const account = { accessKeyId: '1000000000000003', accessKeySecret: 'x' };
    const user = { accessKeyId: '1000000000000003/bob', accessKeySecret: 'x' };
    const accountId = '1000000000000003';
    expect(authenticate(sign({ key: account }), rules('any'))).toEqual({ accountId });
    expect(authenticate(sign({ key: user }), rules('any'))).toEqual({ accountId, userName: 'bob' });
  });

  test('a time within fifteen minutes is accepted, on either side, and no other', () => {
    for (const offset of [-15, 15]) {
      const caller = authenticate(sign({ key: ALICE }), rules('strict', NOW + offset * MINUTE_MS));
      expect(caller.userName).toBe('alice');
    }
    for (const offset of [-16, 16]) {
      const code = codeOf(sign({ key: ALICE }), rules('strict', NOW + offset * MINUTE_MS));
      expect(code).toBe('IllegalTimestamp');
    }
  });

  test('what is no time at all is no credentials', () => {
    for (const time of ['yesterday', '2026-13-45T99:99:99Z', '2026-11-22']) {
      expect(codeOf(sign({ key: ALICE, time }), rules())).toBe('IncompleteSignature');
      expect(codeOf(sign({ key: ALICE, time }), rules('any'))).toBe('IncompleteSignature');
    }
  });

  test('of fifty replays one wins', () => {
    const its = rules();
    const request = sign({ key: ALICE });
    const outcomes = Array.from({ length: 50 }, () => {
      try {
        return authenticate(request, its).userName;
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    expect(outcomes.filter((each) => each === 'alice')).toHaveLength(1);
    expect(outcomes.filter((each) => each === 'SignatureNonceUsed')).toHaveLength(49);
  });

  test('a refused request does not use up its nonce', () => {
    const its = rules();
    const wrong = sign({ key: { ...ALICE, accessKeySecret: 'guessed' } });
    expect(codeOf(wrong, its)).toBe('SignatureDoesNotMatch');
    expect(authenticate(sign({ key: ALICE }), its).userName).toBe('alice');
  });

  test('temporary credentials come with their token, until they end', () => {
    expect(authenticate(sign({ key: TEMPORARY }), rules()).accountId).toBe('1000000000000001');
    const { securityToken: _, ...bare } = TEMPORARY;
    expect(codeOf(sign({ key: bare }), rules())).toBe('MissingSecurityToken');
    const other = { ...TEMPORARY, securityToken: 'token-2' };
    const mismatch = 'InvalidSecurityToken.MismatchWithAccessKey';
    expect(codeOf(sign({ key: other }), rules())).toBe(mismatch);
    expect(codeOf(sign({ key: { ...ALICE, securityToken: 'token-1' } }), rules())).toBe(mismatch);
    const late = rules('strict', Date.parse(TEMPORARY.expiration));
    const time = TEMPORARY.expiration;
    expect(codeOf(sign({ key: TEMPORARY, time }), late)).toBe('InvalidSecurityToken.Expired');
  });

  test('off looks at nothing', () => {
    const nobody = { ...sign({ key: ALICE }), headers: {}, query: new Map() };
    expect(authenticate(nobody, rules('off'))).toEqual({ accountId: '1000000000000001' });
    expect(codeOf(nobody, rules('any'))).toBe('IncompleteSignature');
    expect(codeOf(nobody, rules())).toBe('IncompleteSignature');
  });
});

describe('a single mutation is refused', () => {
  /** Another text of the same alphabet that differs in one place. */
  function mutate(text: string, at: number): string {
    const place = at % Math.max(1, text.length);
    const letter = text[place] === 'a' ? 'b' : 'a';
    return text.slice(0, place) + letter + text.slice(place + 1);
  }

  test('of any signed header, of the query or of the body, under ACS3: 2,000 of them', () => {
    const form = 'Filter.1.Key=CreationStartTime';
    const names = Object.keys(acs3Request({ key: ALICE, form }).headers);
    const place = fc.oneof(fc.constantFrom(...names), fc.constantFrom('query', 'name', 'body'));
    fc.assert(
      fc.property(place, fc.nat(300), (name, at) => {
        const request = acs3Request({ key: ALICE, query: 'RegionId=cn-hangzhou&Size=40', form });
        const { headers } = request;
        let mutated: WireRequest = request;
        if (name === 'query') {
          mutated = { ...request, query: new Map([...request.query, ['Size', mutate('40', at)]]) };
        } else if (name === 'name') {
          mutated = { ...request, query: new Map([...request.query, [`Extra${at}`, '']]) };
        } else if (name === 'body') {
          mutated = { ...request, body: Buffer.from(mutate(form, at)) };
        } else {
          const value = headers[name] ?? '';
          mutated = { ...request, headers: { ...headers, [name]: mutate(value, at) } };
        }
        expect(() => authenticate(mutated, rules())).toThrow();
      }),
      { numRuns: 2_000 },
    );
  });

  test('of any parameter under HMAC-SHA1: 2,000 of them', () => {
    const request = version1Request({ key: ALICE, query: 'RegionId=cn-hangzhou&Size=40' });
    fc.assert(
      fc.property(fc.constantFrom(...request.query.keys()), fc.nat(300), (name, at) => {
        const value = request.query.get(name) ?? '';
        const query = new Map([...request.query, [name, mutate(value, at)]]);
        expect(() => authenticate({ ...request, query }, rules())).toThrow();
      }),
      { numRuns: 2_000 },
    );
    const added = { ...request, query: new Map([...request.query, ['Encrypted', 'false']]) };
    expect(codeOf(added, rules())).toBe('SignatureDoesNotMatch');
    expect(codeOf({ ...request, method: 'POST' }, rules())).toBe('SignatureDoesNotMatch');
  });

  test('a header the door reads has to be among the signed ones', () => {
    const request = acs3Request({ key: ALICE });
    const { authorization = '' } = request.headers;
    for (const name of ['host', 'x-acs-action', 'x-acs-version', 'x-acs-date']) {
      const unsigned = authorization.replace(new RegExp(`${name};|;${name}(?=,)`), '');
      const headers = { ...request.headers, authorization: unsigned };
      expect(codeOf({ ...request, headers }, rules())).toBe('IncompleteSignature');
    }
  });

  test('a body that is no form is signed by no HMAC-SHA1', () => {
    const request = { ...version1Request({ key: ALICE }), body: Buffer.from('{}') };
    expect(codeOf(request, rules())).toBe('IncompleteSignature');
  });

  test('other algorithms are told apart from wrong ones', () => {
    const request = acs3Request({ key: ALICE });
    const authorization = (request.headers.authorization ?? '').replace('SHA256', 'SM3');
    const headers = { ...request.headers, authorization };
    expect(codeOf({ ...request, headers }, rules())).toBe('IncompleteSignature');
    const weak = version1Request({ key: ALICE });
    const query = new Map([...weak.query, ['SignatureMethod', 'HMAC-MD5']]);
    expect(codeOf({ ...weak, query }, rules())).toBe('IncompleteSignature');
  });
});

describe('nonces', () => {
  test('are forgotten when their time has passed, and never taken twice before', () => {
    const nonces = new Nonces();
    expect(nonces.take('a', 'n', NOW, NOW)).toBe('fresh');
    expect(nonces.take('a', 'n', NOW, NOW)).toBe('used');
    expect(nonces.take('b', 'n', NOW, NOW)).toBe('fresh');
    const later = NOW + 16 * MINUTE_MS;
    expect(nonces.take('a', 'm', later, later)).toBe('fresh');
    expect(nonces.size).toBe(1);
    expect(nonces.take('a', 'n', NOW, later)).toBe('forgotten');
  });

  test('of before the server began are refused: whoever was there may have taken them', () => {
    const nonces = new Nonces(NOW + 500);
    expect(nonces.take('a', 'n', NOW - 1_000, NOW)).toBe('forgotten');
    expect(nonces.take('a', 'n', NOW, NOW)).toBe('fresh');
  });

  test('beyond their number the oldest time is given up, and what is so old refused', () => {
    const nonces = new Nonces(0, 2);
    expect(nonces.take('a', '1', NOW, NOW)).toBe('fresh');
    expect(nonces.take('a', '2', NOW + 1_000, NOW)).toBe('fresh');
    expect(nonces.take('a', '3', NOW + 2_000, NOW)).toBe('fresh');
    expect(nonces.size).toBe(2);
    expect(nonces.take('a', '1', NOW, NOW)).toBe('forgotten');
    expect(nonces.take('a', '2', NOW + 1_000, NOW)).toBe('used');
  });
});

describe('access keys', () => {
  test('are refused if they cannot be, or are there twice', () => {
    const refused = (keys: ConstructorParameters<typeof AccessKeys>[0]): string =>
      refusedWith(() => new AccessKeys(keys));
    expect(refused([ALICE, ALICE])).toBe('InvalidArgument');
    expect(refused([{ accessKeyId: '', accessKeySecret: 'x' }])).toBe('InvalidArgument');
    expect(refused([{ accessKeyId: 'a,b', accessKeySecret: 'x' }])).toBe('InvalidArgument');
    expect(refused([{ accessKeyId: 'a', accessKeySecret: '' }])).toBe('InvalidArgument');
    expect(refused([{ ...ALICE, expiration: 'soon' }])).toBe('InvalidArgument');
  });
});
