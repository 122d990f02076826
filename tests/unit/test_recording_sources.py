"""Where a recording may come from: links, hosts, and the addresses behind them."""

import pytest

from song_intake.recordings.audio_format import CONTENT_TYPES, MARK_BYTES, format_of
from song_intake.recordings.source import SourceRefused, Sources, is_public, require_public
from tests.local.recordings.host import m4a, mp3, wav

SOURCES = Sources(["musicapi-cdn.b-cdn.net", " CDN1.suno.ai ", ".storage.example", "", "."])
NOT_LISTED, NO_LINK = "is not one of RecordingHosts", "the link is not https"


@pytest.mark.parametrize(
    "link",
    [
        "https://musicapi-cdn.b-cdn.net/a.m4a",
        "https://cdn1.suno.ai/a?b=c",
        "https://CDN1.SUNO.AI:443/a",
        "https://eu.storage.example/a",
        "https://a.b.storage.example",
    ],
)
def test_a_link_to_a_listed_host_is_accepted(link: str) -> None:
    assert SOURCES.check(link) == link.split("/")[2].lower().removesuffix(":443")


@pytest.mark.parametrize(
    ("link", "rule"),
    [
        ("https://cdn2.suno.ai/a", NOT_LISTED),
        ("https://storage.example/a", NOT_LISTED),
        ("https://evilstorage.example/a", NOT_LISTED),
        ("https://cdn1.suno.ai.evil.example/a", NOT_LISTED),
        ("https://cdn1.suno.ai@evil.example/a", NO_LINK),
        ("https://cdn1.suno.ai./a", NO_LINK),
        ("http://cdn1.suno.ai/a", NO_LINK),
        ("https://cdn1.suno.ai:444/a", NO_LINK),
        ("https://user:secret@cdn1.suno.ai/a", NO_LINK),
        ("https://127.0.0.1/a", NO_LINK),
        ("https://2130706433/a", NO_LINK),
        ("https://0x7f000001/a", NO_LINK),
        ("https://0177.0.0.1/a", NO_LINK),
        ("https://[::1]/a", NO_LINK),
        ("https://cdn1.suno.a\u0131/a", NO_LINK),
        ("https://cdn1.suno.ai\\@evil.example/a", NO_LINK),
        ("ftp://cdn1.suno.ai/a", NO_LINK),
        ("//cdn1.suno.ai/a", NO_LINK),
        ("", NO_LINK),
    ],
)
def test_another_link_is_refused_without_being_quoted(link: str, rule: str) -> None:
    with pytest.raises(SourceRefused, match=rule) as refused:
        SOURCES.check(link)
    assert not link or link not in str(refused.value)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "https://cdn1.suno.ai/b"),
        ("b?c", "https://cdn1.suno.ai/x/b?c"),
        ("https://eu.storage.example/b", "https://eu.storage.example/b"),
        ("//eu.storage.example/b", "https://eu.storage.example/b"),
    ],
)
def test_a_redirect_is_read_as_a_link(location: str, target: str) -> None:
    assert SOURCES.redirected("https://cdn1.suno.ai/x/a", location) == target


@pytest.mark.parametrize(
    "location", ["https://[", "http://cdn1.suno.ai/b", "https://evil.example/", "file:///etc/passwd"]
)
def test_a_redirect_to_elsewhere_is_refused(location: str) -> None:
    with pytest.raises(SourceRefused, match="a redirect was not followed"):
        SOURCES.redirected("https://cdn1.suno.ai/a", location)


@pytest.mark.parametrize(
    "address",
    ["45.45.0.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"],
)
def test_an_address_of_the_public_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "2002:a00:1::1",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",  # Teredo, of 10.0.0.1
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
        "localhost",
        "",
    ],
)
def test_an_address_that_is_not_public(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(SourceRefused):
        require_public(["8.8.8.8", address])


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (m4a(), "m4a"),
        (wav(), "wav"),
        (mp3(), "mp3"),
        (b"\xff\xfb\x90", "mp3"),
        (b"\xff\xe3\x18", "mp3"),
        (b"\xff\xf1\x50", None),
        (b"\xff\xf9\x50", None),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"OggS", None),
        (b"<html>", None),
        (b"#EXTM3U", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_format(first: bytes, expected: str | None) -> None:
    assert format_of(first[:MARK_BYTES]) == expected
    assert expected is None or CONTENT_TYPES[expected].startswith("audio/")
