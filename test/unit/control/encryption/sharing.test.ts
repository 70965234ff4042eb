/** What may be shared and exported: one row for every case, and what the documents say. */
import { describe, expect, it } from 'vitest';
import { RULE_SETS } from '../../../../src/control/encryption/cells.ts';
import { RULE_SET_ROWS, ruleSetRow } from '../../../../src/control/encryption/documents.ts';
import { matches } from '../../../../src/control/encryption/pattern.ts';
import {
  type Handover,
  SHARING_ROWS,
  sharingRow,
} from '../../../../src/control/encryption/sharing.ts';

const HANDOVERS: Handover[] = RULE_SETS.flatMap((ruleSet) =>
  (['share', 'export'] as const).flatMap((operation) =>
    (['snapshot', 'image'] as const).flatMap((resource) =>
      (['plain', 'service', 'user'] as const).map((encryption) => ({
        ruleSet,
        operation,
        resource,
        encryption,
      })),
    ),
  ),
);

describe('the table of sharing', () => {
  it('has one row for each of 36 cases, and no row without one', () => {
    expect(HANDOVERS.length).toBe(36);
    for (const handover of HANDOVERS) {
      const count = SHARING_ROWS.filter((row) => matches(row.where, handover)).length;
      expect(count, JSON.stringify(handover)).toBe(1);
    }
    const idle = SHARING_ROWS.filter(
      (row) => !HANDOVERS.some((handover) => matches(row.where, handover)),
    );
    expect(idle).toEqual([]);
  });

  const PLAIN_IMAGE = ['share image plain', 'export image plain'];
  it.each([
    ['2018', PLAIN_IMAGE],
    ['2020', PLAIN_IMAGE],
    [
      '2025',
      [
        'share snapshot plain',
        'share snapshot user',
        'share image plain',
        'share image user',
        'export image plain',
      ],
    ],
  ])('in %s allows %j, and nothing else', (ruleSet, expected) => {
    const allowed = HANDOVERS.filter(
      (handover) => handover.ruleSet === ruleSet && sharingRow(handover).code === null,
    );
    expect(allowed.map((each) => `${each.operation} ${each.resource} ${each.encryption}`)).toEqual(
      expected,
    );
  });

  it.each([
    ['2018', 'share', 'image', 'service', 'OperationDeined.EncryptedSnapshot'],
    ['2020', 'share', 'image', 'user', 'OperationDeined.EncryptedSnapshot'],
    ['2018', 'export', 'image', 'service', 'ImageNotSupported'],
    ['2020', 'export', 'image', 'user', 'ImageNotSupported'],
    ['2025', 'export', 'image', 'user', 'ImageNotSupported'],
    ['2025', 'share', 'image', 'service', 'InvalidOperation.ServiceKeyEncryptedImageUnsupported'],
    ['2025', 'share', 'snapshot', 'service', 'InvalidSnapshotId.EncryptedNotSupport'],
    ['2020', 'share', 'snapshot', 'plain', 'UnsupportedOperation'],
    ['2025', 'export', 'snapshot', 'plain', 'UnsupportedOperation'],
  ] as const)('in %s, %s of a(n) %s, %s, is refused with %s', (...line) => {
    const [ruleSet, operation, resource, encryption, code] = line;
    expect(sharingRow({ ruleSet, operation, resource, encryption }).code).toBe(code);
  });
});

describe('the rule sets', () => {
  it('are three, one row each', () => {
    expect(RULE_SET_ROWS.map(({ ruleSet }) => ruleSet)).toEqual(RULE_SETS);
  });

  it('have default encryption in 2025 only; before, its operations have a refusal', () => {
    const known = RULE_SETS.filter((ruleSet) => ruleSetRow(ruleSet).hasDefaultEncryption);
    expect(known).toEqual(['2025']);
    for (const { hasDefaultEncryption, code } of RULE_SET_ROWS) {
      expect(code === null).toBe(hasDefaultEncryption);
    }
  });
});
