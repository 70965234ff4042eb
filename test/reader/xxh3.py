"""XXH3-64, seed 0, default secret, of more than 240 bytes: from xxHash's doc/xxhash_spec.md v0.2.0.

Stands for the package `xxhash`, which a machine need not have.
"""
import struct

SECRET = bytes.fromhex(
    'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f'
    'cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c'
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8'
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364'
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e'
    '2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e')
P32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
P64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63,
       0x27D4EB2F165667C5)
M32, M64 = 2**32 - 1, 2**64 - 1
STRIPES = (len(SECRET) - 64) // 8
KEYS = [struct.unpack_from('<8Q', SECRET, 8 * n) for n in range(STRIPES + 1)]


def accumulate(acc, data, at, keys):
    for i, word in enumerate(struct.unpack_from('<8Q', data, at)):
        value = word ^ keys[i]
        acc[i ^ 1] = (acc[i ^ 1] + word) & M64
        acc[i] = (acc[i] + (value & M32) * (value >> 32)) & M64


def xxh3_64(data):
    acc = [P32[2], P64[0], P64[1], P64[2], P64[3], P32[1], P64[4], P32[0]]
    blocks = (len(data) - 1) // (64 * STRIPES)
    for block in range(blocks):
        for n in range(STRIPES):
            accumulate(acc, data, 64 * (block * STRIPES + n), KEYS[n])
        acc = [((a ^ (a >> 47) ^ key) * P32[0]) & M64 for a, key in zip(acc, KEYS[STRIPES])]
    start = 64 * STRIPES * blocks
    for n in range((len(data) - start - 1) // 64):
        accumulate(acc, data, start + 64 * n, KEYS[n])
    accumulate(acc, data, len(data) - 64, struct.unpack_from('<8Q', SECRET, len(SECRET) - 71))
    result = len(data) * P64[0] & M64
    keys = struct.unpack_from('<8Q', SECRET, 11)
    for i in range(0, 8, 2):
        product = (acc[i] ^ keys[i]) * (acc[i + 1] ^ keys[i + 1])
        result += (product & M64) ^ (product >> 64)
    result &= M64
    result = ((result ^ (result >> 37)) * 0x165667919E3779F9) & M64
    return result ^ (result >> 32)
