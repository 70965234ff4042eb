/**
 * Parameters of a verb, drawn from its own schema: of the right types, with ids from a pool; or
 * with one thing wrong that the schema itself refuses.
 *
 * Ids are drawn before the world they are of is made: as an IdPick, which resolveIds() replaces.
 */
import fc from 'fast-check';
import * as v from 'valibot';

/** A place of an id: from the pool, `pick` modulo its length. */
interface IdPick {
  readonly idPick: number;
}

/** What is read of a schema: enough to draw values of it. */
interface SchemaFacts {
  readonly type: string;
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  readonly wrapped?: v.GenericSchema;
  readonly item?: v.GenericSchema;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
}

const MODEST = 100_000;
const TEXTS = [
  '',
  'a',
  'x y',
  '*',
  '../..',
  'd-',
  'null',
  '-1',
  '20',
  'true',
  'cloud_essd',
  'cloud_ssd',
  'PL0',
  'cn-hangzhou',
  'cn-beijing',
  'cn-nanjing',
  'moon-1',
  'cn-hangzhou-b',
  'ecs.g7.large',
  'alias/mine',
  'alias/acs/ecs',
  'acs:kms:cn-hangzhou:1000000000000001:alias/acs/ecs',
  '/dev/xvdb',
  'AES-256',
  '2026-01-31T12:00:00Z',
  'aGVsbG8=',
  '1000000000000001',
  '2000000000000002',
  'é\u0000\ud800',
  `d-${'0'.repeat(20)}/../${'0'.repeat(20)}`,
  'alias/x y',
  'acs:kms:cn-hangzhou:1000000000000001:key/x y',
  'x'.repeat(256),
  'x'.repeat(200),
  'x'.repeat(MODEST),
];
const NUMBERS = [-1, 0, 1, 7, 20, 40, 64, 300, 65_537, 0.5, -(2 ** 53), 2 ** 53, 1e300];
/** What no schema of a parameter takes, or only some do. */
const GARBAGE: readonly unknown[] = [
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  10n,
  () => 1,
  new Date(0),
  new Uint8Array(3),
  { a: { b: {} } },
  [[[]]],
  -5,
  'x'.repeat(MODEST),
  true,
];

const idPicks: fc.Arbitrary<IdPick> = fc.nat(MODEST).map((idPick) => ({ idPick }));

/** Values of a schema's type: they need not be in its range. */
function valuesOf(schema: v.GenericSchema, name: string): fc.Arbitrary<unknown> {
  const facts = schema as unknown as SchemaFacts;
  switch (facts.type) {
    case 'optional':
      return valuesOf(facts.wrapped as v.GenericSchema, name);
    case 'string':
      return stringsOf(name);
    case 'number':
      return fc.oneof(fc.constantFrom(...NUMBERS), fc.integer({ min: 1, max: 100 }));
    case 'boolean':
      return fc.boolean();
    case 'picklist':
      return fc.constantFrom(...(facts.options ?? []));
    case 'literal':
      return fc.constant(facts.literal);
    case 'array':
      return fc.array(valuesOf(facts.item as v.GenericSchema, name), { maxLength: 3 });
    case 'record':
      return fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom(...TEXTS), { maxKeys: 2 });
    case 'union':
    case 'variant':
      return fc.oneof(
        ...(facts.options ?? []).map((option) => valuesOf(option as v.GenericSchema, name)),
      );
    case 'strict_object':
      return objectsOf(facts.entries ?? {});
    default:
      throw new Error(`values of a schema of type ${facts.type} are not drawn yet`);
  }
}

function stringsOf(name: string): fc.Arbitrary<unknown> {
  const texts = fc.constantFrom(...TEXTS);
  return /Ids?$|Arn$|^DiskId|Account$|^Resource/.test(name)
    ? fc.oneof({ weight: 4, arbitrary: idPicks }, { weight: 1, arbitrary: texts })
    : fc.oneof({ weight: 4, arbitrary: texts }, { weight: 1, arbitrary: idPicks });
}

function objectsOf(entries: Readonly<Record<string, v.GenericSchema>>): fc.Arbitrary<object> {
  const drawn = Object.entries(entries).map(([name, schema]) => {
    const isOptional = (schema as unknown as SchemaFacts).type === 'optional';
    const value = valuesOf(schema, name);
    const absent = fc.constant(undefined);
    // Few at a time: a verb refuses the first thing it does not like, and looks no further.
    const arbitrary = fc.oneof(
      { weight: isOptional ? 5 : 1, arbitrary: absent },
      { weight: isOptional ? 1 : 15, arbitrary: value },
    );
    return [name, arbitrary] as const;
  });
  return fc
    .record(Object.fromEntries(drawn))
    .map((all) => Object.fromEntries(Object.entries(all).filter(([, it]) => it !== undefined)));
}

/** Parameters of the right types. */
export function likelyParameters(schema: v.GenericSchema): fc.Arbitrary<object> {
  return valuesOf(schema, '') as fc.Arbitrary<object>;
}

/** Parameters with one thing wrong: a name, a value, or all of it. */
export function wrongParameters(schema: v.GenericSchema): fc.Arbitrary<unknown> {
  const likely = likelyParameters(schema);
  const names = fc.constantFrom('Nonsense', 'diskid', 'toString', '0', 'Encrypted ', 'Size.1');
  const strangeName = fc
    .tuple(likely, names, fc.constantFrom(...GARBAGE))
    .map(([object, name, value]) => ({ ...object, [name]: value }));
  const noObject = fc.constantFrom(null, 'x', 7, true, () => 1);
  const wrongs = wrongEntries(schema);
  if (wrongs.length === 0) return fc.oneof(strangeName, noObject);
  const wrongValue = fc
    .tuple(likely, fc.constantFrom(...wrongs))
    .map(([object, wrong]) => ({ ...object, ...wrong }));
  return fc.oneof(
    { weight: 4, arbitrary: wrongValue },
    { weight: 2, arbitrary: strangeName },
    { weight: 1, arbitrary: noObject },
  );
}

/** Every piece of garbage that the schema of a parameter refuses. */
function wrongEntries(schema: v.GenericSchema): Record<string, unknown>[] {
  const facts = schema as unknown as SchemaFacts;
  if (facts.type !== 'strict_object') return [];
  return Object.entries(facts.entries ?? {}).flatMap(([name, entry]) =>
    GARBAGE.filter((value) => !v.safeParse(entry, value).success).map((value) => ({
      [name]: value,
    })),
  );
}

/**
 * Every text of the pool in every place of a text, one at a time: beside what is required.
 *
 * @param idOf an id that fits the name of a parameter
 */
export function textVariants(schema: v.GenericSchema, idOf: (name: string) => string): object[] {
  const { type, options = [], entries = {} } = schema as unknown as SchemaFacts;
  if (type === 'variant') return options.flatMap((each) => textVariants(each as never, idOf));
  const fixed = plainObject(entries, idOf);
  return Object.entries(entries).flatMap(([name, entry]) =>
    textsIn(entry).map((value) => ({ ...fixed, [name]: value })),
  );
}

function textsIn(schema: v.GenericSchema): unknown[] {
  const facts = schema as unknown as SchemaFacts;
  if (facts.type === 'optional') return textsIn(facts.wrapped as v.GenericSchema);
  if (facts.type === 'string') return [...TEXTS];
  if (facts.type !== 'array') return [];
  return textsIn(facts.item as v.GenericSchema).map((text) => [text]);
}

function plainObject(
  entries: Readonly<Record<string, v.GenericSchema>>,
  idOf: (name: string) => string,
): object {
  const required = Object.entries(entries).filter(
    ([, schema]) => (schema as unknown as SchemaFacts).type !== 'optional',
  );
  return Object.fromEntries(required.map(([name, each]) => [name, plainValue(each, name, idOf)]));
}

function plainValue(
  schema: v.GenericSchema,
  name: string,
  idOf: (name: string) => string,
): unknown {
  const facts = schema as unknown as SchemaFacts;
  switch (facts.type) {
    case 'number':
      return 20;
    case 'boolean':
      return true;
    case 'picklist':
      return facts.options?.[0];
    case 'literal':
      return facts.literal;
    case 'array':
      return [plainValue(facts.item as v.GenericSchema, name, idOf)];
    case 'strict_object':
      return plainObject(facts.entries ?? {}, idOf);
    default:
      return idOf(name);
  }
}

/** What was drawn, with ids in place of their picks. */
export function resolveIds(value: unknown, ids: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if ('idPick' in value) return ids[(value as IdPick).idPick % ids.length];
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.map((each) => resolveIds(each, ids));
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, resolveIds(each, ids)]),
  );
}
