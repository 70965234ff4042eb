/** Tables and decisions as people and programs read them, and the document made of them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PlaneError } from '../../../../src/base/errors.ts';
import { CELLS, RULE_SETS } from '../../../../src/control/encryption/cells.ts';
import { type EncryptionQuestion, rulesOf } from '../../../../src/control/encryption/decide.ts';
import {
  explainEncryption,
  explainTable,
  outcomeInWords,
} from '../../../../src/control/encryption/explain.ts';
import { renderEncryptionRules } from '../../../../src/control/encryption/render-document.ts';

const DISK: EncryptionQuestion = {
  ruleSet: '2025',
  resource: 'disk',
  action: 'create',
  source: 'plain',
  encrypted: 'true',
  default: true,
  key: false,
};

describe('the table', () => {
  it.each(RULE_SETS)('of rule set %s is every cell with its row', (ruleSet) => {
    const entries = explainTable(ruleSet);
    expect(entries.length).toBe(152);
    expect(entries.map((entry) => [entry.resource, entry.action, entry.source])).toEqual(
      CELLS.map((cell) => [cell.resource, cell.action, cell.source]),
    );
    for (const entry of entries) {
      expect(entry.ruleSet).toBe(ruleSet);
      expect(entry.code === null).toBe(entry.outcome !== 'na');
      expect(entry).not.toHaveProperty('where');
    }
  });

  it('is that of 2025 where none is named', () => {
    expect(explainTable()).toEqual(explainTable('2025'));
  });
});

describe('a decision in words', () => {
  it('says what was asked, the answer, the row, the document, and what became of each key', () => {
    const { lines, entry } = explainEncryption(DISK);
    expect(lines).toEqual([
      'disk create, source plain: Encrypted=true, default encryption on, rule set 2025',
      'encrypted by the default key',
      '  because   without a specified key, the default key goes before the service key',
      '  row       Disk encryption results: Yes, non-encrypted snapshot or image',
      '  document  Account-level EBS Default Encryption (2025)',
      '  keys      specified  absent  no key is specified',
      '            source     absent  the source is not encrypted',
      '            default    taken   the default key of the region goes before the service key',
      '            service    beaten  the default key of the region goes before the service key',
    ]);
    expect(entry).toMatchObject({ resource: 'disk', encrypt: true, outcome: 'default' });
  });

  it('of a refusal by another table says what the table of cells says', () => {
    const disk = { category: 'cloud_ssd', use: 'data' } as const;
    const { lines, decision } = explainEncryption({ ...DISK, disk });
    expect(decision.outcome).toBe('na');
    expect(lines[0]).toContain('data disk cloud_ssd');
    expect(lines[1]).toBe('refused: NotSupportSnapshotEncrypted.DiskCategory');
    expect(lines[3]).toMatch(/^ {2}table {5}default: /);
    expect(lines.at(-1)).toMatch(/service {4}unused {2}the call is refused/);
  });

  it('of a refusal before any cell has no entry', () => {
    const { lines, entry } = explainEncryption({
      ...DISK,
      resource: 'image',
      action: 'copy-local',
      encrypted: 'absent',
      key: true,
    });
    expect(entry).toBeNull();
    expect(lines.slice(0, 2)).toEqual([
      'image copy-local, source plain: KMSKeyId given, default encryption on, rule set 2025',
      'refused: IncorrectDestinationRegion',
    ]);
  });

  it('is not given for what no table speaks of', () => {
    const ask = () => explainEncryption({ ...DISK, resource: 'snapshot', source: 'empty' });
    expect(ask).toThrow(PlaneError);
    expect(ask).toThrow('InvalidArgument: the tables do not speak of snapshot create');
  });

  it('has words for every outcome', () => {
    const outcomes = ['none', 'na', 'default', 'source', 'specified', 'service'] as const;
    expect(new Set(outcomes.map(outcomeInWords)).size).toBe(6);
  });
});

describe('docs/encryption-rules.md', () => {
  const file = readFileSync(
    new URL('../../../../docs/encryption-rules.md', import.meta.url),
    'utf8',
  );

  it('is what the tables say today; its first lines say how it is written', () => {
    expect(file).toBe(renderEncryptionRules());
    expect(file.split('\n').slice(0, 8).join('\n')).toContain('explain --markdown >');
  });

  it('has a line of four results for every four cells, and every row with its reason', () => {
    const results = file.match(/^\| (create|copy-)[^|]*\|( [^|]+ \|){5}$/gm) ?? [];
    expect(results.length).toBe((RULE_SETS.length * CELLS.length) / 4);
    for (const { because, place } of RULE_SETS.flatMap(rulesOf)) {
      expect(file).toContain(`| ${because} | ${place} |`);
    }
  });
});
