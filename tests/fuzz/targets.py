"""Every target of the fuzzers, with its seeds.

    message, envelope            a body: parsed, or refused with errors that quote nothing
    validators, request          any JSON, and requests near the limits: jsonschema-rs and jsonschema agree
    record                       submit_song, from an SQS record to the dead letter, the events and the log
    create, poll, balance        the answers of the vendor
    song_end                     track_song, from the answer to a poll to the row, the event and the task
    webhook_event                receive_webhook: no call is accepted that was not made with a key
    resolve, redrive, switch     the events of an operator
    letter                       the attributes of a dead letter, and the redrive of it

A target gets bytes, and raises if an answer breaks its contract. Its seeds are the files in seeds/<name>, and the files
of other folders of the repository that fit.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from song_intake.aws import group_commit
from tests.fuzz.letter_targets import letter
from tests.fuzz.message_targets import envelope, message, request, validators
from tests.fuzz.operator_targets import redrive, resolve, switch
from tests.fuzz.song_targets import record, song_end
from tests.fuzz.vendor_targets import balance, create, poll
from tests.fuzz.webhook_targets import webhook_event

ROOT = Path(__file__).parents[2]
SEEDS = Path(__file__).parent / "seeds"
DICTIONARY = SEEDS / "dictionary"
_SAMPLES = ROOT / "events"


@dataclass(frozen=True, slots=True)
class Target:
    """check: raises if the function's answer to these bytes breaks its contract."""

    name: str
    check: Callable[[bytes], None]
    samples: Path | None = None
    """A folder with more seeds."""

    def seeds(self) -> list[bytes]:
        folders = [SEEDS / self.name, *([self.samples] if self.samples else [])]
        return [path.read_bytes() for folder in folders for path in sorted(folder.glob("*")) if path.is_file()]


TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target("message", message, _SAMPLES),
        Target("envelope", envelope),
        Target("validators", validators, _SAMPLES),
        Target("request", request),
        Target("record", record),
        Target("create", create),
        Target("poll", poll),
        Target("balance", balance),
        Target("song_end", song_end),
        Target("webhook_event", webhook_event),
        Target("resolve", resolve),
        Target("redrive", redrive),
        Target("switch", switch),
        Target("letter", letter),
    )
}


@contextmanager
def no_waiting() -> Iterator[None]:
    """Turn off the waiting of GroupCommit: with one message there are no calls to batch."""
    with mock.patch.object(group_commit, "GATHER_SECONDS", 0):
        yield
