"""What a value of the package can do."""

from dataclasses import FrozenInstanceError, field, fields, replace
from typing import Any

import pytest

from song_intake.domain.frozen import frozen


@frozen
class Song:
    title: str
    lyrics: str = field(default="", repr=False)
    tags: tuple[str, ...] = ()


@frozen
class Album:
    title: str
    lyrics: str = ""
    tags: tuple[str, ...] = ()


def test_values_with_the_same_fields_are_equal_and_have_one_hash() -> None:
    assert Song("Kettle", "la") == Song("Kettle", "la")
    assert len({Song("Kettle", "la"), Song("Kettle", "la"), Song("Kettle", "lo")}) == 2


@pytest.mark.parametrize(
    "other", [Song("Kettle", tags=("folk",)), Song("Lamp"), Song("Kettle", "la"), Album("Kettle"), ("Kettle", "", ())]
)
def test_values_of_other_fields_or_of_another_class_differ(other: object) -> None:
    assert Song("Kettle") != other


def test_a_value_compares_with_what_claims_to_equal_everything() -> None:
    class Anything:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = object.__hash__

    assert Song("Kettle") == Anything()


def test_the_repr_shows_the_fields_except_hidden_ones() -> None:
    assert repr(Song("Kettle", "la")) == "Song(title='Kettle', tags=())"


def test_a_value_cannot_be_changed_or_get_further_attributes() -> None:
    song: Any = Song("Kettle")
    with pytest.raises(FrozenInstanceError):
        song.title = "Lamp"
    with pytest.raises(FrozenInstanceError):
        del song.title
    assert not hasattr(song, "__dict__")


def test_a_value_is_a_dataclass() -> None:
    assert replace(Song("Kettle"), title="Lamp") == Song("Lamp")
    assert [one.name for one in fields(Song)] == ["title", "lyrics", "tags"]
    match Song("Kettle", "la"):
        case Song(title, lyrics):
            assert (title, lyrics) == ("Kettle", "la")
