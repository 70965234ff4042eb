/**
 * DATA: the words of the KMS API, in those of the ECS API: what a disk verb says when its key
 * refuses. Source: ECS CreateDisk, AttachDisk, StartInstance: error codes.
 */
import { type ErrorCode, PlaneError } from '../base/errors.ts';

const ECS_CODES: Partial<Record<ErrorCode, ErrorCode>> = {
  'Forbidden.KeyNotFound': 'InvalidParameter.KMSKeyId.NotFound',
  'Forbidden.AliasNotFound': 'InvalidParameter.KMSKeyId.NotFound',
  'Forbidden.KmsServiceNotEnabled': 'InvalidParameter.KmsNotEnabled',
  'Rejected.Disabled': 'InvalidParameter.KMSKeyId.CMKNotEnabled',
  'Rejected.PendingDeletion': 'InvalidParameter.KMSKeyId.CMKNotEnabled',
  'Rejected.PendingImport': 'InvalidParameter.KMSKeyId.CMKNotEnabled',
  // The one quota of a key that a disk can meet: what a version of it may encrypt.
  'Rejected.LimitExceeded': 'InvalidParameter.DataEncryptedKeyCreateFailed',
};

/** Verbs that spell a code otherwise. */
const OWN_SPELLINGS: Readonly<Record<string, Partial<Record<ErrorCode, ErrorCode>>>> = {
  AttachDisk: { 'Forbidden.KeyNotFound': 'InvalidKMSKeyId.NotFound' },
};

/**
 * @param verb which verb answers, if its spelling may be its own
 * @returns the error a disk verb answers with when KMS answered with this one
 */
export function toDiskError(error: unknown, verb = ''): unknown {
  if (!(error instanceof PlaneError)) return error;
  const code = OWN_SPELLINGS[verb]?.[error.code] ?? ECS_CODES[error.code];
  return code === undefined
    ? error
    : new PlaneError(code, error.toRecord().message, { cause: error });
}
