"""Which links to a recording are passed on: callers will open them, so they must lead to a public host by name."""

import re
from urllib.parse import urlsplit

LONGEST_LINK_BYTES = 2_048

_HTTPS_PORT = 443

# A name with at least two labels whose last one begins with a letter: no form of an IP address is one, be it decimal,
# octal or hexadecimal.
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_HOST = 253

_PRIVATE_SUFFIXES = (".localhost", ".localdomain", ".local", ".internal", ".home.arpa")
"""Names that lead to the machine or the network of whoever opens them (RFC 6761, RFC 6762, RFC 8375)."""


def usable_link(value: object) -> str | None:
    """The value, if it is an https URL with a public host name, without credentials and on the usual port."""
    if not isinstance(value, str) or not _is_plain_text(value):
        return None
    try:
        url = urlsplit(value)
        host, port = url.hostname or "", url.port
    except ValueError:
        return None
    # What stands between "https://" and the path is the host, and at most the port: no credentials, no empty port.
    is_host_only = url.netloc.lower() == (host if port is None else f"{host}:{port}")
    is_https = url.scheme == "https" and port in (None, _HTTPS_PORT)
    # Some letters beyond ASCII become ASCII in lower case.
    is_public = url.netloc.isascii() and _is_public(host)
    return value if is_https and is_host_only and is_public else None


def _is_plain_text(value: str) -> bool:
    """Neither controls, spaces nor half a surrogate pair, and no backslash, which some clients take for a slash."""
    is_printable = value.isprintable() and not any(character in ' \\"<>' for character in value)
    return is_printable and len(value.encode()) <= LONGEST_LINK_BYTES


def _is_public(host: str) -> bool:
    return len(host) <= _LONGEST_HOST and bool(_HOST.fullmatch(host)) and not host.endswith(_PRIVATE_SUFFIXES)
