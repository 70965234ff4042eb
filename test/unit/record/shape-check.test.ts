import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { compileShape } from '../../../src/record/shape-check.ts';
import { SHAPES } from '../../../src/record/shapes.ts';
import { examples, kinds } from '../../support/record-examples.ts';

const shapeOf = (kind: (typeof kinds)[number]): v.GenericSchema<unknown, unknown> => SHAPES[kind];

/** Something that may stand for a field. */
const oddValue = fc.oneof(
  fc.constantFrom(undefined, null, Number.NaN, -1, 1.5, 2 ** 53, '', '\u0000', [], {}),
  fc.constantFrom('__proto__', new Uint8Array(3), [null], { keyId: 1 }),
  fc.string(),
  fc.integer(),
  fc.boolean(),
);

type Path = readonly (string | number)[];

/** Every field of a value, and of what is in it. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [path];
  const inner = Object.entries(value).flatMap(([name, each]) => pathsIn(each, [...path, name]));
  return [path, ...inner];
}

function withChange(value: unknown, [name, ...rest]: Path, change: (old: unknown) => unknown) {
  if (name === undefined) return change(value);
  const copy: Record<string | number, unknown> = Array.isArray(value)
    ? ([...value] as never)
    : { ...(value as object) };
  copy[name] = withChange(copy[name], rest, change);
  return copy;
}

describe('a shape as a function', () => {
  test.each(kinds)('is had of %s records, and says yes to one', (kind) => {
    const check = compileShape(shapeOf(kind));
    expect(check).not.toBeNull();
    expect(check?.(examples[kind])).toBe(true);
  });

  test.each(kinds)('says of a %s record with anything in it what valibot says', (kind) => {
    const check = compileShape(shapeOf(kind));
    const paths = pathsIn(examples[kind]);
    fc.assert(
      fc.property(fc.constantFrom(...paths), oddValue, (path, odd) => {
        const changed = withChange(examples[kind], path, () => odd);
        expect(check?.(changed)).toBe(v.is(shapeOf(kind), changed));
      }),
      { numRuns: 200 },
    );
  });

  test('says of an array in place of an object what valibot says', () => {
    const shape = v.strictObject({
      tags: v.record(v.string(), v.string()),
      more: v.exactOptional(v.strictObject({ each: v.exactOptional(v.string()) })),
    });
    const check = compileShape(shape);
    for (const tags of [[], ['a'], [1], new Uint8Array(0)]) {
      for (const more of [[], ['a'], {}]) {
        expect(check?.({ tags, more })).toBe(v.is(shape, { tags, more }));
      }
    }
  });

  test.each(kinds)('says no to a %s record with a field too many, or too few', (kind) => {
    const check = compileShape(shapeOf(kind));
    const record: Readonly<Record<string, unknown>> = { ...examples[kind] };
    expect(check?.({ ...record, more: undefined })).toBe(false);
    for (const name of Object.keys(record)) {
      const { [name]: _, ...rest } = record;
      expect(check?.(rest)).toBe(v.is(shapeOf(kind), rest));
    }
  });

  test('is not had of what it does not know, however deep', () => {
    const odd = v.strictObject({ list: v.array(v.nullable(v.bigint())) });
    expect(compileShape(odd)).toBeNull();
    expect(compileShape(v.pipe(v.string(), v.trim()))).toBeNull();
    expect(compileShape(v.record(v.string(), v.bigint()))).toBeNull();
    expect(compileShape(v.union([v.string(), v.bigint()]))).toBeNull();
    expect(compileShape(v.object({}))).toBeNull();
  });
});
