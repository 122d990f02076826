"""Every crash point of track_song and receive_webhook: the song still ends, the event still comes.

Each story is told once for every call that leaves a process, and everything that can go wrong with it; and once for
every two deaths, one after the other. Then nothing goes wrong any more, and what must hold stands in
simulation/following_invariants.py. A telling that breaks it is printed.

A vendor that repeats its webhook until it is taken loses nothing. Of one that never repeats it a doubt may remain, with
its dead letter; but what was recorded ends, once the request's message is back, or its letter is redriven.
"""

import pytest

from tests.properties.simulation import crash_points, interleavings
from tests.properties.simulation.stories import KEPT_STORIES, OF_TWO_CHECKS, STORIES, Story


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_whatever_crashes_the_song_ends_and_everybody_is_told(story: Story) -> None:
    assert crash_points.prove(story) > 1


@pytest.mark.parametrize("story", KEPT_STORIES, ids=lambda story: story.name)
def test_whatever_crashes_the_recordings_are_kept_or_given_up_and_everybody_is_told(story: Story) -> None:
    assert crash_points.prove(story) > 1


def test_two_checks_of_one_song_at_a_time_bring_it_to_one_end() -> None:
    assert interleavings.prove(OF_TWO_CHECKS) > 1
