"""read_store.py SHARD_DIRECTORY [TREE=DATA_KEY_IN_HEX ...]: what a shard's files say, a line a sector:
tree, sector, segment, slot, checksum, whether the slot matches it, SHA-256 of its plaintext (or -).
Of the formats it knows what the heads of store-file.ts, checkpoint.ts, chunk-map-dump.ts, map-log.ts say."""
import pathlib, sys, xts
from hashlib import sha256
from struct import iter_unpack, unpack_from
from zlib import crc32
from xxh3 import xxh3_64
store, keys = pathlib.Path(sys.argv[1]), dict(word.split('=') for word in sys.argv[2:])
def read_head(data, magic):  # of a checkpoint or log: slots of a segment, first sequence
    assert data[:8] == magic and unpack_from('<I', data, 8) == (1,) and unpack_from('<I', data, 44) == (crc32(data[:44]),)
    return unpack_from('<IQ', data, 20)
def name_at(data, at):  # a name, and where what follows it begins
    length, = unpack_from('<I', data, at)
    return data[at + 4:at + 4 + length].decode(), at + 4 + -(-length // 4) * 4
def read_checkpoint(data):  # trees by number: name, and sector -> location, checksum
    assert data[-24:-16] == b'sealdend' and unpack_from('<I', data, len(data) - 4) == (crc32(data[:-4]),)
    (dump, table), nodes, trees, at = unpack_from('<QQ', data, len(data) - 48), [{}], {}, 48
    while at < 48 + dump:
        kind, count = unpack_from('<BxH', data, at)
        end = at + 4 + count * (12 if kind == 1 else 4)
        rows = iter_unpack('<III' if kind == 1 else '<I', data[at + 4:end])
        children = [{s: ref for s, *ref in rows}] if kind == 1 else [nodes[child] for child, in rows]
        at = nodes.append({s: ref for child in children for s, ref in child.items()}) or end
    while at < 48 + dump + table:
        number, *roots = unpack_from('<5I', data, at)
        name, at = name_at(data, at + 20)
        trees[number] = name, {k * 2**32 + s: ref for k in range(4) for s, ref in nodes[roots[k]].items()}
    return trees
def read_batches(logs, sequence):  # of the batches that count: number of records, and the records
    for data in logs:
        if len(data) < 48 or not any(data[:48]) or read_head(data, b'sealdlog')[1] != sequence: return
        at = 48
        while at < len(data):
            magic, size, found, _, records, checksum = unpack_from('<IIQQII', data.ljust(at + 32, b'\0'), at)
            if magic != 0x54424453 or found != sequence or not 32 <= size <= len(data) - at: return
            if checksum != crc32(data[at + 32:at + size], crc32(data[at:at + 28])): return
            yield records, data[at + 32:at + size]
            at, sequence = at + size, sequence + 1
def ciphertext(location):
    path = store / f'segments/{location // slots:08x}.seg'
    return (path.read_bytes() if path.exists() else b'')[location % slots * 4096:][:4096].ljust(4096, b'\0')
def checksum_of(location): return xxh3_64(ciphertext(location)) & 0xffffffff
def do(body, at, is_marked):  # one record; returns where the next begins
    kind, tree = unpack_from('<II', body, at)
    if kind in (3, 4):
        name, end = name_at(body, at + 4 * kind - 4)
        trees[unpack_from('<I', body, at + 4 * kind - 8)[0]] = name, dict(trees[tree][1] if kind == 4 else {})
        return end
    if kind == 1:
        first, count, location = unpack_from('<QII', body, at + 8)
        for i, checksum in enumerate(unpack_from(f'<{count}I', body, at + 24)):
            if is_marked or checksum_of(location + i) == checksum: trees[tree][1][first + i] = location + i, checksum
        return at + 24 + 4 * count
    if kind == 2:
        first, count = unpack_from('<QQ', body, at + 8)
        trees[tree] = trees[tree][0], {s: r for s, r in trees[tree][1].items() if not first <= s < first + count}
    return at + (4 if kind == 6 else 24 if kind == 2 else trees.pop(tree) and 8)
newest = max(store.glob('map-????????.ckpt'))
(slots, sequence), trees = read_head(newest.read_bytes(), b'sealdmap'), read_checkpoint(newest.read_bytes())
logs = (path.read_bytes() for path in sorted(store.glob('map-????????.log')) if path.stem >= newest.stem)
batches = list(read_batches(logs, sequence))
mark = max((i for i, (records, body) in enumerate(batches) if records and body[:4] == b'\6\0\0\0'), default=-1)
for index, (records, body) in enumerate(batches):
    for record in range(records): at = do(body, at if record else 0, index <= mark)
for name, sectors in trees.values():
    for sector, (location, checksum) in sectors.items():
        plain = xts.decrypt(bytes.fromhex(keys[name]), sector, ciphertext(location)) if name in keys else b''
        print(name, sector, *divmod(location, slots), checksum, checksum_of(location) == checksum, sha256(plain).hexdigest())
