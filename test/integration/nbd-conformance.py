"""Conformance of an NBD server, case by case, by clients that are not ours.

    nbd-conformance.py SOCKET EXPORT READ_ONLY_EXPORT SIZE LARGE_EXPORT LARGE_SIZE

Cases are grouped by the obligations of the protocol (proto.md): handshake by raw bytes made with
struct, transmission by libnbd with its own checks switched off, so that wrong requests are sent.
Prints one JSON object a line: {"name", "want", "got"}. The disks must be fresh.
"""
import itertools, json, os, random, socket, struct, sys
import nbd

PATH, EXPORT, READ_ONLY, SIZE = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
LARGE, LARGE_SIZE = sys.argv[5], int(sys.argv[6])
IHAVEOPT, REPLY = 0x49484156454F5054, 0x3E889045565A9
EXPORT_NAME, ABORT, LIST, PEEK, STARTTLS, INFO, GO, STRUCT, LISTMETA, SETMETA = range(1, 11)
ACK, SERVER, INF, META = 1, 2, 3, 4
UNSUP, POLICY, INVALID, PLATFORM, TLS_REQD, UNKNOWN, SHUTDOWN, BLOCK, TOO_BIG = (
    0x80000000 + n for n in range(1, 10))
EPERM, EIO, EINVAL, ENOSPC, EOVERFLOW, ENOTSUP, ESHUTDOWN = 1, 5, 22, 28, 75, 95, 108
CLOSED = "closed"


def case(name, want, got):
    print(json.dumps({"name": name, "want": want, "got": got}), flush=True)


# ---- raw bytes ------------------------------------------------------------------------------

class Raw:
    def __init__(self, flags=3):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(5)
        self.s.connect(PATH)
        self.hello = self.get(18)
        if flags is not None:
            self.s.sendall(struct.pack(">I", flags))

    def get(self, n):
        out = b""
        while len(out) < n:
            part = self.s.recv(n - len(out))
            if not part:
                raise EOFError
            out += part
        return out

    def opt(self, option, data=b"", length=None):
        length = len(data) if length is None else length
        self.s.sendall(struct.pack(">QII", IHAVEOPT, option, length) + data)

    def reply(self):
        magic, option, kind, length = struct.unpack(">QIII", self.get(20))
        assert magic == REPLY
        return option, kind, self.get(length)

    def kinds(self, option, data=b"", length=None):
        """Kinds of all replies to an option, to the one that ends them."""
        self.opt(option, data, length)
        kinds = []
        try:
            while True:
                o, kind, _ = self.reply()
                assert o == option
                kinds.append(kind)
                if kind == ACK or kind >> 31:
                    return kinds
        except (EOFError, ConnectionError):
            return kinds + [CLOSED]

    def request(self, command, cookie, offset=0, length=0, flags=0, magic=0x25609513, data=b""):
        self.s.sendall(struct.pack(">IHHQQI", magic, flags, command, cookie, offset, length) + data)

    def simple(self):
        magic, error, cookie = struct.unpack(">IIQ", self.get(16))
        assert magic == 0x67446698, hex(magic)
        return error, cookie

    def chunk(self):
        magic, flags, kind, cookie, length = struct.unpack(">IHHQI", self.get(20))
        assert magic == 0x668E33EF, hex(magic)
        return flags, kind, cookie, self.get(length)

    def is_closed(self):
        try:
            return self.s.recv(1) == b""
        except ConnectionError:
            return True

    def go(self, name=EXPORT, structured=False):
        if structured:
            assert self.kinds(STRUCT) == [ACK]
        assert self.kinds(GO, go_data(name))[-1] == ACK
        return self


def go_data(name, kinds=(), length=None, count=None):
    raw = name.encode() if isinstance(name, str) else name
    n = len(raw) if length is None else length
    c = len(kinds) if count is None else count
    return struct.pack(">I", n) + raw + struct.pack(">H", c) + b"".join(struct.pack(">H", k) for k in kinds)


def meta_data(name, *queries):
    out = struct.pack(">I", len(name)) + name.encode() + struct.pack(">I", len(queries))
    for q in queries:
        out += struct.pack(">I", len(q)) + q.encode()
    return out


def handshake():
    r = Raw(None)
    case("1 hello is NBDMAGIC, IHAVEOPT, FIXED_NEWSTYLE | NO_ZEROES",
         (b"NBDMAGICIHAVEOPT" + b"\0\3").hex(), r.hello.hex())
    for flags in (4, 0x80000000, 0xFFFFFFFF):
        case(f"1 unknown client flags {flags:#x} are dropped", True, Raw(flags).is_closed())
    for flags in (0, 1, 2, 3):
        case(f"1 client flags {flags} are taken", [INF, INF, ACK], Raw(flags).kinds(GO, go_data(EXPORT)))
    case("2 ABORT is acknowledged and closes", [[ACK], True],
         (lambda r: [r.kinds(ABORT), r.is_closed()])(Raw()))
    case("2 ABORT tolerates data", [ACK], Raw().kinds(ABORT, b"bye"))
    case("2 LIST names every export", [SERVER] * 3 + [ACK], Raw().kinds(LIST))
    case("2 LIST with data is invalid", [INVALID], Raw().kinds(LIST, b"x"))
    for option in (0, PEEK, 11, 99, 0xFFFFFFFF):
        r = Raw()
        case(f"2 unknown option {option} is unsupported, and the stream stays in step",
             [[UNSUP], [UNSUP], [SERVER] * 3 + [ACK]],
             [r.kinds(option, b"payload"), r.kinds(option), r.kinds(LIST)])
    for flags, zeros in ((3, 0), (1, 124), (0, 124)):
        r = Raw(flags)
        r.opt(EXPORT_NAME, EXPORT.encode())
        size, tflags = struct.unpack(">QH", r.get(10))
        rest = r.get(zeros)
        r.request(3, 77)
        case(f"2 EXPORT_NAME with client flags {flags}: {zeros} zero bytes", [SIZE, "", [0, 77]],
             [size, rest.strip(b"\0").hex(), list(r.simple())])
    for name in (b"nobody", b"\xff\xfe", b"x\0y", b"n" * 5000):
        r = Raw()
        r.opt(EXPORT_NAME, name)
        case(f"2 EXPORT_NAME of unknown {name[:6]!r} closes", True, r.is_closed())
    r = Raw()
    r.s.sendall(b"GARBAGE!" + bytes(8))
    case("2 an option without IHAVEOPT is dropped", True, r.is_closed())
    information()
    contexts()
    orders()


def information():
    for name in (EXPORT, ""):
        for kinds in ((), (0,), (3,), (1, 2, 3), (99, 1), (1, 1)):
            r = Raw()
            want = [INF, INF] + [INF] * len({1, 2} & set(kinds)) + [ACK]
            info, go = r.kinds(INFO, go_data(name, kinds)), r.kinds(GO, go_data(name, kinds))
            case(f"3 INFO then GO of {name!r} asking {kinds}: the same", [want, want], [info, go])
    r = Raw()
    r.opt(INFO, go_data(EXPORT))
    kind, size, flags = struct.unpack(">HQH", r.reply()[2])
    case("3 NBD_INFO_EXPORT is first, 12 bytes", [0, SIZE], [kind, size])
    case("3 flags without structured replies have no DF", 0, flags & 128)
    blocks = struct.unpack(">HIII", r.reply()[2])
    case("3 NBD_INFO_BLOCK_SIZE", [3, 1, 4096, 32 << 20], list(blocks))
    for data, why in [(b"", "nothing"), (b"\0\0\0", "3 bytes"), (go_data(EXPORT, length=99), "a name too long"),
                      (go_data(EXPORT, length=0xFFFFFFFF), "a name of 2^32 - 1"), (go_data(EXPORT, count=3), "a count too large"),
                      (go_data(EXPORT, (1,), count=0), "a count too small"), (go_data(EXPORT) + b"x", "a byte more"),
                      (go_data(b"\xff\xff"), "no UTF-8"), (go_data(b"a\0b"), "a NUL")]:
        for option in (INFO, GO):
            r = Raw()
            case(f"3 option {option} with {why} is invalid, and the stream stays in step",
                 [[INVALID], [INF, INF, ACK]], [r.kinds(option, data), r.kinds(GO, go_data(EXPORT))])
    for n in (255, 256, 257, 4095, 4096):
        case(f"6 CVE-2017-15118 GO with a name of {n} bytes is unknown", [UNKNOWN], Raw().kinds(GO, go_data("n" * n)))
    case("6 GO with a name of 4097 bytes is invalid", [INVALID], Raw().kinds(GO, go_data("n" * 4097)))
    r = Raw()
    case("3 an option of 1 MiB is too big, and the stream stays in step", [[TOO_BIG], [SERVER] * 3 + [ACK]],
         [r.kinds(GO, bytes(1 << 20)), r.kinds(LIST)])


def contexts():
    base, ours = "base:allocation", "sealdisk:encryption"
    case("4 STRUCTURED_REPLY with data is invalid", [INVALID], Raw().kinds(STRUCT, b"x"))
    for option in (LISTMETA, SETMETA):
        case(f"4 option {option} without structured replies is invalid", [INVALID],
             Raw().kinds(option, meta_data(EXPORT, base)))
    table = [
        (LISTMETA, (), 2), (LISTMETA, ("base:",), 1), (LISTMETA, (base,), 1), (LISTMETA, ("sealdisk:",), 1),
        (LISTMETA, ("x:y",), 0), (LISTMETA, (base, ours), 2), (LISTMETA, ("base:",) * 5, 1),
        (SETMETA, (), 0), (SETMETA, ("base:",), 0), (SETMETA, (base,), 1), (SETMETA, (base, ours), 2),
        (SETMETA, (base, base), 1), (SETMETA, ("qemu:dirty-bitmap:x", base), 1), (SETMETA, ("base:allocatio",), 0),
        (SETMETA, ("base:allocation2",), 0), (SETMETA, ("",), 0), (SETMETA, ("é:ü",), 0)]
    for option, queries, n in table:
        r = Raw()
        r.kinds(STRUCT)
        q = [x.encode().decode("latin1") for x in queries]
        data = struct.pack(">I", len(EXPORT)) + EXPORT.encode() + struct.pack(">I", len(q))
        data += b"".join(struct.pack(">I", len(x)) + x.encode("latin1") for x in q)
        case(f"4 option {option} with {queries}", [META] * n + [ACK], r.kinds(option, data))
    good = meta_data(EXPORT, base)
    for data, want, why in [(b"", INVALID, "nothing"), (good[:-1], INVALID, "a query cut"), (good + b"x", INVALID, "a byte more"),
                            (struct.pack(">I", 99) + good[4:], INVALID, "a name too long"),
                            (meta_data("nobody", base), UNKNOWN, "an unknown export"),
                            (meta_data(EXPORT, *["a:b"] * 33), TOO_BIG, "33 queries"),
                            (struct.pack(">I", len(EXPORT)) + EXPORT.encode() + b"\xff" * 4, TOO_BIG, "2^32 - 1 queries")]:
        r = Raw()
        r.kinds(STRUCT)
        got = [r.kinds(SETMETA, good)[-1], r.kinds(SETMETA, data), r.kinds(GO, go_data(EXPORT))[-1]]
        r.request(7, 5, 0, 4096)
        _, kind, cookie, payload = r.chunk()
        got.append([kind, cookie, struct.unpack(">I", payload[:4])[0]])
        case(f"4 SET_META_CONTEXT with {why} fails and forgets the set before",
             [ACK, [want], ACK, [0x8001, 5, EINVAL]], got)
    r = Raw()
    r.kinds(STRUCT)
    r.kinds(SETMETA, meta_data(READ_ONLY, base))
    r.kinds(GO, go_data(EXPORT))
    r.request(7, 5, 0, 4096)
    case("4 contexts of another export do not count", [0x8001, 5], list(r.chunk()[1:3]))


def orders():
    bodies = {INFO: go_data(EXPORT), SETMETA: meta_data(EXPORT, "base:allocation"), STRUCT: b"", LIST: b""}
    for order in itertools.permutations(bodies):
        r = Raw()
        ends = [r.kinds(o, bodies[o])[-1] for o in order]
        early = order.index(SETMETA) < order.index(STRUCT)
        want = [INVALID if o == SETMETA and early else ACK for o in order]
        r.kinds(GO, go_data(EXPORT))
        r.request(0, 9, 0, 4096)
        case(f"CVE-2019-14851 options in the order {order}, then a read", [want, [9, 12 ]],
             [ends, (lambda c: [c[2], len(c[3])])(r.chunk())])
    r = Raw()
    case("5 STARTTLS without TLS is unsupported, and what was agreed holds", [[ACK], [UNSUP], [INF, INF, ACK]],
         [r.kinds(STRUCT), r.kinds(STARTTLS), r.kinds(GO, go_data(EXPORT))])
    r = Raw()
    got = []
    for _ in range(33):
        got.append(r.kinds(STRUCT)[-1])
        if got[-1] == CLOSED:
            break
    case("a flood of options ends after 32", [ACK] * 32 + [CLOSED], got)


def raw_transmission():
    r = Raw().go()
    for cookie in (0, 1, 0x67446698, 2**53 + 1, 2**63, 2**64 - 1):
        r.request(3, cookie)
        case(f"7 cookie {cookie:#x} comes back as it is", [0, cookie], list(r.simple()))
    r = Raw().go()
    for cookie in range(1000):
        r.request(3 if cookie % 3 else 4, cookie, 0, 0 if cookie % 3 else 4096)
    got = sorted(r.simple() for _ in range(1000))
    case("20 a thousand requests in flight get one answer each", True, got == [(0, c) for c in range(1000)])
    r = Raw().go()
    r.request(1, 3, 0, 33 << 20, data=bytes(33 << 20))
    r.request(3, 4)
    case("9 a write of 33 MiB is refused, and the stream stays in step", [[EINVAL, 3], [0, 4]],
         [list(r.simple()), list(r.simple())])
    r = Raw().go()
    r.request(1, 3, 0, (64 << 20) + 1)
    case("9 a write of more than 64 MiB is dropped", True, r.is_closed())
    r = Raw().go()
    r.request(3, 3, magic=0x12345678)
    case("a request without its magic is dropped", True, r.is_closed())
    r = Raw().go()
    r.request(1, 6, 8192, 8192, flags=0x40, data=b"w" * 8192)
    r.request(0, 7, 8192, 8192)
    got = [list(r.simple()), list(r.simple()), r.get(8192).strip(b"\0").hex()]
    case("11 a write with an unknown flag is drained and not done", [[EINVAL, 6], [0, 7], ""], got)
    r = Raw().go()
    r.request(0, 8, 0, 0)
    r.request(3, 9)
    case("17 a read of nothing, simple", [[0, 8], [0, 9]], [list(r.simple()), list(r.simple())])
    r = Raw().go(structured=True)
    r.request(0, 8, 0, 0)
    case("17 a read of nothing, structured, is one chunk NONE | DONE", [1, 0, 8, ""],
         (lambda c: [c[0], c[1], c[2], c[3].hex()])(r.chunk()))
    r = Raw().go(structured=True)
    r.request(0, 8, SIZE - 1, 2)
    case("12 an error chunk is DONE and says why", [1, 0x8001, EINVAL],
         (lambda c: [c[0], c[1], struct.unpack(">I", c[3][:4])[0]])(r.chunk()))
    r = Raw().go()
    r.request(1, 1, 4096, 4096, data=b"d" * 4096)
    r.request(0, 2, 4096, 4096)
    r.request(2, 3)
    got = [list(r.simple()), list(r.simple()), r.get(4096) == b"d" * 4096, r.is_closed()]
    case("18 DISC answers what is outstanding, then closes, without a reply", [[0, 1], [0, 2], True, True], got)
    r = Raw().go()
    r.s.sendall(struct.pack(">IHHQQI", 0x25609513, 0, 2, 3, 0, 0)
                + struct.pack(">IHHQQI", 0x25609513, 0, 1, 4, 0, 4096) + b"e" * 4096)
    case("18 what follows DISC is not done", [True, "00"], [r.is_closed(), read_raw(0, 1).hex()])
    r = Raw().go()
    r.request(1, 4, 0, 4096, data=b"f" * 4095)
    r.s.close()
    case("18 half a write is not done", "00", read_raw(0, 1).hex())
    # half close
    r = Raw().go()
    r.request(0, 5, 4096, 4096)
    r.s.shutdown(socket.SHUT_WR)
    case("18 a client that only stopped talking gets its answer", [[0, 5], True, True],
         [list(r.simple()), r.get(4096) == b"d" * 4096, r.is_closed()])


def read_raw(offset, length):
    r = Raw().go()
    r.request(0, 1, offset, length)
    assert r.simple() == (0, 1)
    return r.get(length)


# ---- libnbd ---------------------------------------------------------------------------------

def connect(name=EXPORT, contexts=("base:allocation", "sealdisk:encryption"), structured=True):
    h = nbd.NBD()
    h.set_strict_mode(0)
    h.set_export_name(name)
    h.set_request_structured_replies(structured)
    for c in contexts:
        h.add_meta_context(c)
    h.connect_unix(PATH)
    return h


def errno_of(call):
    try:
        call()
        return 0
    except nbd.Error as e:
        return e.errnum or -1


FUA, NO_HOLE, DF, REQ_ONE, FAST_ZERO = 1, 2, 4, 8, 16


def refusals():
    z = bytes(512)
    table = [  # command, flags, offset, length -> errno
        ("read", 0, SIZE, 1, EINVAL), ("read", 0, SIZE - 511, 512, EINVAL), ("read", 0, 2**63, 512, EINVAL),
        ("read", 0, 2**64 - 512, 512, EINVAL), ("read", 0, SIZE - 512, 512, 0), ("read", DF, 0, 512, 0),
        ("read", FUA, 0, 512, 0), ("read", NO_HOLE, 0, 512, EINVAL), ("read", REQ_ONE, 0, 512, EINVAL),
        ("write", 0, SIZE, 512, ENOSPC), ("write", 0, SIZE - 511, 512, ENOSPC), ("write", 0, 2**63, 512, ENOSPC),
        ("write", 0, 2**64 - 512, 512, ENOSPC), ("write", FUA, SIZE - 512, 512, 0), ("write", DF, 0, 512, EINVAL),
        ("write", FAST_ZERO, 0, 512, EINVAL), ("write", 0x8000, 0, 512, EINVAL),
        ("trim", 0, SIZE, 512, EINVAL), ("trim", 0, SIZE - 511, 512, EINVAL), ("trim", 0, 2**64 - 512, 512, EINVAL),
        ("trim", FUA, SIZE - 512, 512, 0), ("trim", NO_HOLE, 0, 512, EINVAL), ("trim", 0, 0, 0, 0),
        ("cache", 0, SIZE, 512, EINVAL), ("cache", 0, 0, 512, 0), ("cache", FUA, 0, 512, 0), ("cache", DF, 0, 512, EINVAL),
        ("zero", 0, SIZE, 512, ENOSPC), ("zero", 0, SIZE - 511, 512, ENOSPC), ("zero", 0, 2**64 - 512, 512, ENOSPC),
        ("zero", FUA, SIZE - 512, 512, 0), ("zero", NO_HOLE, 0, 512, 0), ("zero", FAST_ZERO, 0, 512, 0),
        ("zero", FAST_ZERO | NO_HOLE, 0, 512, ENOTSUP), ("zero", DF, 0, 512, EINVAL), ("zero", 0, 0, 0, 0),
        ("flush", 0, 0, 0, 0), ("flush", FUA, 0, 0, 0), ("flush", DF, 0, 0, EINVAL),
        ("block_status", 0, SIZE, 512, EINVAL), ("block_status", 0, 0, 0, EINVAL), ("block_status", DF, 0, 512, EINVAL),
        ("block_status", REQ_ONE, 0, 512, 0), ("block_status", FUA, 0, 512, 0)]
    for structured in (True, False):
        h = connect(structured=structured)
        for command, flags, offset, length, want in table:
            if not structured and (flags & DF or command == "block_status"):
                want = EINVAL
            if command == "block_status" and not structured:
                continue  # libnbd will not send it, whatever its strictness
            calls = {"read": lambda: h.pread(length, offset, flags), "write": lambda: h.pwrite(z[:length], offset, flags),
                     "trim": lambda: h.trim(length, offset, flags), "cache": lambda: h.cache(length, offset, flags),
                     "zero": lambda: h.zero(length, offset, flags), "flush": lambda: h.flush(flags),
                     "block_status": lambda: h.block_status(length, offset, lambda *a: 0, flags)}
            got = errno_of(calls[command])
            case(f"8, 11, 15-17 {command} flags {flags:#x} at {offset} of {length}, structured {structured}", want, got)
        case(f"11 the connection lives on, structured {structured}", 0, errno_of(lambda: h.pread(512, 0)))
        h.shutdown()


def read_only():
    h = connect(READ_ONLY)
    case("11 the export says it is read-only", [True, False, False], [h.is_read_only(), h.can_trim(), h.can_zero()])
    for name, call in [("write", lambda: h.pwrite(bytes(4096), 0)), ("trim", lambda: h.trim(4096, 0)),
                       ("zero", lambda: h.zero(4096, 0)), ("write past the end", lambda: h.pwrite(bytes(4096), SIZE))]:
        case(f"11 {name} on a read-only export is EPERM", EPERM, errno_of(call))
    case("11 read and flush on a read-only export", [0, 0], [errno_of(lambda: h.pread(4096, 0)), errno_of(h.flush)])
    h.shutdown()


def extents(h, length, offset, flags=0):
    out = {}
    h.block_status(length, offset, lambda name, at, entries, err: out.__setitem__(name, entries) or 0, flags)
    return [out.get("base:allocation"), out.get("sealdisk:encryption")]


def contents():
    h = connect()
    rnd = random.Random(5)
    base = 64 << 20
    sizes = [(1, 0), (511, 1), (512, 513), (4095, 4095), (4096, 4096), (4097, 1), (65536, 3), (1 << 20, 7), (32 << 20, 0)]
    for length, shift in sizes:
        data = rnd.randbytes(length)
        h.pwrite(data, base + shift)
        around = h.pread(length + 2, base + shift - 1) if length < 32 << 20 else None
        got = h.pread(length, base + shift)
        case(f"10 {length} bytes at +{shift} come back", [True, length], [got == data, len(got)])
        if around is not None:
            case(f"10 {length} bytes at +{shift}: inner bytes", True, around[1:-1] == data)
        h.zero(length, base + shift)
        case(f"15 {length} bytes at +{shift} zeroed", True, h.pread(length, base + shift) == bytes(length))
    case("9 a read of 32 MiB + 1 is EOVERFLOW", EOVERFLOW, errno_of(lambda: h.pread((32 << 20) + 1, 0)))
    # one neighbour on each side is left alone
    h.pwrite(b"A" * 3 * 4096, base)
    h.trim(4098, base + 4095)
    got = h.pread(3 * 4096, base)
    case("15 trim takes its range and nothing else", True, got == b"A" * 4095 + bytes(4098) + b"A" * 4095)
    h.zero(SIZE, 0)
    case("15 zeroes of the whole disk at once", [[SIZE, 3], [SIZE, 2]] if SIZE < 2**32 else None, extents(h, SIZE, 0))
    h.pwrite(b"x" * 8192, 4096)
    case("16 extents: hole, data, hole", [[4096, 3, 8192, 0, 4096, 3], [4096, 2, 8192, 1, 4096, 2]], extents(h, 16384, 0))
    case("16 REQ_ONE is one, not longer than asked", [[1000, 0], [1000, 1]], extents(h, 1000, 5000, REQ_ONE))
    case("16 REQ_ONE ends where the extent ends", [[192, 0], [192, 1]], extents(h, 9000, 12096, REQ_ONE))
    case("16 extents inside a sector", [[1, 3], [1, 2]], extents(h, 1, 4095))
    case("16 extents that end exactly at the request's end", [[4096, 3, 8192, 0], [4096, 2, 8192, 1]], extents(h, 12288, 0))
    h.zero(4096, 40960, NO_HOLE)
    case("15 NO_HOLE allocates", [[4096, 0], [4096, 1]], extents(h, 4096, 40960))
    case("15 and reads as zeros", True, h.pread(4096, 40960) == bytes(4096))
    for i in range(1500):
        h.pwrite(b"z" * 512, (16 << 20) + i * 8192)
    got = extents(h, 1500 * 8192, 16 << 20)[0]
    total = sum(got[0::2])
    case("16 very many extents are answered in part, in step", [True, True, True],
         [total <= 1500 * 8192, len(got) // 2 >= 1000, all(n > 0 for n in got[0::2])])
    got = []
    h.pread_structured(256 << 10, 0, lambda buf, off, status, err: got.append((status, off, len(buf))) or 0)
    case("12 holes are holes, data is data, and all is covered", [[1, 0, 65536], [2, 65536, 196608]], [list(g) for g in got])
    got = []
    h.pread_structured(256 << 10, 0, lambda buf, off, status, err: got.append((status, off, len(buf))) or 0, DF)
    case("12 DF is one chunk", [[1, 0, 262144]], [list(g) for g in got])
    other = connect()
    h.pwrite(b"shared", 128 << 20)
    case("14 another connection reads it", b"shared".decode(), other.pread(6, 128 << 20).decode())
    other.flush()
    case("14 CAN_MULTI_CONN", True, other.can_multi_conn())
    other.shutdown()
    h.shutdown()


def large():
    """Lengths and offsets around 2^32 (CVE-2025-47711, -47712: extents cut wrongly there)."""
    h = connect(LARGE)
    most = 2**32 - 1
    case("16 CVE-2025-47712 extents of 2^32 - 1 bytes", [[most, 3], [most, 2]], extents(h, most, 0))
    h.pwrite(b"q" * 4096, 2**32)
    h.pwrite(b"r" * 4096, 2**32 - 4096)
    case("16 CVE-2025-47711 data that ends with the request, 2^32 - 1 before", [2**32 - 4096, 3, 4095, 0], extents(h, most, 0)[0])
    case("16 the last byte before the request's end", [1, 0], extents(h, 1, 2**32 - 1)[0])
    case("8 bytes on both sides of 2^32", "rrqq", h.pread(4, 2**32 - 2).decode())
    h.zero(most, 0)
    case("15 zeroes of 2^32 - 1 bytes leave the next ones", "00007271", h.pread(4, 2**32 - 3).hex())
    h.trim(most, LARGE_SIZE - most)
    case("15 trim to the very end keeps what is before it", [4095, 0, most - 4095, 3],
         extents(h, most, LARGE_SIZE - most)[0])
    h.shutdown()


def simple_holes():
    h = connect(structured=False)
    case("4 without structured replies reads are simple", True, h.pread(65536, 256 << 20) == bytes(65536))
    case("3 and DF is not offered", False, h.can_df())
    h.shutdown()


# ---- leaving in the middle ------------------------------------------------------------------

def disconnects():
    import time
    stages = {
        "flags": lambda r: struct.pack(">I", 3),
        "option": lambda r: struct.pack(">QII", IHAVEOPT, GO, len(go_data(EXPORT))) + go_data(EXPORT),
        "list": lambda r: struct.pack(">QII", IHAVEOPT, LIST, 0),
        "structured": lambda r: struct.pack(">QII", IHAVEOPT, STRUCT, 0),
        "contexts": lambda r: struct.pack(">QII", IHAVEOPT, SETMETA, len(meta_data(EXPORT, "base:allocation"))) + meta_data(EXPORT, "base:allocation"),
        "read": lambda r: struct.pack(">IHHQQI", 0x25609513, 0, 0, 1, 0, 1 << 20),
        "write": lambda r: struct.pack(">IHHQQI", 0x25609513, 0, 1, 1, 512 << 20, 65536) + b"W" * 65536,
        "flush": lambda r: struct.pack(">IHHQQI", 0x25609513, 0, 3, 1, 0, 0),
        "trim": lambda r: struct.pack(">IHHQQI", 0x25609513, 0, 4, 1, 1 << 20, 65536),
        "status": lambda r: struct.pack(">IHHQQI", 0x25609513, 0, 7, 1, 0, 65536),
    }
    handshaking = ("flags", "option", "list", "structured", "contexts")
    for stage, body in stages.items():
        data = body(None)
        for where, count in (("before", 0), ("in the first byte of", 1), ("in the middle of", len(data) // 2),
                             ("one byte short of", len(data) - 1), ("after", len(data))):
            for how in ("FIN", "RST", "half-close"):
                r = Raw(None if stage == "flags" else 3)
                if stage not in handshaking:
                    r.go(structured=True)
                r.s.sendall(data[:count])
                if how == "RST":
                    r.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if how == "half-close":
                    r.s.shutdown(socket.SHUT_WR)
                    left.append(r)
                else:
                    r.s.close()
        time.sleep(0.05)
        written = read_raw(512 << 20, 1)
        done = stage == "write" or order_done(stage, stages)
        case(f"18 leaving around {stage}: the server lives, half a write is not there",
             "57" if done else "00", written.hex())
    for r in left:
        r.s.close()


left = []


def order_done(stage, stages):
    names = list(stages)
    return names.index(stage) >= names.index("write")


handshake()
raw_transmission()
refusals()
read_only()
contents()
large()
simple_holes()
disconnects()
