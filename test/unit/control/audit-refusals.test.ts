/** Calls that are malformed are refused calls: the audit log tells of them as of any other. */
import { describe, expect, it } from 'vitest';
import { callVerb } from '../../../src/control/call.ts';
import type { Verbs } from '../../../src/control/verbs.ts';
import { testControl } from '../../support/control-context.ts';
import { codeOf } from '../../support/control-world.ts';

async function auditWorld() {
  const { context } = await testControl();
  const refused = (verb: keyof Verbs, parameters: unknown, regionId = 'cn-hangzhou') =>
    codeOf(callVerb(context, { ...context.principal, regionId }, verb, parameters as never));
  const entries = () =>
    context.metadata
      .listDocuments('audit', null, 0, 1000)
      .records.map(({ action, outcome, regionId, resourceIds }) => [
        action,
        outcome,
        regionId,
        resourceIds,
      ]);
  return { context, refused, entries };
}

describe('a malformed call', () => {
  it.each([
    ['CreateDisk', { Size: 'large' }, 'InvalidParameter', []],
    ['CreateDisk', { Sise: 20 }, 'InvalidParameter', []],
    ['CreateDisk', null, 'InvalidParameter', []],
    ['CreateDisk', 'Size=20', 'InvalidParameter', []],
    ['CreateDisk', { Size: 20, DryRun: 'no' }, 'InvalidParameter', []],
    ['CreateDisk', { Size: 20, ClientToken: 7 }, 'InvalidParameter', []],
    ['DeleteDisk', {}, 'MissingParameter', []],
    ['DeleteDisk', { DiskId: 7 }, 'InvalidParameter', []],
    [
      'AttachDisk',
      { DiskId: 'd-aaaaaaaaaaaaaaaaaaaa', InstanceId: '' },
      'InvalidParameter',
      ['d-aaaaaaaaaaaaaaaaaaaa'],
    ],
    ['Encrypt', { KeyId: 'key-aaaaaaaaaaaaaaaaaaaa' }, 'MissingParameter', []],
  ] as const)('%s %j is refused with %s, and told of', async (verb, parameters, code, ids) => {
    const { context, refused, entries } = await auditWorld();
    const found = await refused(verb, parameters);
    expect(found).toBe(code);
    expect(entries()).toEqual([[verb, code, 'cn-hangzhou', ids]]);
    expect(context.metadata.check()).toEqual([]);
  });

  it('is told of in the region it names, or else in its caller’s', async () => {
    const { refused, entries } = await auditWorld();
    await refused('DeleteDisk', { RegionId: 'cn-beijing' });
    await refused('DeleteDisk', { RegionId: 'no-such-region' });
    await refused('DeleteDisk', { RegionId: '../..' });
    await refused('DeleteDisk', { RegionId: 7 });
    expect(entries().map(([, , regionId]) => regionId)).toEqual([
      'cn-beijing',
      'no-such-region',
      'cn-hangzhou',
      'cn-hangzhou',
    ]);
    // A region of no form that a record could have: refused as ever.
    const outcome = await refused('DeleteDisk', { DiskId: 'd-1' }, 'NO REGION');
    expect(outcome).toBe('InvalidRegionId.NotFound');
  });

  it('may give anything: what refers to itself is refused too', async () => {
    const { refused, entries } = await auditWorld();
    const endless: { Size: number; DiskName?: unknown } = { Size: 20 };
    endless.DiskName = endless;
    expect(await refused('CreateDisk', endless)).toBe('InvalidParameter');
    expect(entries()).toHaveLength(1);
  });

  it('that only reads, or is a dry run, or names no verb, is not told of', async () => {
    const { refused, entries } = await auditWorld();
    expect(await refused('DescribeDisks', { DiskIds: 7 })).toBe('InvalidParameter');
    expect(await refused('CreateDisk', { Size: 'x', DryRun: true })).toBe('InvalidParameter');
    expect(await refused('MakeDisk' as never, {})).toBe('UnknownVerb');
    expect(entries()).toEqual([]);
  });
});
