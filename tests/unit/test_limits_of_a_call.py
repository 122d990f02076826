"""How a call to the music API is limited to the time that is left."""

import ssl

import pytest

from song_intake.music_api.client import MusicApi

ORIGIN = "https://music.invalid"


@pytest.mark.parametrize(("seconds", "limits"), [(3.0, (1.5, 1.5)), (16.0, (5.0, 8.0)), (100.0, (5.0, 30.0))])
def test_connecting_and_the_call_share_the_time_and_are_never_given_more_than_before(
    seconds: float, limits: tuple[float, float]
) -> None:
    api = MusicApi(ORIGIN, ssl.create_default_context(), connect_timeout=5, deadline=30)
    limited = api.within(seconds)
    assert (limited._connect_timeout, limited._deadline) == limits
    assert (api._connect_timeout, api._deadline) == (5, 30), "others go on with their own"
