import { unwrapDataKey, wrapNewDataKey } from '../../src/kms/wrap.ts';
import { type WrapImplementation, wrapContract } from './wrap.ts';
import { referenceWrap } from './wrap-reference.ts';

const sealdisk: WrapImplementation = {
  wrap: (material, wrapKey, context, iv, dataKey) => {
    const draws = [iv, dataKey];
    return wrapNewDataKey(material, wrapKey, context, (bytes) => bytes.set(draws.shift()!));
  },
  unwrap: (material, wrapped, context) => new Uint8Array(unwrapDataKey(material, wrapped, context)),
};

wrapContract('sealdisk', sealdisk, referenceWrap);
wrapContract('reference over @noble/ciphers', referenceWrap, sealdisk);
