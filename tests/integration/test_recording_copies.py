"""Copies of recordings: from a real HTTPS server on loopback that lies, to the bucket of the local cloud."""

import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import trustme
from botocore.exceptions import EndpointConnectionError

from song_intake.aws import clients
from song_intake.domain.reason import Reason
from song_intake.recordings.bucket import PART_BYTES, Bucket
from song_intake.recordings.copier import Copied, NotYet, RecordingCopier, Result, Unusable
from song_intake.recordings.source import Sources
from tests.integration.bench import new_id
from tests.local.cloud.aws_clients import ADMINISTRATOR, REGION, AwsClients
from tests.local.cloud.cloud import Cloud
from tests.local.recordings.host import (
    Answer,
    RecordingHost,
    hangs_up,
    holds,
    in_chunks,
    m4a,
    mp3,
    redirects,
    sends,
    wav,
    without_length,
)
from tests.local.recordings.network import Network

CDN, STORAGE, INSIDE, ELSEWHERE = "cdn.songs.example", "eu.storage.example", "inside.songs.example", "elsewhere.example"
LINK = f"https://{CDN}/a.m4a?signature=secret"
LARGEST = 6 * 1024 * 1024
HTML = b"<!doctype html><title>Not found</title>" + bytes(2_000)

UNAVAILABLE, HOST_FAILED = Reason.RECORDING_UNAVAILABLE, Reason.CDN_UNAVAILABLE


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def shared_host(authority: trustme.CA) -> Iterator[RecordingHost]:
    with RecordingHost(authority, CDN, STORAGE, ELSEWHERE) as host:
        yield host


@pytest.fixture
def host(shared_host: RecordingHost, monkeypatch: pytest.MonkeyPatch) -> RecordingHost:
    """The stand-in, which every name leads to but one, whose address is inside of a network."""
    shared_host.answers.clear()
    shared_host.received.clear()
    routes = dict.fromkeys((CDN, STORAGE, ELSEWHERE), shared_host.port)
    network = Network(routes, {INSIDE: ["45.45.0.9", "10.0.0.7"]})
    monkeypatch.setattr(socket, "getaddrinfo", network.getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", network.method)
    return shared_host


@pytest.fixture(scope="module")
def s3(cloud: Cloud) -> Any:
    client = AwsClients(cloud.endpoint_url, cloud.ca_bundle).client("s3")
    client.create_bucket(Bucket="recordings")
    return client


@pytest.fixture(scope="module")
def tls(cloud: Cloud, authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=cloud.ca_bundle)
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="module")
def bucket(cloud: Cloud, s3: Any, tls: ssl.SSLContext) -> Bucket:
    """By the client that the function has."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": cloud.endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ADMINISTRATOR,
            "AWS_SECRET_ACCESS_KEY": ADMINISTRATOR,
        }.items():
            patch.setenv(name, value)
        client = clients.AwsClients(tls, seconds=3, connections=4, s3_seconds=30).client("s3")
    return Bucket(client, "recordings")


@pytest.fixture
def copier(bucket: Bucket, tls: ssl.SSLContext, host: RecordingHost) -> RecordingCopier:
    sources = Sources([CDN, ".storage.example", INSIDE])
    return RecordingCopier(sources=sources, bucket=bucket, tls=tls, largest_bytes=LARGEST)


def copied(copier: RecordingCopier, name: str, link: str = LINK, seconds: float = 30) -> Result:
    return copier.copy(link, name, seconds)


@pytest.mark.parametrize(
    ("body", "extension"), [(m4a(), "m4a"), (wav(), "wav"), (mp3(), "mp3"), (b"\xff\xfb" + bytes(2_000), "mp3")]
)
def test_what_is_stored_is_told_by_its_first_bytes(
    copier: RecordingCopier, host: RecordingHost, s3: Any, body: bytes, extension: str
) -> None:
    name = new_id("songs/order/clip")
    host.answers["/a.m4a"] = sends(body, content_type="text/html")
    result = copied(copier, name)
    digest = hashlib.sha256(body).hexdigest()
    assert result == Copied("recordings", f"{name}.{extension}", extension, len(body), digest)
    stored = s3.get_object(Bucket="recordings", Key=f"{name}.{extension}")
    assert stored["Body"].read() == body
    assert stored["ContentType"].startswith("audio/")


def test_the_host_is_sent_no_credentials(copier: RecordingCopier, host: RecordingHost) -> None:
    host.answers["/a.m4a"] = sends(m4a())
    copied(copier, new_id("clip"))
    ((path, headers),) = host.received
    assert path == "/a.m4a?signature=secret"
    assert {name.lower() for name in headers} == {"host", "accept", "accept-encoding", "user-agent"}
    assert headers["Accept-Encoding"] == "identity"


def test_a_large_recording_is_sent_in_parts(copier: RecordingCopier, host: RecordingHost, s3: Any) -> None:
    name, body = new_id("clip"), m4a(PART_BYTES + 1_000_000)
    host.answers["/a.m4a"] = sends(body)
    result = copied(copier, name)
    assert isinstance(result, Copied)
    assert (result.bytes, result.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    stored = s3.get_object(Bucket="recordings", Key=result.key)
    assert stored["Body"].read() == body
    assert stored["ETag"].endswith('-2"'), "in two parts"


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        (sends(m4a(), content_length="3000"), UNAVAILABLE, "the body was cut, or shorter than announced"),
        (in_chunks(m4a(), ends=False), UNAVAILABLE, "the body was cut, or shorter than announced"),
        (without_length(m4a(), is_cut=True), UNAVAILABLE, "the body was cut"),
        (without_length(m4a(), is_cut=True, length="a lot"), UNAVAILABLE, "the body was cut"),
        (without_length(m4a(), is_cut=True, length="-1"), UNAVAILABLE, "the body was cut"),
        (without_length(m4a(), is_cut=True, length="9" * 5_000), UNAVAILABLE, "the body was cut"),
        (sends(HTML, content_type="audio/mp4"), UNAVAILABLE, "the body is no m4a, mp3 or wav"),
        (sends(b"#EXTM3U\n" * 200), UNAVAILABLE, "the body is no m4a, mp3 or wav"),
        (sends(b'{"error": "expired"}' * 60), UNAVAILABLE, "the body is no m4a, mp3 or wav"),
        (sends(b"\xff\xf1" + bytes(2_000)), UNAVAILABLE, "the body is no m4a, mp3 or wav"),
        (sends(b""), UNAVAILABLE, "the body is no m4a, mp3 or wav"),
        (sends(m4a(999)), UNAVAILABLE, "the body has only 999 bytes"),
        (sends(m4a(), content_encoding="gzip"), UNAVAILABLE, "the body has a content coding that was not asked for"),
        (sends(b"", 404), UNAVAILABLE, "the host answered HTTP 404"),
        (sends(b"", 403), UNAVAILABLE, "the host answered HTTP 403"),
        (sends(m4a(), 206), UNAVAILABLE, "the host answered HTTP 206"),
        (sends(b"", 503, retry_after="7"), HOST_FAILED, "the host answered HTTP 503"),
        (sends(b"", 429), HOST_FAILED, "the host answered HTTP 429"),
        (hangs_up, HOST_FAILED, f"{CDN} did not answer (RemoteDisconnected)"),
    ],
)
def test_what_is_no_recording_is_not_stored_and_asked_for_again(
    copier: RecordingCopier, host: RecordingHost, s3: Any, answer: Answer, reason: Reason, detail: str
) -> None:
    name = new_id("clip")
    host.answers["/a.m4a"] = answer
    result = copied(copier, name)
    assert isinstance(result, NotYet)
    assert (result.reason, result.detail) == (reason, detail)
    assert result.retry_after == (7 if "503" in detail else None)
    assert_nothing_is_stored(s3, name)


@pytest.mark.parametrize("answer", [in_chunks(m4a()[:900], m4a()[900:]), without_length(m4a())])
def test_a_whole_body_without_a_length_is_a_recording(
    copier: RecordingCopier, host: RecordingHost, answer: Answer
) -> None:
    host.answers["/a.m4a"] = answer
    result = copied(copier, new_id("clip"))
    assert isinstance(result, Copied)
    assert result.bytes == len(m4a())


def test_a_body_that_stalls_ends_at_the_deadline(copier: RecordingCopier, host: RecordingHost, s3: Any) -> None:
    released, name = threading.Event(), new_id("clip")
    host.answers["/a.m4a"] = holds(m4a(), released)
    try:
        result = copied(copier, name, seconds=1)
    finally:
        released.set()
    assert result == NotYet(HOST_FAILED, "the body did not arrive in time")
    assert_nothing_is_stored(s3, name)


def test_a_body_that_is_cut_after_its_first_part_leaves_nothing(
    copier: RecordingCopier, host: RecordingHost, s3: Any
) -> None:
    name, body = new_id("clip"), m4a(PART_BYTES + 100_000)
    host.answers["/a.m4a"] = sends(body, content_length=str(len(body) + 1))
    assert isinstance(copied(copier, name), NotYet)
    assert_nothing_is_stored(s3, name)


@pytest.mark.parametrize(
    "answer", [sends(m4a(LARGEST + 1)), in_chunks(m4a(LARGEST + 1)), sends(m4a(), content_length=str(LARGEST + 1))]
)
def test_a_recording_that_is_too_large_is_given_up(
    copier: RecordingCopier, host: RecordingHost, s3: Any, answer: Answer
) -> None:
    name = new_id("clip")
    host.answers["/a.m4a"] = answer
    limit = f"the recording is larger than {LARGEST:,} bytes (LargestRecordingMiB)"
    assert copied(copier, name) == Unusable(UNAVAILABLE, limit)
    assert_nothing_is_stored(s3, name)


def test_redirects_between_listed_hosts_are_followed(copier: RecordingCopier, host: RecordingHost) -> None:
    host.answers["/a.m4a"] = redirects("/b")
    host.answers["/b"] = redirects(f"https://{STORAGE}/c", 307)
    host.answers["/c"] = redirects("d", 301)
    host.answers["/d"] = sends(m4a())
    assert isinstance(copied(copier, new_id("clip")), Copied)
    assert [headers["Host"] for _, headers in host.received] == [CDN, CDN, STORAGE, STORAGE]


@pytest.mark.parametrize(
    ("location", "detail"),
    [
        (f"https://{ELSEWHERE}/a", f"a redirect was not followed: the host {ELSEWHERE} is not one of RecordingHosts"),
        (f"http://{CDN}/a", "a redirect was not followed: the link is not https"),
        ("https://127.0.0.1/a", "a redirect was not followed: the link is not https"),
        (f"https://{CDN}:8443/a", "a redirect was not followed: the link is not https"),
        (f"https://{INSIDE}/a", "the host's name leads to an address that is not public"),
        ("/a.m4a", "more than 3 redirects"),
        ("", "more than 3 redirects"),
    ],
)
def test_a_redirect_to_elsewhere_is_given_up(
    copier: RecordingCopier, host: RecordingHost, location: str, detail: str
) -> None:
    host.answers["/a.m4a"] = redirects(location)
    result = copied(copier, new_id("clip"))
    assert isinstance(result, Unusable)
    assert result.detail.startswith(detail)
    assert len(host.received) == (4 if "more than" in detail else 1)


def test_a_name_with_a_private_address_is_given_up_without_a_connection(
    copier: RecordingCopier, host: RecordingHost
) -> None:
    result = copied(copier, new_id("clip"), f"https://{INSIDE}/a.m4a")
    assert result == Unusable(UNAVAILABLE, "the host's name leads to an address that is not public")
    assert host.received == []


def test_a_host_without_a_certificate_of_its_name_gets_no_request(
    s3: Any, authority: trustme.CA, host: RecordingHost
) -> None:
    tls = ssl.create_default_context()
    copier = RecordingCopier(sources=Sources([CDN]), bucket=Bucket(s3, "recordings"), tls=tls, largest_bytes=LARGEST)
    assert copied(copier, new_id("clip")) == NotYet(HOST_FAILED, f"{CDN} was not reached (SSLCertVerificationError)")
    assert host.received == []


@pytest.mark.parametrize("failure", [ConnectionRefusedError, TimeoutError, socket.gaierror])
def test_a_host_that_is_not_reached_is_a_shared_fault(
    copier: RecordingCopier, host: RecordingHost, monkeypatch: pytest.MonkeyPatch, failure: type[OSError]
) -> None:
    def fail(*_: object) -> None:
        raise failure

    if failure is socket.gaierror:
        monkeypatch.setattr(socket, "getaddrinfo", fail)
    else:
        monkeypatch.setattr(socket.socket, "connect", fail)
    detail = f"{CDN} was not reached ({failure.__name__})"
    assert copied(copier, new_id("clip")) == NotYet(HOST_FAILED, detail)
    assert host.received == []


def test_a_bucket_that_refuses_is_a_shared_fault(bucket: Bucket, copier: RecordingCopier, host: RecordingHost) -> None:
    elsewhere = replace(copier, bucket=Bucket(bucket._s3, "no-such-bucket"))
    host.answers["/a.m4a"] = sends(m4a())
    result = copied(elsewhere, new_id("clip"))
    assert isinstance(result, NotYet)
    assert (result.reason, "NoSuchBucket" in result.detail) == (Reason.BUCKET_UNAVAILABLE, True)


def test_a_second_copy_keeps_the_first_and_tells_what_is_stored(
    copier: RecordingCopier, host: RecordingHost, s3: Any
) -> None:
    name = new_id("clip")
    host.answers["/a.m4a"] = sends(m4a())
    first = copied(copier, name)
    assert copied(copier, name) == first
    host.answers["/a.m4a"] = sends(m4a(3_000))
    assert copied(copier, name) == first
    host.answers["/a.m4a"] = sends(m4a(PART_BYTES + 10))
    assert copied(copier, name) == first, "in parts likewise"
    assert s3.get_object(Bucket="recordings", Key=f"{name}.m4a")["ContentLength"] == len(m4a())


def test_copies_at_the_same_time_write_one_object(copier: RecordingCopier, host: RecordingHost) -> None:
    name, results = new_id("clip"), []
    host.answers["/a.m4a"] = sends(m4a())
    threads = [threading.Thread(target=lambda: results.append(copied(copier, name))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert len(set(results)) == 1
    assert isinstance(results[0], Copied)


@pytest.mark.parametrize("operation", ["PutObject", "UploadPart", "CompleteMultipartUpload"])
def test_a_bucket_that_does_not_answer_is_a_shared_fault(
    cloud: Cloud,
    s3: Any,
    authority: trustme.CA,
    host: RecordingHost,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    failing = AwsClients(cloud.endpoint_url, cloud.ca_bundle).client("s3")

    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://s3.example")

    failing.meta.events.register(f"before-send.s3.{operation}", fail)
    tls = ssl.create_default_context()
    authority.configure_trust(tls)
    bucket = Bucket(failing, "recordings")
    copier = RecordingCopier(sources=Sources([CDN]), bucket=bucket, tls=tls, largest_bytes=LARGEST)
    name = new_id("clip")
    host.answers["/a.m4a"] = sends(m4a(2_000 if operation == "PutObject" else PART_BYTES + 10))
    result = copied(copier, name)
    assert isinstance(result, NotYet)
    assert result.reason is Reason.BUCKET_UNAVAILABLE
    assert "EndpointConnectionError" in result.detail
    assert_nothing_is_stored(s3, name)


def assert_nothing_is_stored(s3: Any, name: str) -> None:
    assert s3.list_objects_v2(Bucket="recordings", Prefix=name).get("Contents", []) == []
    uploads = s3.list_multipart_uploads(Bucket="recordings").get("Uploads", [])
    assert [upload for upload in uploads if upload["Key"].startswith(name)] == []
