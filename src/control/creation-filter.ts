/** The parameter Filter.N of Describe* verbs: from when to when something was made. */
import * as v from 'valibot';

export interface CreationFilter {
  readonly Key: string;
  /** 2026-01-31T12:00Z, seconds may be given. */
  readonly Value: string;
}

const timeSchema = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/, 'a time like 2026-01-31T12:00Z'),
  v.check((text) => Number.isFinite(Date.parse(text)), 'a time that there is'),
);
export const creationFilterSchema = v.pipe(
  v.array(
    v.strictObject({
      Key: v.picklist(['CreationStartTime', 'CreationEndTime']),
      Value: timeSchema,
    }),
  ),
  v.maxLength(2),
);

/** Both ends belong to the time asked for. */
export function isMadeWithin(createdAt: number, filters: readonly CreationFilter[]): boolean {
  return filters.every(({ Key, Value }) =>
    Key === 'CreationStartTime' ? createdAt >= Date.parse(Value) : createdAt <= Date.parse(Value),
  );
}
