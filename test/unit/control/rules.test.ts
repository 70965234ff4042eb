/** Every combination a rule table is asked for matches exactly one of its rows. */
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../src/base/errors.ts';
import {
  checkDiskState,
  type DiskVerb,
  STATE_RULES,
} from '../../../src/control/disks/state-rules.ts';
import { ENCRYPTION_RULES, matchEncryptionRules } from '../../../src/control/encryption-rules.ts';
import type { DiskRecord, DiskStatus } from '../../../src/record/resource.ts';

const SOURCES = ['none', 'plain', 'encrypted'] as const;
const ENCRYPTED = ['absent', 'false', 'true'] as const;
const KEYS = ['absent', 'source', 'other'] as const;
const VERBS: DiskVerb[] = ['attach', 'DeleteDisk', 'ResizeDisk', 'CreateSnapshot', 'CloneDisk'];
const STATUSES: DiskStatus[] = ['Available', 'In_use', 'Creating', 'Deleting'];

describe('the encryption rules', () => {
  const cells = SOURCES.flatMap((source) =>
    ENCRYPTED.flatMap((encrypted) => KEYS.map((key) => [source, encrypted, key] as const)),
  );
  it.each(cells)('have one row for source %s, Encrypted %s, KMSKeyId %s', (...cell) => {
    expect(matchEncryptionRules(...cell).length).toBe(1);
  });

  it('say why and by which document, and refuse only with codes of the table', () => {
    for (const rule of ENCRYPTION_RULES) {
      expect(rule.because.length).toBeGreaterThan(10);
      expect(rule.source.length).toBeGreaterThan(5);
      if (rule.outcome.kind === 'refuse') expect(ERROR_CODES).toHaveProperty([rule.outcome.code]);
    }
  });

  it('never make a plain disk of an encrypted source', () => {
    for (const encrypted of ENCRYPTED) {
      for (const key of KEYS) {
        const [rule] = matchEncryptionRules('encrypted', encrypted, key);
        expect(rule?.outcome.kind).not.toBe('plain');
      }
    }
  });
});

describe('the state rules', () => {
  const cells = VERBS.flatMap((verb) => STATUSES.map((status) => [verb, status] as const));
  it.each(cells)('have one row for %s on a disk that is %s', (verb, status) => {
    const rows = STATE_RULES.filter((row) => row.verb === verb && row.statuses.includes(status));
    expect(rows.length).toBe(1);
    const disk = { diskId: 'd-1', status } as DiskRecord;
    if (rows[0]?.allowed) checkDiskState(verb, disk);
    else expect(() => checkDiskState(verb, disk)).toThrow('IncorrectDiskStatus');
  });
});
