"""Writes certifi's authorities in OpenSSL's form for a folder: one file each, named by the hash of its subject.

    python hash_authorities.py <folder>, certifi on the path, and the openssl program on the PATH

OpenSSL reads a bundle completely: 25 ms of CPU, or an eighth of a cold start. From a folder it reads only the file of
the authority that it needs. https://docs.openssl.org/3.0/man3/SSL_CTX_load_verify_locations/
"""

from __future__ import annotations

import re
import subprocess  # nosec B404 # runs openssl only
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import certifi

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL)


def write(bundle: str, folder: Path) -> None:
    """Write one file for each certificate of the bundle; certificates with the same hash are numbered."""
    folder.mkdir()
    written: Counter[str] = Counter()
    certificates: list[str] = CERTIFICATE.findall(bundle)
    with ThreadPoolExecutor() as threads:
        names = list(threads.map(_hash_of, certificates))
    for certificate, name in zip(certificates, names, strict=True):
        (folder / f"{name}.{written[name]}").write_text(certificate, encoding="ascii")
        written[name] += 1


def _hash_of(certificate: str) -> str:
    command = ["openssl", "x509", "-noout", "-subject_hash"]
    return subprocess.run(command, input=certificate, capture_output=True, text=True, check=True).stdout.strip()  # nosec B603 # noqa: S603 - a fixed command


if __name__ == "__main__":
    write(Path(certifi.where()).read_text(encoding="utf-8"), Path(sys.argv[1]))
