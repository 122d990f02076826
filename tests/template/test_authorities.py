"""The certificate authorities of the dependencies layer, one file each. OpenSSL finds the one that a chain ends at."""

import runpy
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import pytest
import trustme

from song_intake.aws.clients import AUTHORITIES, ssl_context
from tests.integration.raw_tls_server import HOST, serving
from tests.template.built_layer import source_of

SCRIPT = runpy.run_path(str(source_of("DependenciesLayer") / "hash_authorities.py"))


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA(organization_name="of the server")


def written(folder: Path, *authorities: trustme.CA) -> Path:
    bundle = "".join(authority.cert_pem.bytes().decode() for authority in authorities)
    SCRIPT["write"](f"# a comment, as certifi has them\n{bundle}", folder)
    return folder


def handshake(client: ssl.SSLContext, authority: trustme.CA) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(tls)
    with serving(tls) as server:
        address = (HOST, urlsplit(server.origin).port or 0)
        with socket.create_connection(address, timeout=5) as raw, client.wrap_socket(raw, server_hostname=HOST):
            return


def test_a_server_of_an_authority_in_the_folder_is_trusted(tmp_path: Path, authority: trustme.CA) -> None:
    folder = written(tmp_path / "authorities", trustme.CA(organization_name="another"), authority)
    assert len(list(folder.iterdir())) == 2
    handshake(ssl_context(None, folder), authority)


def test_a_server_of_another_authority_is_refused(tmp_path: Path, authority: trustme.CA) -> None:
    folder = written(tmp_path / "authorities", trustme.CA(organization_name="another"))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ssl_context(None, folder), authority)


def test_authorities_with_the_same_subject_are_both_found(tmp_path: Path) -> None:
    twins = [trustme.CA(organization_name="twin", organization_unit_name="twin") for _ in range(2)]
    folder = written(tmp_path / "authorities", *twins)
    assert sorted(path.suffix for path in folder.iterdir()) == [".0", ".1"]
    for twin in twins:
        handshake(ssl_context(None, folder), twin)


def test_a_named_bundle_replaces_the_folder(tmp_path: Path, authority: trustme.CA) -> None:
    folder = written(tmp_path / "authorities", authority)
    other = tmp_path / "bundle.pem"
    trustme.CA(organization_name="another").cert_pem.write_to_path(str(other))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ssl_context(str(other), folder), authority)


def test_the_folder_is_beside_certifi_and_without_it_the_bundle_of_certifi_is_used(tmp_path: Path) -> None:
    assert AUTHORITIES.parent == Path(certifi.__file__).parents[1]
    assert ssl_context(None, tmp_path / "none").cert_store_stats()["x509_ca"] > 100
