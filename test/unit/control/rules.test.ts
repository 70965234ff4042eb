/** Every combination a state table is asked for matches exactly one of its rows. */
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../src/base/errors.ts';
import {
  checkDiskState,
  DISK_VERBS_WITH_STATE,
  STATE_RULES,
} from '../../../src/control/disks/state-rules.ts';
import {
  checkInstanceState,
  INSTANCE_RULES,
  INSTANCE_VERBS_WITH_STATE,
} from '../../../src/control/instances/state-rules.ts';
import type { InstanceRecord, InstanceStatus } from '../../../src/record/document.ts';
import type { DiskRecord, DiskStatus } from '../../../src/record/resource.ts';

const DISK_STATUSES: DiskStatus[] = [
  'Creating',
  'Available',
  'Attaching',
  'In_use',
  'Detaching',
  'ReIniting',
  'Deleting',
];
const INSTANCE_STATUSES: InstanceStatus[] = [
  'Pending',
  'Stopped',
  'Starting',
  'Running',
  'Stopping',
];

describe('the state rules of disks', () => {
  const cells = DISK_VERBS_WITH_STATE.flatMap((verb) =>
    DISK_STATUSES.map((status) => [verb, status] as const),
  );
  it.each(cells)('have one row for %s on a disk that is %s', (verb, status) => {
    const rows = STATE_RULES.filter(
      (row) => row.verbs.includes(verb) && row.statuses.includes(status),
    );
    expect(rows.length).toBe(1);
    const disk = { diskId: 'd-1', status } as DiskRecord;
    const code = rows[0]?.code;
    if (code === null) checkDiskState(verb, disk);
    else expect(() => checkDiskState(verb, disk)).toThrow(String(code));
  });
});

describe('the state rules of instances', () => {
  const cells = INSTANCE_VERBS_WITH_STATE.flatMap((verb) =>
    INSTANCE_STATUSES.map((status) => [verb, status] as const),
  );
  it.each(cells)('have one row for %s while the instance is %s', (verb, status) => {
    const rows = INSTANCE_RULES.filter(
      (row) => row.verbs.includes(verb) && row.statuses.includes(status),
    );
    expect(rows.length).toBe(1);
    const instance = { instanceId: 'i-1', status } as InstanceRecord;
    const code = rows[0]?.code;
    if (code === null) checkInstanceState(verb, instance);
    else expect(() => checkInstanceState(verb, instance)).toThrow(String(code));
  });
});

describe('the rows of every state table', () => {
  it.each([...STATE_RULES, ...INSTANCE_RULES])('say why and by which document', (row) => {
    expect(row.because.length).toBeGreaterThan(10);
    expect(row.source.length).toBeGreaterThan(5);
    if (row.code !== null) expect(ERROR_CODES).toHaveProperty([row.code]);
  });
});
