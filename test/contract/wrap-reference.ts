/**
 * A second implementation of the wrapped data key format, written from the head of src/kms/wrap.ts
 * alone, over @noble/ciphers instead of OpenSSL.
 */
import { gcm } from '@noble/ciphers/aes.js';
import type { WrapImplementation } from './wrap.ts';

const ascii = (text: string): Buffer => Buffer.from(text, 'utf8');
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

function additional(parts: readonly Buffer[]): Buffer {
  return Buffer.concat(
    parts.map((part) => Buffer.concat([Buffer.from([part.length >> 8, part.length & 255]), part])),
  );
}

export const referenceWrap: WrapImplementation = {
  wrap: (material, wrapKey, context, iv, dataKey) => {
    const binding = additional([
      ascii('sealdisk wrapped data key'),
      Buffer.from([1]),
      Buffer.from([1]),
      ascii(context.accountId),
      ascii(context.regionId),
      ascii(wrapKey.keyId),
      uint32(wrapKey.version),
      ascii(context.lineageId),
    ]);
    const head = [Buffer.from([1, 1]), ascii(wrapKey.keyId), uint32(wrapKey.version)];
    // noble appends the tag to the ciphertext, which is the order of the format.
    return Buffer.concat([...head, iv, gcm(material, iv, binding).encrypt(dataKey)]);
  },
  unwrap: (material, wrapped, context) => {
    const bytes = Buffer.from(wrapped);
    const binding = additional([
      ascii('sealdisk wrapped data key'),
      bytes.subarray(0, 1),
      bytes.subarray(1, 2),
      ascii(context.accountId),
      ascii(context.regionId),
      bytes.subarray(2, 26),
      bytes.subarray(26, 30),
      ascii(context.lineageId),
    ]);
    return gcm(material, bytes.subarray(30, 42), binding).decrypt(bytes.subarray(42));
  },
};
