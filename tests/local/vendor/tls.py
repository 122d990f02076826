"""The certificate of the stand-in, from an authority that exists only in this process."""

import ssl
from pathlib import Path

import trustme


def issue_certificate(ca_bundle: Path, authority: trustme.CA | None = None) -> ssl.SSLContext:
    """A server context for the names of loopback. Writes the authority that a client must trust to `ca_bundle`."""
    authority = authority or trustme.CA()
    authority.cert_pem.write_to_path(str(ca_bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context
