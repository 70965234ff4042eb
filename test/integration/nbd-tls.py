"""One connection under TLS by libnbd (GnuTLS).

    nbd-tls.py SOCKET EXPORT certificates DIR | psk FILE IDENTITY | plain

Prints what came of it: the bytes written and read back, or the kind of failure.
"""
import sys
import nbd

path, export, kind, *rest = sys.argv[1:]
h = nbd.NBD()
h.set_export_name(export)
h.add_meta_context("base:allocation")
if kind == "certificates":
    h.set_tls(nbd.TLS_REQUIRE)
    h.set_tls_certificates(rest[0])
    # The certificate is of localhost; a unix socket has no name to compare it with.
    h.set_tls_verify_peer(False)
elif kind == "psk":
    h.set_tls(nbd.TLS_REQUIRE)
    h.set_tls_psk_file(rest[0])
    h.set_tls_username(rest[1])
try:
    h.connect_unix(path)
    h.pwrite(b"under tls" * 100_000, 123)
    got = bytes(h.pread(900_000, 123))
    print("tls" if h.get_tls_negotiated() else "plain", got == b"under tls" * 100_000)
except nbd.Error:
    print("refused")
