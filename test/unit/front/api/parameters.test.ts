/** Parameters from the wire: decoded, merged, made into what a verb is given. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shapeAnswer, wrapped } from '../../../../src/front/api/answer-shape.ts';
import {
  clamped,
  commas,
  flag,
  json,
  type Kinds,
  list,
  map,
  number,
  readParameters,
  structure,
  structures,
  text,
  word,
} from '../../../../src/front/api/parameter-kinds.ts';
import { mergePairs, readPairs } from '../../../../src/front/api/request-pairs.ts';
import { refusedWith } from '../../../support/signed-request.ts';

const KINDS: Kinds = {
  Name: text,
  Id: word,
  Size: number,
  MaxResults: clamped(10, 100),
  Encrypted: flag,
  AddAccount: list,
  TaskIds: commas,
  DiskIds: json,
  EncryptionContext: map,
  SystemDisk: structure({ Size: number, Encrypted: flag }),
  Tag: structures({ Key: text, Value: text }),
  DataDisk: structures({ Size: number, Tag: structures({ Key: text }) }),
};

function read(query: string): Record<string, unknown> {
  return readParameters(KINDS, readPairs(query));
}

describe('pairs', () => {
  test('are decoded from percent escapes and from plus', () => {
    const pairs = readPairs('a=1+2&b=%E6%B5%8B%2B&c&=x&&d=a=b');
    expect([...pairs]).toEqual([
      ['a', '1 2'],
      ['b', '测+'],
      ['c', ''],
      ['', 'x'],
      ['d', 'a=b'],
    ]);
  });

  test('of one name and two values are refused; twice the same is one', () => {
    expect(refusedWith(() => readPairs('Size=20&Size=40'))).toBe('InvalidParameter');
    expect(readPairs('Size=20&Size=20').size).toBe(1);
    const query = readPairs('RegionId=cn-hangzhou');
    const merged = mergePairs(query, readPairs('RegionId=cn-hangzhou&Size=20'));
    expect([...merged.keys()]).toEqual(['RegionId', 'Size']);
    expect(refusedWith(() => mergePairs(query, readPairs('RegionId=cn-beijing')))).toBe(
      'InvalidParameter',
    );
  });

  test('that are not percent-encoded UTF-8, or too many, are refused', () => {
    for (const query of ['a=%', 'a=%zz', 'a=%ff%fe', '%c3%28=1']) {
      expect(refusedWith(() => readPairs(query))).toBe('InvalidParameter');
    }
    const many = Array.from({ length: 1_001 }, (_, index) => `p${index}=1`).join('&');
    expect(refusedWith(() => readPairs(many))).toBe('InvalidParameter');
  });

  test('are, written and read, what they were', () => {
    const value = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), value), (parameters) => {
        const query = Object.entries(parameters)
          .map(([name, each]) => `${encodeURIComponent(name)}=${encodeURIComponent(each)}`)
          .join('&');
        expect(new Map(Object.entries(parameters))).toEqual(readPairs(query));
      }),
    );
  });
});

describe('kinds', () => {
  test('a text may be empty, a word that is empty was not given', () => {
    expect(read('Name=&Id=')).toEqual({ Name: '' });
    expect(read('Name=a&Id=b')).toEqual({ Name: 'a', Id: 'b' });
  });

  test('numbers are whole, of digits, and empty ones not given', () => {
    expect(read('Size=20')).toEqual({ Size: 20 });
    expect(read('Size=-1')).toEqual({ Size: -1 });
    expect(read('Size=')).toEqual({});
    for (const size of ['2e3', '0x10', ' 20', '1.5', 'NaN', 'Infinity', '1'.repeat(17)]) {
      expect(refusedWith(() => read(`Size=${size}`))).toBe('InvalidParameter');
    }
  });

  test('MaxResults is moved into its range', () => {
    expect(read('MaxResults=1')).toEqual({ MaxResults: 10 });
    expect(read('MaxResults=50')).toEqual({ MaxResults: 50 });
    expect(read('MaxResults=900')).toEqual({ MaxResults: 100 });
  });

  test('flags are true or false, in any case', () => {
    expect(read('Encrypted=true')).toEqual({ Encrypted: true });
    expect(read('Encrypted=False')).toEqual({ Encrypted: false });
    expect(refusedWith(() => read('Encrypted=1'))).toBe('InvalidParameter');
  });

  test('lists are in the order of their indexes, gaps closed', () => {
    expect(read('AddAccount.2=b&AddAccount.1=a&AddAccount.10=j')).toEqual({
      AddAccount: ['a', 'b', 'j'],
    });
    expect(read('AddAccount.0=a&AddAccount.01=b&AddAccount.x=c&AddAccount=d')).toEqual({});
    expect(refusedWith(() => read('AddAccount.1001=a'))).toBe('InvalidParameter');
  });

  test('structures, alone and in lists, in each other, and with a small first letter', () => {
    expect(read('SystemDisk.Size=40&SystemDisk.Encrypted=true')).toEqual({
      SystemDisk: { Size: 40, Encrypted: true },
    });
    expect(read('Tag.1.Key=a&Tag.1.Value=&Tag.2.key=b&Tag.2.value=c')).toEqual({
      Tag: [
        { Key: 'a', Value: '' },
        { Key: 'b', Value: 'c' },
      ],
    });
    expect(read('DataDisk.1.Size=20&DataDisk.1.Tag.2.Key=a&DataDisk.1.Tag.3.Key=b')).toEqual({
      DataDisk: [{ Size: 20, Tag: [{ Key: 'a' }, { Key: 'b' }] }],
    });
  });

  test('JSON, commas and maps of both spellings', () => {
    expect(read('DiskIds=["d-1","d-2"]')).toEqual({ DiskIds: ['d-1', 'd-2'] });
    expect(refusedWith(() => read('DiskIds=d-1'))).toBe('InvalidParameter');
    expect(read('TaskIds=t-1,t-2')).toEqual({ TaskIds: ['t-1', 't-2'] });
    expect(read('EncryptionContext={"a":"b"}')).toEqual({ EncryptionContext: { a: 'b' } });
    expect(read('EncryptionContext.a=b&EncryptionContext.c.d=e')).toEqual({
      EncryptionContext: { a: 'b', 'c.d': 'e' },
    });
  });

  test('what the table does not name is not looked at', () => {
    expect(read('OwnerAccount=x&Unknown.1.Field=y')).toEqual({});
  });

  test('names of prototypes are names like any other', () => {
    const context = read('EncryptionContext.__proto__=x').EncryptionContext as object;
    expect(Object.getPrototypeOf(context)).toBe(Object.prototype);
    expect(Object.keys(context)).toEqual(['__proto__']);
    expect(read('Tag.1.__proto__=x&__proto__.Size=2')).toEqual({ Tag: [{}] });
    expect(({} as Record<string, unknown>).Size).toBeUndefined();
  });

  test('anything at all is read or refused, and never in long', () => {
    const name = fc.oneof(
      fc
        .constantFrom(...Object.keys(KINDS))
        .chain((head) =>
          fc
            .array(fc.oneof(fc.nat(9), fc.constantFrom('Key', 'Size', '__proto__', '')))
            .map((path) => [head, ...path].join('.')),
        ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string({ unit: 'binary' }))), (pairs) => {
        const outcome = refusedWith(() => readParameters(KINDS, new Map(pairs)));
        expect(['InvalidParameter', 'it was not refused']).toContain(outcome);
      }),
    );
  });
});

describe('answers', () => {
  test('have their lists in wrappers, some numbers as text, some text as numbers', () => {
    const shape = {
      Images: wrapped('Image', { Size: 'text', OwnerId: 'number', Tags: wrapped('Tag') }),
      Tasks: wrapped('Task', undefined, 'TaskSet'),
    } as const;
    const result = {
      Images: [{ Size: 20, OwnerId: '1000000000000001', Tags: [{ TagKey: 'a' }], Name: 'n' }],
      Tasks: ['t'],
      TotalCount: 1,
    };
    expect(shapeAnswer(shape, result)).toEqual({
      Images: {
        Image: [
          {
            Size: '20',
            OwnerId: 1_000_000_000_000_001,
            Tags: { Tag: [{ TagKey: 'a' }] },
            Name: 'n',
          },
        ],
      },
      TaskSet: { Task: ['t'] },
      TotalCount: 1,
    });
  });
});
