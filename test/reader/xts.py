"""What src/cipher/xts-key.ts and src/cipher/data-unit.ts say, by hmac and GNU nettle (ctypes)."""
import ctypes
import ctypes.util
import hmac

nettle = ctypes.CDLL(ctypes.util.find_library('nettle') or 'libnettle.so.8')


def decrypt(data_key, sector, ciphertext):
    secret = hmac.digest(b'sealdisk data key', data_key, 'sha512')
    key = hmac.digest(secret, b'sealdisk xts v1\1', 'sha512')
    context = ctypes.create_string_buffer(4096)
    plain = ctypes.create_string_buffer(len(ciphertext))
    nettle.nettle_xts_aes256_set_decrypt_key(context, key)
    tweak, length = sector.to_bytes(16, 'little'), ctypes.c_size_t(len(ciphertext))
    nettle.nettle_xts_aes256_decrypt_message(context, tweak, length, plain, ciphertext)
    return plain.raw
