/** How refusals are written: one status for each code, two shapes, and nothing of a bug told. */
import { describe, expect, test } from 'vitest';
import { type ErrorCode, PlaneError } from '../../../../src/base/errors.ts';
import { Faults } from '../../../../src/front/api/faults.ts';
import { wireRefusal } from '../../../../src/front/api/wire-refusal.ts';
import { refusedWith } from '../../../support/signed-request.ts';

const ORIGIN = {
  service: 'ecs',
  action: 'DeleteDisk',
  regionId: 'cn-hangzhou',
  requestId: 'R-1',
} as const;

describe('bodies', () => {
  test('of ECS name the host and what to do; of KMS the status', () => {
    const error = new PlaneError('IncorrectDiskStatus', 'the disk is In_use');
    expect(wireRefusal(error, ORIGIN)).toEqual({
      status: 403,
      code: 'IncorrectDiskStatus',
      body: {
        RequestId: 'R-1',
        HostId: 'ecs.cn-hangzhou.aliyuncs.com',
        Code: 'IncorrectDiskStatus',
        Message: 'the disk is In_use',
        Recommend: 'https://next.api.aliyun.com/troubleshoot?q=IncorrectDiskStatus&product=Ecs',
      },
    });
    const disabled = new PlaneError('Rejected.Disabled', 'the key is Disabled');
    expect(wireRefusal(disabled, { ...ORIGIN, service: 'kms' }).body).toEqual({
      HttpStatus: 409,
      Code: 'Rejected.Disabled',
      Message: 'the key is Disabled',
      RequestId: 'R-1',
    });
  });

  test('codes the cloud does not have are written as the nearest it has', () => {
    const codeOf = (code: ErrorCode): string => wireRefusal(new PlaneError(code, ''), ORIGIN).code;
    expect(codeOf('UnknownVerb')).toBe('InvalidAction.NotFound');
    expect(codeOf('KmsUnavailable')).toBe('ServiceUnavailable');
    expect(codeOf('Busy')).toBe('ServiceUnavailable');
    expect(codeOf('InvalidArgument')).toBe('InvalidParameter');
  });

  test('have the status of their operation, where it has one of its own', () => {
    const error = new PlaneError('IncorrectInstanceStatus', '');
    expect(wireRefusal(error, ORIGIN).status).toBe(403);
    expect(wireRefusal(error, { ...ORIGIN, action: 'AttachDisk' }).status).toBe(400);
  });

  test('a bug is an InternalError whose text is nobody else’s', () => {
    const { status, body } = wireRefusal(new Error('the secret is 42'), ORIGIN);
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('42');
  });
});

describe('faults', () => {
  test('befall the calls they are for, so often, and no others', async () => {
    const faults = new Faults();
    faults.inject({ service: 'ecs', action: 'CreateDisk', code: 'Throttling', times: 2 });
    await faults.interfere('kms', 'CreateDisk');
    await faults.interfere('ecs', 'DeleteDisk');
    for (let time = 0; time < 2; time++) {
      await expect(faults.interfere('ecs', 'CreateDisk')).rejects.toMatchObject({
        code: 'Throttling',
      });
    }
    await faults.interfere('ecs', 'CreateDisk');
    faults.inject({ code: 'ServiceUnavailable', latencyMs: 1 });
    await expect(faults.interfere('kms', 'ListKeys')).rejects.toMatchObject({
      code: 'ServiceUnavailable',
    });
    faults.clear();
    await faults.interfere('kms', 'ListKeys');
  });

  test('that cannot be are refused', () => {
    const faults = new Faults();
    const code = 'NoSuchCode' as ErrorCode;
    expect(refusedWith(() => faults.inject({ code }))).toBe('InvalidArgument');
    expect(refusedWith(() => faults.inject({ latencyMs: -1 }))).toBe('InvalidArgument');
    expect(refusedWith(() => faults.inject({ times: 0 }))).toBe('InvalidArgument');
    expect(refusedWith(() => faults.inject({ times: Number.NaN }))).toBe('InvalidArgument');
  });
});
