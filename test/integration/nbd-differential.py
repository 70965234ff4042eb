"""The same random operations to two NBD servers: bytes and error codes must be equal.

    nbd-differential.py URI_A URI_B OPERATIONS SEED

Both exports have the same size and are fresh. Prints nothing and ends with 0, or says what differs
and the operation's number, and ends with 1. Where the protocol leaves the choice to the server
nothing is compared: requests of length 0, lengths above 32 MiB, the content of a trimmed range
before it is written again (it is zeroed first).
"""
import random, sys
import nbd

uri_a, uri_b, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rnd = random.Random(seed)


def connect(uri):
    h = nbd.NBD()
    h.set_strict_mode(0)
    h.set_uri_allow_local_file(True)
    h.connect_uri(uri)
    return h


def outcome(call):
    try:
        return call()
    except nbd.Error as e:
        return e.errno


a, b = connect(uri_a), connect(uri_b)
size = a.get_size()
assert size == b.get_size(), (size, b.get_size())
# A small area that is hit again and again, and sometimes the whole disk and its end.
AREA = 1 << 20


def place():
    length = rnd.choice([1, 7, 512, 4096, 4097, rnd.randrange(1, 9000), rnd.randrange(1, 200_000)])
    kind = rnd.random()
    if kind < 0.8:
        return rnd.randrange(AREA), length
    if kind < 0.9:
        return rnd.randrange(size), length
    return size - rnd.randrange(2 * length) + rnd.choice([0, 0, length]), length


for number in range(count):
    offset, length = place()
    flags = nbd.CMD_FLAG_FUA if rnd.random() < 0.1 else 0
    which = rnd.choices(["read", "write", "zero", "trim", "flush"], [4, 4, 2, 1, 0.3])[0]
    if which == "read":
        run = lambda h: bytes(h.pread(length, offset))
    elif which == "write":
        payload = rnd.randbytes(length)
        run = lambda h: h.pwrite(payload, offset, flags)
    elif which == "zero":
        more = rnd.choice([0, nbd.CMD_FLAG_NO_HOLE])
        run = lambda h: h.zero(length, offset, flags | more)
    elif which == "trim":
        def run(h):
            h.trim(length, offset, flags)
            h.zero(length, offset)
    else:
        run = lambda h: h.flush()
    x, y = outcome(lambda: run(a)), outcome(lambda: run(b))
    if x != y:
        shown = [v if not isinstance(v, bytes) else f"{len(v)} bytes" for v in (x, y)]
        print(f"operation {number}: {which} at {offset} of {length}: {shown} (seed {seed})")
        sys.exit(1)
for at in range(0, 4 * AREA, AREA):
    if bytes(a.pread(AREA, at)) != bytes(b.pread(AREA, at)):
        print(f"the disks differ in the MiB at {at} (seed {seed})")
        sys.exit(1)
