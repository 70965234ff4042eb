/**
 * A refusal as the cloud's API writes it: HTTP status, and a body with Code, Message and RequestId.
 *
 * The code is the plane's, which is the cloud's own; codes of ours that the cloud does not have are
 * written as the nearest it has. Its status: base/http-status.ts.
 */
import { type ErrorCode, PlaneError } from '../../base/errors.ts';
import { httpStatusOf } from '../../base/http-status.ts';

/** APIs of the cloud that are served. */
export type Service = 'ecs' | 'kms' | 'sts' | 'resourcesharing';

/** DATA: codes of ours -> codes of the cloud. */
const WIRE_CODES: Partial<Record<ErrorCode, ErrorCode>> = {
  UnknownVerb: 'InvalidAction.NotFound',
  InvalidArgument: 'InvalidParameter',
  KmsUnavailable: 'ServiceUnavailable',
  ShardLost: 'ServiceUnavailable',
  PlaneClosed: 'ServiceUnavailable',
  Busy: 'ServiceUnavailable',
};

export interface WireAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The code of a refusal; empty if it is none. */
  readonly code: string;
}

/** Whose answer it is. */
export interface AnswerOrigin {
  readonly service: Service;
  /** Empty: it is not known. */
  readonly action: string;
  readonly regionId: string;
  readonly requestId: string;
}

const PRODUCTS: Readonly<Record<Service, string>> = {
  ecs: 'Ecs',
  kms: 'Kms',
  sts: 'Sts',
  resourcesharing: 'ResourceSharing',
};

/** @param error anything but a PlaneError is a bug: its text is not shown */
export function wireRefusal(error: unknown, origin: AnswerOrigin): WireAnswer {
  const known = error instanceof PlaneError ? error.toRecord() : null;
  const planeCode = known?.code ?? 'InternalError';
  const code = WIRE_CODES[planeCode] ?? planeCode;
  const status = httpStatusOf(code, origin.action);
  const message = known?.message ?? 'The request processing has failed due to some unknown error.';
  return { status, code, body: bodyOf(code, message, status, origin) };
}

function bodyOf(
  code: string,
  message: string,
  status: number,
  { service, regionId, requestId }: AnswerOrigin,
): Record<string, unknown> {
  if (service === 'kms') {
    return { HttpStatus: status, Code: code, Message: message, RequestId: requestId };
  }
  return {
    RequestId: requestId,
    HostId: `${service}.${regionId}.aliyuncs.com`,
    Code: code,
    Message: message,
    Recommend: `https://next.api.aliyun.com/troubleshoot?q=${code}&product=${PRODUCTS[service]}`,
  };
}
