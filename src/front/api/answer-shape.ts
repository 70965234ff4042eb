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
  const answer: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(result)) {
    const field = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (field === undefined) answer[name] = value;
    else if (field === 'text') answer[name] = String(value);
    else if (field === 'number') answer[name] = Number(value) || 0;
    else answer[field.as ?? name] = { [field.wrapper]: itemsOf(value, field.items) };
  }
  return answer;
}

function itemsOf(value: unknown, items: Shape | undefined): unknown {
  if (items === undefined) return value;
  return (value as readonly object[]).map((item) => shapeAnswer(items, item));
}
