/** The explain command: what it prints, and what it refuses to be asked. */
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/cli/exit-codes.ts';
import { type ExplainFlags, type RulesLibrary, runExplain } from '../../../src/cli/explain.ts';
import { DISK_CATEGORIES } from '../../../src/control/encryption/categories.ts';
import { explainEncryption, explainTable } from '../../../src/control/encryption/explain.ts';
import { renderEncryptionRules } from '../../../src/control/encryption/render-document.ts';
import { terminalDouble } from './doubles.ts';

const LIBRARY: RulesLibrary = {
  DISK_CATEGORIES,
  explainEncryption,
  explainTable,
  renderEncryptionRules,
};

function explain(flags: ExplainFlags): string {
  const terminal = terminalDouble();
  expect(runExplain(flags, LIBRARY, terminal)).toBe(0);
  return terminal.printed.join('');
}

describe('--table', () => {
  test('--json is an array of 152 objects with the fields of a cell and its outcome', () => {
    const entries = JSON.parse(explain({ table: true, json: true })) as Record<string, unknown>[];
    expect(entries.length).toBe(152);
    expect(Object.keys(entries[0]!).slice(0, 7)).toEqual([
      'resource',
      'action',
      'source',
      'encrypt',
      'default',
      'key',
      'outcome',
    ]);
    expect(entries.at(-1)).toMatchObject({
      resource: 'image',
      action: 'copy-local',
      source: 'shared-encrypted',
      encrypt: true,
      default: true,
      key: true,
      outcome: 'specified',
      code: null,
    });
  });

  test('is a line for each cell under a line of titles', () => {
    const lines = explain({ table: true, ruleset: '2018' }).trimEnd().split('\n');
    expect(lines.length).toBe(153);
    expect(lines[0]).toMatch(/^resource +action +source +encrypt +default +key +outcome +why$/);
    expect(lines[2]).toMatch(/^disk +create +empty +false +off +given +na +UnsupportedParameter: /);
  });
});

describe('one case', () => {
  const flags = { resource: 'disk', source: 'plain' } as const;

  test('is answered in words', () => {
    const text = explain({ ...flags, encrypt: 'true', default: true, key: true });
    expect(text).toMatch(/^disk create, source plain: Encrypted=true, KMSKeyId given/);
    expect(text).toContain('\nencrypted by the specified key\n');
  });

  test('is answered as one JSON document', () => {
    const given = { ...flags, action: 'create', encrypt: 'false', default: true, json: true };
    expect(JSON.parse(explain(given))).toMatchObject({
      ruleSet: '2025',
      encrypted: 'false',
      outcome: 'na',
      refusal: { code: 'InvalidEncrypted.NotMatchDiskDefaultEncryption' },
      entry: { encrypt: false, default: true, outcome: 'default' },
    });
  });

  test('is answered for a category and a use', () => {
    const system = { ...flags, encrypt: 'true', category: 'cloud_ssd', use: 'system' };
    expect(explain(system)).toContain('refused: InvalidParameter.EncryptedNotSupported');
    const dataDisk = { ...flags, source: 'empty', encrypt: 'true', category: 'cloud_ssd' };
    expect(explain(dataDisk)).toContain('encrypted by the service key');
  });

  test.each<[ExplainFlags, string]>([
    [{}, 'explain needs --table, --markdown, --resource and --source, or an id'],
    [{ resource: 'disk' }, '--source is one of empty, plain'],
    [{ source: 'plain' }, '--resource is one of disk, snapshot, image; came nothing'],
    [{ ...flags, encrypt: 'yes' }, "--encrypt is one of true, false; came 'yes'"],
    [{ ...flags, action: 'move' }, "came 'move'"],
    [{ ...flags, ruleset: '2019' }, '--ruleset is one of 2018, 2020, 2025'],
    [{ ...flags, use: 'system' }, '--category is one of cloud,'],
    [{ ...flags, category: 'cloud', use: 'boot' }, '--use is one of system, data'],
    [{ ...flags, resource: 'image', category: 'cloud' }, '--category and --use are about disks'],
    [{ table: true, key: true }, 'the whole table has no --key'],
    [{ markdown: true, source: 'plain' }, 'the whole table has no --source'],
    [{ markdown: true, json: true }, '--markdown is all rule sets'],
    [{ markdown: true, ruleset: '2018' }, '--markdown is all rule sets'],
  ])('%j is a usage error', (wrong, message) => {
    expect(() => explain(wrong)).toThrow(UsageError);
    expect(() => explain(wrong)).toThrow(message);
  });

  test('that no table speaks of is refused by the library', () => {
    expect(() => explain({ ...flags, action: 'copy-cross' })).toThrow('InvalidArgument');
  });
});

test('--markdown is the document', () => {
  expect(explain({ markdown: true })).toBe(renderEncryptionRules());
});
