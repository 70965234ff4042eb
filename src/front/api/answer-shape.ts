/**
 * How the result of a verb is written on the wire: lists in a wrapper that names their items, some
 * numbers as text, and the RequestId.
 */

/** What becomes of one field. Fields that are not named stay as they are. */
export type Field =
  /** `{ Disks: [...] }` becomes `{ Disks: { Disk: [...] } }`. */
  | { readonly wrapper: string; readonly items?: Shape; readonly as?: string }
  /** 40 becomes "40". */
  | 'text'
  /** "1000000000000001" becomes 1000000000000001; what is no number 0. */
  | 'number';

/** By the names a verb has for them. */
export type Shape = Readonly<Record<string, Field>>;

/** @param as the name of the list on the wire, if it is another than the verb's */
export function wrapped(wrapper: string, items?: Shape, as?: string): Field {
  return {
    wrapper,
    ...(items === undefined ? {} : { items }),
    ...(as === undefined ? {} : { as }),
  };
}

export function shapeAnswer(shape: Shape, result: object): Record<string, unknown> {
  const answer: Record<string, unknown> = { ...result };
  for (const name in shape) {
    const field = shape[name] as Field;
    if (!Object.hasOwn(answer, name)) continue;
    const value = answer[name];
    if (field === 'text') answer[name] = String(value);
    else if (field === 'number') answer[name] = Number(value) || 0;
    else putList(answer, name, field, value);
  }
  return answer;
}

function putList(
  answer: Record<string, unknown>,
  name: string,
  { wrapper, items, as = name }: Exclude<Field, string>,
  value: unknown,
): void {
  if (as !== name) delete answer[name];
  answer[as] = { [wrapper]: itemsOf(value, items) };
}

function itemsOf(value: unknown, items: Shape | undefined): unknown {
  if (items === undefined) return value;
  return (value as readonly object[]).map((item) => shapeAnswer(items, item));
}
