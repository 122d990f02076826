"""The certificate of the stand-in, from an authority that lives as long as the process."""

import ssl
from pathlib import Path

import trustme


def issue_certificate(ca_bundle: Path) -> ssl.SSLContext:
    """A server's context for this machine's names; writes to `ca_bundle` the authority that a client must trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context
