"""Which links are passed on to callers: https, to a public host by name, short, and nothing odd."""

import pytest

from song_intake.domain.link import LONGEST_LINK_BYTES, usable_link

USABLE = (
    "https://musicapi-cdn.b-cdn.net/a.m4a",
    "https://cdn1.suno.ai/a.mp3?token=x&expires=1#t=3",
    "HTTPS://CDN.EXAMPLE/A.MP3",
    "https://cdn.example:443/a.mp3",
    "https://cdn.example",
    "https://my_bucket.storage.googleapis.com/a%20b.wav",
    "https://xn--bcher-kva.example/a.mp3",
    "https://cdn.example/größe.mp3",
    "https://cdn.example/@user/a.mp3",
    "https://10.0.0.1.example/a.mp3",
)
REFUSED = (
    None,
    "",
    7,
    True,
    ["https://cdn.example/a.mp3"],
    "http://cdn.example/a.mp3",
    "ftp://cdn.example/a.mp3",
    "data:audio/mp3;base64,AAAA",
    "javascript:alert(1)",
    "//cdn.example/a.mp3",
    "cdn.example/a.mp3",
    "https:cdn.example/a.mp3",
    "https:/cdn.example/a.mp3",
    "https:///a.mp3",
    "https://",
    " https://cdn.example/a.mp3",
    "https://cdn.example/a.mp3\n",
    "https://cdn.example/a b.mp3",
    "https://cdn.example/a\x00.mp3",
    "https://cdn.example/a\x7f.mp3",
    "https://cdn.example/a\u2028.mp3",
    "https://cdn.example/a\u202e.mp3",
    "https://cdn.example/\ud83d.mp3",
    "https://cdn.example\\@evil.example/a.mp3",
    'https://cdn.example/"><script>',
    "https://user@cdn.example/a.mp3",
    "https://user:password@cdn.example/a.mp3",
    "https://@cdn.example/a.mp3",
    "https://cdn.example:8443/a.mp3",
    "https://cdn.example:80/a.mp3",
    "https://cdn.example:0443/a.mp3",
    "https://cdn.example:/a.mp3",
    "https://cdn.example:0/a.mp3",
    "https://cdn.example:99999/a.mp3",
    "https://cdn.example:x/a.mp3",
    "https://127.0.0.1/a.mp3",
    "https://10.0.0.1/a.mp3",
    "https://169.254.169.254/latest/meta-data",
    "https://2130706433/a.mp3",
    "https://0x7f000001/a.mp3",
    "https://0x7f.0.0.0x1/a.mp3",
    "https://0177.0.0.1/a.mp3",
    "https://127.1/a.mp3",
    "https://127.0.0.1./a.mp3",
    "https://[::1]/a.mp3",
    "https://[::ffff:127.0.0.1]/a.mp3",
    "https://[fe80::1%25eth0]/a.mp3",
    "https://[bad/a.mp3",
    "https://\uff11\uff12\uff17.0.0.1/a.mp3",
    "https://localhost/a.mp3",
    "https://LOCALHOST/a.mp3",
    "https://api.localhost/a.mp3",
    "https://metadata.google.internal/a.mp3",
    "https://printer.local/a.mp3",
    "https://cdn/a.mp3",
    "https://cdn.example./a.mp3",
    "https://cdn..example/a.mp3",
    "https://-cdn.example/a.mp3",
    "https://cdn-.example/a.mp3",
    "https://cdn.\u212aelvin.example/a.mp3",
    "https://b\u00fccher.example/a.mp3",
    "https://cdn%2eexample/a.mp3",
    f"https://{'a' * 64}.example/a.mp3",
    f"https://{'a.' * 130}example/a.mp3",
)


@pytest.mark.parametrize("link", USABLE)
def test_a_usable_link_is_passed_on_as_it_is(link: str) -> None:
    assert usable_link(link) == link


@pytest.mark.parametrize("link", REFUSED, ids=repr)
def test_any_other_value_is_refused(link: object) -> None:
    assert usable_link(link) is None


@pytest.mark.parametrize("character", ["x", "é", "音", "🎵"])
def test_the_length_counts_in_bytes(character: str) -> None:
    stem = "https://cdn.example/"
    rest = LONGEST_LINK_BYTES - len(stem)
    fits = stem + character * (rest // len(character.encode()))
    assert usable_link(fits) == fits
    assert usable_link(fits + character) is None
