/**
 * The control path's one entrance: a verb by its name, its parameters checked, then run.
 *
 *   name ─▶ parameters ─▶ may this caller? ─▶ region ─▶ DryRun: stopped at the first effect
 *                                                  └─▶ ClientToken: done before? ─▶ verb ─▶ kept
 *
 * 1. Parameters are checked completely before anything is looked up: wrong names, types and ranges.
 * 2. A verb is given the account, the region and the principal of its call, and nothing else says
 *    whose resources it may touch.
 * 3. What may change something is in the audit log (audit/audit-call.ts), done or refused, also for
 *    parameters that are malformed.
 * 4. A verb's steps are in its domain's folder, a row each in the domain's table; what may happen
 *    when is in the rule tables.
 *
 * **Thread:** main.
 */
import * as v from 'valibot';
import { PlaneError } from '../base/errors.ts';
import { isScopeId } from '../record/ids.ts';
import { authorise } from './access/authorise.ts';
import { dryRun } from './access/dry-run.ts';
import type { VerbFacts } from './access/policies.ts';
import { findRegion } from './access/regions.ts';
import { ACCESS_VERBS } from './access/table.ts';
import { runOnce, takesToken } from './access/tokens.ts';
import { auditCall } from './audit/audit-call.ts';
import { AUDIT_VERBS } from './audit/table.ts';
import { BILLING_VERBS } from './billing/table.ts';
import type { ControlContext, PlaneContext, Principal } from './context.ts';
import { DISK_VERBS } from './disks/table.ts';
import { IMAGE_VERBS } from './images/table.ts';
import { INSTANCE_VERBS } from './instances/table.ts';
import { TASK_VERBS } from './jobs/table.ts';
import { KEY_VERBS } from './keys/table.ts';
import { LINEAGE_VERBS } from './lineage/table.ts';
import { codeOfCheck } from './schemas.ts';
import { SNAPSHOT_VERBS } from './snapshots/table.ts';
import type { Api, VerbRows } from './verb-row.ts';
import type { CommonParameters, Verbs } from './verbs.ts';
import { wellFormed } from './well-formed.ts';

/** Every verb there is. */
const VERBS: VerbRows<Verbs> = {
  ...DISK_VERBS,
  ...INSTANCE_VERBS,
  ...SNAPSHOT_VERBS,
  ...IMAGE_VERBS,
  ...LINEAGE_VERBS,
  ...AUDIT_VERBS,
  ...BILLING_VERBS,
  ...ACCESS_VERBS,
  ...TASK_VERBS,
  ...KEY_VERBS,
};

const commonSchema = v.object({
  RegionId: v.optional(v.string()),
  DryRun: v.optional(v.boolean()),
  ClientToken: v.optional(v.string()),
});

const COMMON_NAMES: ReadonlySet<string> = new Set(Object.keys(commonSchema.entries));

/** What callers keep to themselves: in no message, however wrong it is. */
const SECRET_PARAMETERS: readonly string[] = ['Plaintext', 'Password', 'UserData'];
const SHOWN_CHARS = 64;

/** ASCII, at most 64 characters. Source: ECS, "How to ensure idempotence". */
const CLIENT_TOKEN = /^[\x21-\x7e]{1,64}$/;

/** What the policies look at of every verb. */
export function verbFacts(): VerbFacts[] {
  const rows = Object.entries(VERBS) as [string, Pick<VerbFacts, 'access' | 'service'>][];
  return rows.map(([name, { access, service }]) => ({ name, access, service }));
}

/**
 * Does one control operation.
 *
 * @param principal who calls
 * @throws PlaneError UnknownVerb, MissingParameter, InvalidParameter, InvalidAccessKeyId.NotFound,
 *   Forbidden.RAM, Forbidden.NoPermission, InvalidRegionId.NotFound, InvalidClientToken.Malformed,
 *   IdempotentParameterMismatch, LastTokenProcessing, DryRunOperation, and what the verb refuses
 *   with
 */
export async function callVerb<V extends keyof Verbs>(
  plane: PlaneContext,
  principal: Principal,
  verb: V,
  parameters: Verbs[V]['parameters'] & CommonParameters,
): Promise<Verbs[V]['result']> {
  const row = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (row === undefined) {
    throw new PlaneError('UnknownVerb', `there is no verb ${JSON.stringify(String(verb))}`);
  }
  const { access } = row;
  const given = partsOf(parameters);
  const isDryRun = given.common.DryRun === true;
  const call = { verb, access, principal, isDryRun, ...askedOf(given, principal) };
  return auditCall(plane, call, async (audited) => {
    const common = checkParameters(verb, commonSchema, given.common) as CommonParameters;
    checkParameters(verb, row.schema, given.own);
    const parameters = given.own;
    const serviceOf = row.serviceOf as ((own: unknown) => Api) | undefined;
    const service = serviceOf?.(parameters) ?? row.service;
    authorise(plane.metadata, principal, { name: verb, access, service });
    const { regionId } = findRegion(common.RegionId ?? principal.regionId);
    const context = contextOf(audited, principal, regionId);
    const token = checkToken(common.ClientToken);
    const run = (its: ControlContext): Promise<Verbs[V]['result']> =>
      (row.run as (its: ControlContext, own: unknown) => Promise<Verbs[V]['result']>)(
        its,
        parameters,
      );
    if (isDryRun) return dryRun(context, { name: verb, service }, run);
    if (token === null || !takesToken({ name: verb, access, service })) return run(context);
    return runOnce(context, { verb, token, parameters, isKms: service === 'kms' }, run);
  });
}

/**
 * Parameters as they were given, unchecked, but for what is no text (well-formed.ts): those that
 * every verb takes, and the verb's own.
 */
interface GivenParameters {
  readonly common: { readonly [K in keyof CommonParameters]?: unknown };
  readonly own: unknown;
}

function partsOf(parameters: unknown): GivenParameters {
  if (typeof parameters !== 'object' || parameters === null) return { common: {}, own: parameters };
  const entries = Object.entries(parameters).map(([name, value]) => [name, wellFormed(value, 1)]);
  const isCommon = ([name]: readonly unknown[]): boolean => COMMON_NAMES.has(name as string);
  return {
    common: Object.fromEntries(entries.filter(isCommon)),
    own: Object.fromEntries(entries.filter((entry) => !isCommon(entry))),
  };
}

/** What the audit log says of a call that may be malformed. */
function askedOf(
  { common, own }: GivenParameters,
  principal: Principal,
): { regionId: string; parameters: unknown } {
  const asked = common.RegionId;
  const isRegion = typeof asked === 'string' && isScopeId(asked);
  return { regionId: isRegion ? asked : principal.regionId, parameters: own };
}

/** @throws PlaneError MissingParameter, InvalidParameter */
function checkParameters(
  verb: string,
  schema: v.GenericSchema<unknown, unknown>,
  given: unknown,
): unknown {
  const checked = v.safeParse(schema, given);
  if (checked.success) return checked.output;
  throw toPlaneError(verb, checked.issues[0]);
}

const PASS = (): void => {};

/** The context of one call. */
function contextOf(plane: PlaneContext, principal: Principal, regionId: string): ControlContext {
  const { accountId } = principal;
  // Not by a spread: V8 takes many times as long for fields that stand behind one.
  const { clock, randomBytes, metadata, kms, shards, volumes, locks, unnamedTrees } = plane;
  const { tokens, ruleSet, quotas, tasks } = plane;
  return {
    clock,
    randomBytes,
    metadata,
    kms,
    shards,
    volumes,
    locks,
    unnamedTrees,
    tokens,
    ruleSet,
    quotas,
    tasks,
    principal,
    accountId,
    regionId,
    passValidation: PASS,
  };
}

/** @throws PlaneError InvalidClientToken.Malformed */
function checkToken(token: string | undefined): string | null {
  if (token === undefined || CLIENT_TOKEN.test(token)) return token ?? null;
  throw new PlaneError(
    'InvalidClientToken.Malformed',
    'expected a ClientToken of 1 to 64 printable ASCII characters',
  );
}

function toPlaneError(verb: string, issue: v.BaseIssue<unknown>): PlaneError {
  const name = short(v.getDotPath(issue) ?? 'the parameters');
  const isMissing =
    issue.input === undefined && issue.kind === 'schema' && name !== 'the parameters';
  if (isMissing && issue.expected !== 'never') {
    return new PlaneError('MissingParameter', `${verb} needs ${name}, ${String(issue.expected)}`);
  }
  if (issue.expected === 'never') {
    return new PlaneError('InvalidParameter', `${verb} has no parameter ${name}`);
  }
  const expected = issue.expected ?? issue.message;
  const code = codeOfCheck(issue.message) ?? 'InvalidParameter';
  const isSecret = SECRET_PARAMETERS.some((each) => name === each || name.endsWith(`.${each}`));
  const came = isSecret ? '' : `, got ${short(issue.received)}`;
  return new PlaneError(code, `${verb} expects ${name} to be ${expected}${came}`);
}

/** What a caller wrote, short enough for a message. */
function short(text: string): string {
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS)}...`;
}
