"""Which form of deflate a body has, where its first bytes may be read in two ways."""

import zlib

from song_intake.music_api.exchange import _decoded


def test_raw_deflate_whose_first_bytes_pass_the_check_of_a_zlib_head_is_raw() -> None:
    """The two bytes of a zlib head are a multiple of 31, and the first one names the method, which is 8."""
    bodies = [f"{first:c}{second:c}".encode() for first in range(32, 127) for second in range(32, 127)]
    alike = [body for body in bodies if int.from_bytes(_raw(body)[:2]) % 31 == 0]
    assert alike
    for body in alike:
        assert _raw(body)[0] & 0x0F != 8
        assert _decoded(_raw(body), ["deflate"]) == (body, True)


def _raw(body: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(body) + deflater.flush()
