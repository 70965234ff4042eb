#!/usr/bin/env python3
"""
Makes the vectors of this folder, and the known answers of src/cipher/, with implementations that
share no code with ours: XTS-AES-256 by GNU nettle (ctypes), HKDF-SHA-512 by hashlib and hmac.

    python3 test/vectors/make.py        # needs libnettle >= 3.5 (Debian: libnettle8)

Rewrites the three .json files beside it, and prints the constants to be pasted into
src/cipher/xts-known-answers.ts and src/cipher/xts-key.ts.
"""
import ctypes
import ctypes.util
import hashlib
import hmac
import json
import pathlib

HERE = pathlib.Path(__file__).parent
nettle = ctypes.CDLL(ctypes.util.find_library('nettle'))
SECTOR_BYTES = 4096


def xts(key, tweak, plain):
    assert len(key) == 64 and len(tweak) == 16 and len(plain) % 16 == 0
    context = ctypes.create_string_buffer(4096)
    nettle.nettle_xts_aes256_set_encrypt_key(context, key)
    out = ctypes.create_string_buffer(len(plain))
    length = ctypes.c_size_t(len(plain))
    nettle.nettle_xts_aes256_encrypt_message(context, tweak, length, out, plain)
    return out.raw


def stream(label, length):
    """SHA-512 in counter mode: bytes anyone can make again."""
    out = b''
    counter = 0
    while len(out) < length:
        out += hashlib.sha512(f'{label} {counter}'.encode()).digest()
        counter += 1
    return out[:length]


def known_answers():
    key = bytes.fromhex('2718281828459045235360287471352662497757247093699959574966967627'
                        '3141592653589793238462643383279502884197169399375105820974944592')
    plain = bytes(range(256)) * (SECTOR_BYTES // 256)
    for sector in (0, 1, 2**32, 2**53 - 1):
        cipher = xts(key, sector.to_bytes(16, 'little'), plain)
        print('known answer', sector, hashlib.sha256(cipher).hexdigest())


def xts_vectors():
    # Tweaks: zero, one, carries in and out of each 32-bit word, all ones, no pattern.
    tweaks = ['00' * 16, '01' + '00' * 15, 'ffffffff' + '00' * 12, '00' * 4 + '01' + '00' * 11,
              'ff' * 8 + '00' * 8, '00' * 8 + '01' + '00' * 7, 'ff' * 16,
              stream('tweak', 16).hex()]
    vectors = []
    for number, tweak in enumerate(tweaks):
        for unit_bytes in (16, 32, 48, 512, SECTOR_BYTES):
            name = f'tweak {tweak}, {unit_bytes} bytes'
            key = stream(f'key {number} {unit_bytes}', 64)
            plain_label = f'plaintext {number} {unit_bytes}'
            cipher = xts(key, bytes.fromhex(tweak), stream(plain_label, unit_bytes))
            vectors.append({'id': name, 'key': key.hex(), 'tweak': tweak,
                            'dataUnitBytes': unit_bytes, 'plaintextLabel': plain_label,
                            'ciphertextStart': cipher[:48].hex(),
                            'ciphertextSha256': hashlib.sha256(cipher).hexdigest()})
    about = ('made by test/vectors/make.py with GNU nettle; plaintext is SHA-512 in counter mode '
             'over "<plaintextLabel> <counter>", cut to dataUnitBytes')
    write('xts-aes-256.json', {'about': about, 'vectors': vectors})


def hkdf_sha512_64(salt, secret, info):
    """RFC 5869 with L = 64 = HashLen, so that OKM is T(1)."""
    pseudo_random_key = hmac.new(salt, secret, hashlib.sha512).digest()
    return hmac.new(pseudo_random_key, info + b'\x01', hashlib.sha512).digest()


def xts_key_vectors():
    salt, info = b'sealdisk data key', b'sealdisk xts v1'
    vectors = []
    for label in ('zero', 'ones', 'a', 'b', 'c'):
        data_key = {'zero': bytes(32), 'ones': b'\xff' * 32}.get(label) or stream(label, 32)
        vectors.append({'dataKey': data_key.hex(),
                        'xtsKey': hkdf_sha512_64(salt, data_key, info).hex()})
    about = 'made by test/vectors/make.py with hashlib and hmac of Python'
    write('xts-key.json', {'about': about, 'salt': salt.decode(), 'hkdfInfo': info.decode(),
                           'vectors': vectors})
    data_key = bytes(range(32))
    print('xts key known answer', hkdf_sha512_64(salt, data_key, info).hex())


def golden_image():
    """The on-disk format in one number: data key to XTS key to ciphertext, across sector 2^32."""
    data_key = stream('golden data key', 32)
    key = hkdf_sha512_64(b'sealdisk data key', data_key, b'sealdisk xts v1')
    first, count = 2**32 - 128, 256
    plain = stream('golden image', count * SECTOR_BYTES)
    digest = hashlib.sha256()
    for at in range(count):
        sector = plain[at * SECTOR_BYTES:(at + 1) * SECTOR_BYTES]
        digest.update(xts(key, (first + at).to_bytes(16, 'little'), sector))
    about = 'made by test/vectors/make.py; labels as in xts-aes-256.json'
    write('golden-image.json', {'about': about, 'dataKey': data_key.hex(),
                                'plaintextLabel': 'golden image',
                                'firstSector': first, 'sectorCount': count,
                                'ciphertextSha256': digest.hexdigest()})


def write(name, content):
    (HERE / name).write_text(json.dumps(content, indent=2) + '\n')


known_answers()
xts_vectors()
xts_key_vectors()
golden_image()
