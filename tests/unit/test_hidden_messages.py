"""How many messages are hidden, as a process knows it: read once a minute, and not trusted without an answer."""

from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from song_intake.outgoing.requests import RequestQueue
from song_intake.work.budget_gate import MOST_HIDDEN, HiddenMessages
from tests.signing import PROOFS


class Sqs:
    def __init__(self, count: int | None) -> None:
        self.count, self.calls = count, 0

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "queue"
        self.calls += 1
        if self.count is None:
            raise EndpointConnectionError(endpoint_url="https://sqs.invalid")
        return {"Attributes": dict.fromkeys(AttributeNames, str(self.count))}


@pytest.mark.parametrize(
    ("count", "are_many"), [(0, False), (MOST_HIDDEN - 1, False), (MOST_HIDDEN, True), (None, True)]
)
def test_from_half_of_what_sqs_hides_no_more_are_hidden(count: int | None, are_many: bool) -> None:  # noqa: FBT001
    requests = RequestQueue(cast("Any", Sqs(count)), "queue", PROOFS)
    assert HiddenMessages(requests.hidden).are_many() is are_many


def test_sqs_is_asked_once_a_minute_and_after_a_clock_was_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs, now = Sqs(0), [1_700_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    hidden = HiddenMessages(RequestQueue(cast("Any", sqs), "queue", PROOFS).hidden)
    for moment, calls in ((0.0, 1), (59.0, 1), (60.0, 2), (-3_600.0, 3)):
        now[0] = 1_700_000_000.0 + moment
        hidden.are_many()
        assert sqs.calls == calls


def test_while_sqs_is_asked_the_other_threads_use_the_last_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    now, meanwhile = [1_700_000_000.0], []

    def count() -> int:
        meanwhile.append(hidden.are_many())
        return MOST_HIDDEN

    monkeypatch.setattr("time.time", lambda: now[0])
    hidden = HiddenMessages(count)
    assert hidden.are_many()
    now[0] += 60
    assert hidden.are_many()
    assert meanwhile == [False, True]
