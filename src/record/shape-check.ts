/**
 * A schema of valibot as a function that says yes or no, some ten times as fast: what is stored is
 * read far more often than it is wrong. What is wrong with a value, valibot says (shapes.ts).
 *
 * 1. The answer is valibot's own for every value, which a test compares.
 * 2. A kind of schema or rule this knows nothing of is left to valibot.
 */
import * as v from 'valibot';

type Schema = v.GenericSchema<unknown, unknown>;
type IsOfShape = (value: unknown) => boolean;

/** What the parts of the schemas here have, as far as they have it. */
interface Parts {
  readonly entries: Readonly<Record<string, Schema>>;
  readonly wrapped: Schema;
  readonly item: Schema;
  readonly options: readonly unknown[];
  readonly class: abstract new (...args: never) => unknown;
  readonly key: Schema;
  readonly value: Schema;
}

interface Rule {
  readonly type: string;
  readonly requirement: unknown;
}

/** By type of schema: see rule 2. */
const MAKERS: Readonly<Record<string, (parts: Parts) => IsOfShape>> = {
  string: () => (value) => typeof value === 'string',
  number: () => (value) => typeof value === 'number' && !Number.isNaN(value),
  boolean: () => (value) => typeof value === 'boolean',
  nullable: ({ wrapped }) => {
    const isWrapped = shapeTest(wrapped);
    return (value) => value === null || isWrapped(value);
  },
  exact_optional: ({ wrapped }) => shapeTest(wrapped),
  picklist: ({ options }) => {
    const known = new Set(options);
    return (value) => known.has(value);
  },
  instance: (parts) => (value) => value instanceof parts.class,
  union: ({ options }) => {
    const tests = options.map((option) => shapeTest(option as Schema));
    return (value) => tests.some((test) => test(value));
  },
  array: ({ item }) => {
    const isItem = shapeTest(item);
    return (value) => {
      if (!Array.isArray(value)) return false;
      for (const each of value) if (!isItem(each)) return false;
      return true;
    };
  },
  strict_object: ({ entries }) => objectTest(entries),
};

/** By type of rule in a pipe. */
const RULES: Readonly<Record<string, (requirement: never) => (value: never) => boolean>> = {
  safe_integer: () => (value: number) => Number.isSafeInteger(value),
  min_value: (least: number) => (value: number) => value >= least,
  max_value: (most: number) => (value: number) => value <= most,
  min_length: (least: number) => (value: readonly unknown[]) => value.length >= least,
  regex: (pattern: RegExp) => (value: string) => pattern.test(value),
  check: (isRight: (value: unknown) => boolean) => (value: unknown) => isRight(value),
};

function objectTest(entries: Readonly<Record<string, Schema>>): IsOfShape {
  const fields = Object.entries(entries).map(([name, schema]) => ({
    name,
    isOptional: schema.type === 'exact_optional',
    test: shapeTest(schema),
  }));
  const names = new Set(Object.keys(entries));
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const object = value as Readonly<Record<string, unknown>>;
    for (const { name, isOptional, test } of fields) {
      if (name in object ? !test(object[name]) : !isOptional) return false;
    }
    for (const name in object) if (!names.has(name)) return false;
    return true;
  };
}

/** @returns whether a value is of the schema's shape */
export function shapeTest(schema: Schema): IsOfShape {
  const { pipe } = schema as unknown as { readonly pipe?: readonly [Schema, ...Rule[]] };
  if (pipe !== undefined) return pipeTest(schema, ...pipe);
  const make = MAKERS[schema.type];
  return make === undefined ? asValibot(schema) : make(schema as unknown as Parts);
}

function pipeTest(whole: Schema, first: Schema, ...rules: readonly Rule[]): IsOfShape {
  const tests = [shapeTest(first)];
  for (const { type, requirement } of rules) {
    const make = RULES[type];
    if (make === undefined) return asValibot(whole);
    tests.push(make(requirement as never) as IsOfShape);
  }
  return (value) => {
    for (const test of tests) if (!test(value)) return false;
    return true;
  };
}

function asValibot(schema: Schema): IsOfShape {
  return (value) => v.safeParse(schema, value).success;
}
