/** What a table of verbs says of each: its parameters, and the function that does it. */
import type * as v from 'valibot';
import type { ControlContext } from './context.ts';

/** Whose API the verb is of: decides the spelling of refusals that all verbs share. */
export type Api = 'ecs' | 'kms' | 'plane';

export interface VerbRow<P, R> {
  /** Of the verb's own parameters: CommonParameters are taken out before. */
  readonly schema: v.GenericSchema<unknown, unknown>;
  readonly run: (context: ControlContext, parameters: P) => Promise<R>;
  /** Whether it may change anything: such a verb takes ClientToken, and is audited. */
  readonly access: 'read' | 'write';
  readonly service: Api;
  /** Of a verb both APIs have: whose it is by its parameters. */
  readonly serviceOf?: (parameters: P) => Api;
}

export type VerbRows<T> = {
  readonly [V in keyof T]: T[V] extends { parameters: infer P; result: infer R }
    ? VerbRow<P, R>
    : never;
};
