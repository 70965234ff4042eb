/**
 * A shape as one function that says yes or no, at a fraction of what valibot takes to say why not.
 *
 * 1. Yes means that valibot says yes, too. No means: ask valibot, which also knows the words.
 * 2. What this file does not know of valibot is a no of the whole shape, always: a shape that uses
 *    it is checked by valibot alone, and a test tells that it is.
 * 3. Shapes only judge: one that changed what it is given could not be asked in this way.
 *
 * Pure.
 */
import type * as v from 'valibot';

export type ShapeCheck = (value: unknown) => boolean;

/** What of a schema or an action of valibot is looked at. */
interface Part {
  readonly type: string;
  readonly pipe?: readonly Part[];
  readonly entries?: Readonly<Record<string, Part>>;
  readonly wrapped?: Part;
  readonly item?: Part;
  readonly key?: Part;
  readonly value?: Part;
  readonly options?: readonly unknown[];
  readonly class?: new () => unknown;
  readonly requirement?: unknown;
}

const NEVER: ShapeCheck = () => false;

/** @returns null: the shape uses something that is not known here */
export function compileShape(schema: v.GenericSchema<unknown, unknown>): ShapeCheck | null {
  return compile(schema as unknown as Part);
}

function compile(part: Part): ShapeCheck | null {
  if (part.pipe === undefined) return compileOne(part);
  const [schema, ...actions] = part.pipe;
  const checks = [schema === undefined ? null : compile(schema), ...actions.map(compileAction)];
  return all(checks);
}

/** All of them, in order. */
function all(checks: readonly (ShapeCheck | null)[]): ShapeCheck | null {
  if (!isKnown(checks)) return null;
  const [first = NEVER, second, third] = checks;
  if (second === undefined) return first;
  if (third === undefined) return (value) => first(value) && second(value);
  return (value) => checks.every((check) => check(value));
}

function isKnown(checks: readonly (ShapeCheck | null)[]): checks is readonly ShapeCheck[] {
  return !checks.includes(null);
}

function compileOne(part: Part): ShapeCheck | null {
  switch (part.type) {
    case 'string':
      return (value) => typeof value === 'string';
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'number':
      return (value) => typeof value === 'number' && !Number.isNaN(value);
    case 'picklist': {
      const { options = [] } = part;
      return (value) => options.includes(value);
    }
    case 'instance': {
      const { class: itsClass } = part;
      return itsClass === undefined ? null : (value) => value instanceof itsClass;
    }
    case 'nullable': {
      const check = compile(part.wrapped!);
      return check === null ? null : (value) => value === null || check(value);
    }
    case 'union': {
      const checks: readonly (ShapeCheck | null)[] = (part.options as readonly Part[]).map(compile);
      return isKnown(checks) ? (value) => checks.some((check) => check(value)) : null;
    }
    case 'array': {
      const check = compile(part.item!);
      return check === null ? null : (value) => Array.isArray(value) && value.every(check);
    }
    case 'record':
      return compileRecord(part);
    case 'strict_object':
      return compileObject(part.entries!);
    default:
      return null;
  }
}

function compileRecord(part: Part): ShapeCheck | null {
  const [checkKey, checkValue] = [compile(part.key!), compile(part.value!)];
  if (checkKey === null || checkValue === null) return null;
  return (value) => {
    if (!isObject(value)) return false;
    for (const key in value) if (!checkKey(key) || !checkValue(value[key])) return false;
    return true;
  };
}

function compileObject(entries: Readonly<Record<string, Part>>): ShapeCheck | null {
  const names = Object.keys(entries);
  const parts = Object.values(entries);
  const isOptional = parts.map(({ type }) => type === 'exact_optional');
  const checks = parts.map((part, index) => compile(isOptional[index] ? part.wrapped! : part));
  if (!isKnown(checks)) return null;
  return (value) => {
    if (!isObject(value)) return false;
    let found = 0;
    for (let index = 0; index < names.length; index++) {
      const field = value[names[index]!];
      if (field === undefined) {
        if (!isOptional[index] || Object.hasOwn(value, names[index]!)) return false;
      } else {
        if (!checks[index]!(field)) return false;
        found++;
      }
    }
    let fields = 0;
    for (const _ in value) fields++;
    return fields === found;
  };
}

/** An array is one, too, as valibot has it: what is in it decides. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function compileAction({ type, requirement }: Part): ShapeCheck | null {
  switch (type) {
    case 'check':
    case 'safe_integer':
    case 'integer':
      return requirement as ShapeCheck;
    case 'regex':
      return (value) => (requirement as RegExp).test(value as string);
    case 'min_value':
      return (value) => (value as number) >= (requirement as number);
    case 'max_value':
      return (value) => (value as number) <= (requirement as number);
    case 'min_length':
      return (value) => (value as { readonly length: number }).length >= (requirement as number);
    default:
      return null;
  }
}
