import { expect, test } from 'vitest';
import { PlaneError } from '../../../src/base/errors.ts';
import { type EngineReport, runDoctor } from '../../../src/cli/doctor.ts';
import type { OpenPlane } from '../../../src/cli/load-targets.ts';
import { planeDouble } from '../load/doubles.ts';
import { terminalDouble } from './doubles.ts';

interface DoctorDocument {
  readonly schema: string;
  readonly ok: boolean;
  readonly checks: { name: string; isOk: boolean; detail: string }[];
  readonly engines: { name: string; isUsable: boolean; reason: string }[];
}

async function doctor(
  open: OpenPlane,
  reports?: () => Promise<readonly EngineReport[]>,
): Promise<{ code: number; document: DoctorDocument }> {
  const terminal = terminalDouble();
  const code = await runDoctor({ json: true }, open, terminal, reports);
  return { code, document: JSON.parse(terminal.printed.join('')) as DoctorDocument };
}

test('a machine on which an encrypted round trip works is well', async () => {
  const { code, document } = await doctor(async () => planeDouble().plane);
  expect([code, document.ok, document.schema]).toEqual([0, true, 'sealdisk-doctor/1']);
  expect(document.checks.map(({ name }) => name)).toEqual([
    'node',
    'openssl',
    'cpu',
    'cores',
    'memory',
    'core dumps',
    'encrypted round trip',
  ]);
  expect(document.engines).toEqual([
    { name: 'double', isUsable: true, reason: 'in use by the shards' },
  ]);
});

test('a plane that cannot be opened is told with its reason', async () => {
  const { code, document } = await doctor(() =>
    Promise.reject(new PlaneError('CipherUnavailable', 'none passes')),
  );
  expect(code).toBe(1);
  expect(document.checks.at(-1)).toEqual({
    name: 'encrypted round trip',
    isOk: false,
    detail: 'CipherUnavailable: none passes',
  });
});

test('wrong bytes are told', async () => {
  const double = planeDouble();
  double.corrupt = (bytes) => void bytes.fill(0, 5, 6);
  const { code, document } = await doctor(async () => double.plane);
  expect([code, document.checks.at(-1)!.detail]).toEqual([
    1,
    'read back other bytes than were written',
  ]);
});

test("the library's own account of engines is shown", async () => {
  const engines = [
    {
      name: 'openssl-ffi',
      isUsable: false,
      reason: 'the binary does not export EVP_EncryptUpdate',
    },
    { name: 'node-crypto', isUsable: true, reason: 'passes its known answers; chosen' },
  ];
  const { document } = await doctor(
    async () => planeDouble().plane,
    async () => engines,
  );
  expect(document.engines).toEqual(engines);
  const terminal = terminalDouble();
  await runDoctor(
    {},
    async () => planeDouble().plane,
    terminal,
    async () => engines,
  );
  expect(terminal.printed.join('')).toMatch(/^no {4}engine openssl-ffi: the binary/m);
  expect(terminal.printed.join('')).toMatch(/^ok {4}engine node-crypto: passes/m);
});
