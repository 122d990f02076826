"""What a value of the package can do."""

import copy
import pickle
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


@pytest.mark.parametrize("values", [(), ("Kettle", "la", (), "one too many")])
def test_a_value_has_a_value_for_each_field_without_a_default_and_no_further_one(values: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        Song(*values)


def test_a_value_takes_its_fields_by_position_or_name_and_has_the_defaults_of_the_others() -> None:
    song = Song("Kettle", tags=("folk",))
    assert (song.title, song.lyrics, song.tags) == ("Kettle", "", ("folk",))


def test_a_field_without_a_default_cannot_follow_one_with_a_default() -> None:
    class Backwards:
        title: str = ""
        lyrics: str

    with pytest.raises(SyntaxError):
        frozen(Backwards)


def test_a_field_cannot_have_a_default_that_is_made_anew_for_each_value() -> None:
    class Tagged:
        tags: list[str] = field(default_factory=list)

    with pytest.raises(TypeError, match="tags has a default_factory"):
        frozen(Tagged)


def test_a_value_can_be_copied_and_pickled() -> None:
    song = Song("Kettle", "la", ("folk",))
    assert copy.deepcopy(song) == song
    assert pickle.loads(pickle.dumps(song)) == song  # noqa: S301 - what the same line wrote


def test_a_value_is_a_dataclass() -> None:
    assert replace(Song("Kettle"), title="Lamp") == Song("Lamp")
    assert [one.name for one in fields(Song)] == ["title", "lyrics", "tags"]
    match Song("Kettle", "la"):
        case Song(title, lyrics):
            assert (title, lyrics) == ("Kettle", "la")
