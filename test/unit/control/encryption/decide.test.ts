/** The decision: from parameters to an outcome or a refusal, and what became of each key. */
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../../src/base/errors.ts';
import { InvariantError } from '../../../../src/base/invariant.ts';
import {
  ACTIONS,
  CELLS,
  type Cell,
  isAsked,
  RESOURCES,
  RULE_SETS,
  SOURCES,
} from '../../../../src/control/encryption/cells.ts';
import {
  decideEncryption,
  type EncryptionQuestion,
  encryptionRow,
  grantedOutcome,
} from '../../../../src/control/encryption/decide.ts';
import { matches } from '../../../../src/control/encryption/pattern.ts';
import { ABSENCES, PRIORITIES } from '../../../../src/control/encryption/priorities.ts';
import {
  EXPLICIT_FALSE_ROWS,
  REQUEST_ROWS,
} from '../../../../src/control/encryption/request-rules.ts';

const ENCRYPTED = ['absent', 'false', 'true'] as const;
const DISK: EncryptionQuestion = {
  ruleSet: '2025',
  resource: 'disk',
  action: 'create',
  source: 'empty',
  encrypted: 'absent',
  default: false,
  key: false,
};

function answer(question: Partial<EncryptionQuestion>): string {
  const { outcome, refusal } = decideEncryption({ ...DISK, ...question });
  return refusal?.code ?? outcome;
}

/** Every question without a disk. */
const QUESTIONS: EncryptionQuestion[] = RULE_SETS.flatMap((ruleSet) =>
  RESOURCES.flatMap((resource) =>
    ACTIONS.flatMap((action) =>
      SOURCES.filter((source) => isAsked(resource, action, source)).flatMap((source) =>
        ENCRYPTED.flatMap((encrypted) =>
          [false, true].flatMap((isDefault) =>
            [false, true].map((key) => ({
              ruleSet,
              resource,
              action,
              source,
              encrypted,
              default: isDefault,
              key,
            })),
          ),
        ),
      ),
    ),
  ),
);

describe('every question', () => {
  it('is answered, and the outcome is na if and only if there is a refusal', () => {
    expect(QUESTIONS.length).toBe(3 * (5 + 10 + 10) * 3 * 4);
    for (const question of QUESTIONS) {
      const { outcome, refusal, candidates } = decideEncryption(question);
      expect(outcome === 'na').toBe(refusal !== null);
      const taken = candidates.filter(({ fate }) => fate === 'taken').map(({ kind }) => kind);
      expect(taken).toEqual(outcome === 'none' || outcome === 'na' ? [] : [outcome]);
    }
  });

  it('with Encrypted absent or true is answered by the table alone', () => {
    for (const question of QUESTIONS.filter(({ encrypted }) => encrypted !== 'false')) {
      const { cell, outcome } = decideEncryption(question);
      if (cell === null) continue;
      expect(outcome).toBe(encryptionRow(question.ruleSet, cell).outcome);
      expect(CELLS).toContainEqual(cell);
    }
  });

  it('with Encrypted false never ends encrypted', () => {
    for (const question of QUESTIONS.filter(({ encrypted }) => encrypted === 'false')) {
      expect(['none', 'na']).toContain(decideEncryption(question).outcome);
    }
  });

  it('reaches every cell', () => {
    const reached = QUESTIONS.map((question) => decideEncryption(question).cell);
    const names = new Set(
      reached.filter((cell) => cell !== null).map((cell) => JSON.stringify(cell)),
    );
    expect(names.size).toBe(CELLS.length);
  });

  it('about something the tables do not speak of is a bug of the caller', () => {
    expect(() => decideEncryption({ ...DISK, action: 'copy-cross' })).toThrow(InvariantError);
    const snapshot = { ...DISK, resource: 'snapshot', source: 'shared-plain' } as const;
    expect(() => decideEncryption(snapshot)).toThrow(InvariantError);
  });
});

describe('the tables of requests', () => {
  it('have one row for each resource, action and Encrypted', () => {
    for (const { resource, action, encrypted } of QUESTIONS) {
      const request = { resource, action, encrypted };
      expect(REQUEST_ROWS.filter((row) => matches(row.where, request)).length).toBe(1);
    }
  });

  it('have one row for an explicit false in each outcome', () => {
    for (const source of SOURCES) {
      for (const outcome of ['none', 'na', 'default', 'source', 'specified', 'service'] as const) {
        const rows = EXPLICIT_FALSE_ROWS.filter((row) => matches(row.where, { source, outcome }));
        expect(rows.length).toBe(1);
      }
    }
  });
});

describe('Encrypted and KMSKeyId of CreateDisk', () => {
  it('absent: encrypted by the default key where default encryption is on', () => {
    expect(answer({})).toBe('none');
    expect(answer({ default: true })).toBe('default');
    expect(answer({ default: true, source: 'plain' })).toBe('default');
  });

  it('false: refused where default encryption is on', () => {
    const code = 'InvalidEncrypted.NotMatchDiskDefaultEncryption';
    expect(answer({ encrypted: 'false' })).toBe('none');
    expect(answer({ encrypted: 'false', default: true })).toBe(code);
    expect(answer({ encrypted: 'false', default: true, source: 'shared-plain' })).toBe(code);
  });

  it('of an encrypted source: absent keeps the key, false is refused', () => {
    const code = 'InvalidEncrypted.NotMatchSnapshot';
    expect(answer({ source: 'encrypted' })).toBe('source');
    expect(answer({ source: 'encrypted', default: true })).toBe('source');
    expect(answer({ source: 'encrypted', encrypted: 'false' })).toBe(code);
    expect(answer({ source: 'encrypted', encrypted: 'false', default: true })).toBe(code);
    expect(answer({ source: 'shared-encrypted', encrypted: 'false' })).toBe(code);
    expect(answer({ ruleSet: '2018', source: 'encrypted', encrypted: 'false' })).toBe(code);
    expect(answer({ ruleSet: '2020', source: 'encrypted', encrypted: 'false' })).toBe(code);
  });

  it('a key without encryption is refused before anything else', () => {
    const code = 'InvalidParameter.EncryptedIllegal';
    expect(answer({ key: true })).toBe(code);
    expect(answer({ key: true, encrypted: 'false', default: true })).toBe(code);
    expect(answer({ key: true, source: 'encrypted' })).toBe(code);
  });

  it('a shared encrypted source is never kept under the key it has', () => {
    const shared = { source: 'shared-encrypted', encrypted: 'true', key: true } as const;
    expect(answer(shared)).toBe('specified');
    expect(answer({ ...shared, isSourceKey: true })).toBe('InvalidParam.EncryptedMismatch');
    expect(answer({ ...shared, source: 'encrypted', isSourceKey: true })).toBe('specified');
  });

  it('an encrypted disk is refused for its category, a plain one is not', () => {
    const disk = { category: 'cloud_ssd', use: 'data' } as const;
    const code = 'NotSupportSnapshotEncrypted.DiskCategory';
    expect(answer({ disk })).toBe('none');
    expect(answer({ disk, encrypted: 'true' })).toBe('service');
    expect(answer({ disk, source: 'plain' })).toBe('none');
    expect(answer({ disk, source: 'plain', default: true })).toBe(code);
    expect(answer({ disk, source: 'encrypted' })).toBe(code);
  });
});

describe('a copy within a region', () => {
  const copy = { action: 'copy-local', source: 'plain' } as const;
  it.each([
    ['snapshot', 'absent', false, 'InvalidOperation.NotSupportCopyInSameRegion'],
    ['snapshot', 'false', true, 'InvalidOperation.NotSupportCopyInSameRegion'],
    ['image', 'absent', true, 'IncorrectDestinationRegion'],
    ['image', 'true', true, 'default'],
    ['snapshot', 'true', false, 'service'],
  ] as const)(
    'of a %s with Encrypted %s, default %s: %s',
    (resource, encrypted, isDefault, code) => {
      expect(answer({ ...copy, resource, encrypted, default: isDefault })).toBe(code);
    },
  );

  it('that is refused names no cell and takes no key', () => {
    const decision = decideEncryption({ ...DISK, ...copy, resource: 'image' });
    expect([decision.cell, decision.row]).toEqual([null, null]);
    expect(decision.candidates.map(({ fate }) => fate)).toEqual(Array(4).fill('unused'));
  });
});

it('creating a snapshot or an image takes no parameter Encrypted', () => {
  for (const resource of ['snapshot', 'image'] as const) {
    const made = { resource, source: 'encrypted' } as const;
    expect(answer({ ...made, encrypted: 'true' })).toBe('UnsupportedParameter');
    expect(answer({ ...made, encrypted: 'false' })).toBe('UnsupportedParameter');
    expect(answer(made)).toBe('source');
  }
});

describe('the order of priority', () => {
  it('is specified, source, default, service', () => {
    const order = PRIORITIES.map(({ kind }) => kind);
    expect(order).toEqual(['specified', 'source', 'default', 'service']);
  });

  it('gives no two reasons why a key is absent', () => {
    for (const cell of CELLS) {
      for (const { kind } of PRIORITIES) {
        const rows = ABSENCES.filter((row) => row.kind === kind && matches(row.where, cell));
        expect(rows.length).toBeLessThanOrEqual(1);
      }
    }
  });

  it.each(RULE_SETS)('is that of every cell of rule set %s that encrypts', (ruleSet) => {
    const isThere = (kind: string, cell: Cell): boolean =>
      !ABSENCES.some((row) => row.kind === kind && matches(row.where, cell));
    for (const cell of CELLS) {
      const { outcome } = encryptionRow(ruleSet, cell);
      if (outcome === 'none' || outcome === 'na') continue;
      const first = PRIORITIES.find(({ kind }) => isThere(kind, cell));
      expect(first?.kind, JSON.stringify(cell)).toBe(outcome);
    }
  });

  it('says what became of each key', () => {
    const { candidates } = decideEncryption({
      ...DISK,
      source: 'encrypted',
      encrypted: 'true',
      default: true,
    });
    expect(candidates.map(({ kind, fate }) => `${kind} ${fate}`)).toEqual([
      'specified absent',
      'source taken',
      'default beaten',
      'service beaten',
    ]);
    const [specified, , beaten] = candidates;
    expect(specified?.why).toBe('no key is specified');
    expect(beaten?.why).toMatch(/key of the source goes before the default key/);
  });
});

describe('a decision in a verb', () => {
  it('that was granted has an outcome', () => {
    expect(grantedOutcome(decideEncryption({ ...DISK, encrypted: 'true' }), 'disk')).toBe(
      'service',
    );
  });

  it('that was refused is thrown with its code, and what it is about', () => {
    const decision = decideEncryption({ ...DISK, key: true });
    expect(() => grantedOutcome(decision, 'snapshot s-1')).toThrow(PlaneError);
    expect(() => grantedOutcome(decision, 'snapshot s-1')).toThrow(
      'InvalidParameter.EncryptedIllegal: snapshot s-1: a key is specified',
    );
  });
});
