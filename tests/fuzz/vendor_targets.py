"""Targets that read what the music API answered. An input has the status, the Retry-After and the body, by line."""

import json
import re
from typing import Any, cast

from song_intake.domain.outcome import Created, Outcome, Refused, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.domain.task import MOST_CLIPS, Failed, NoAnswer, NoSuchTask, Running, Succeeded, TaskState
from song_intake.music_api.answer import LONGEST_RETRY_AFTER_SECONDS, Answer, as_task_id
from song_intake.music_api.create import MEANINGS, outcome_of
from song_intake.music_api.credits import Balance, balance_of
from song_intake.music_api.poll import state_of
from tests.fuzz.canaries import assert_no_canary, leaves_of, with_canaries
from tests.fuzz.drawing import text_of

_CODE = re.compile(r"[a-z_]{1,24}")
_FIRST_STATUS, _LAST_STATUS = 100, 599


def answer_in(data: bytes) -> Answer:
    """The answer that an input describes: any bytes describe one."""
    head, _, rest = data.partition(b"\n")
    retry_after, _, body = rest.partition(b"\n")
    status = int(head) if head.isdigit() and len(head) <= 3 else 200
    # As http.client reads a header.
    header = retry_after.decode("latin-1").strip() or None
    return Answer(min(max(status, _FIRST_STATUS), _LAST_STATUS), body, header)


def with_canaries_in(answer: Answer) -> Answer | None:
    """The answer with canaries in the texts that may quote a request; None if it is not JSON."""
    planted = with_canaries(text_of(answer.body))
    if planted is None:
        return None
    return Answer(answer.status, planted.encode(errors="surrogatepass"), answer.retry_after)


def create(data: bytes) -> None:
    """Every answer to a create proves one outcome, and no text of the vendor is repeated."""
    answer = answer_in(data)
    _check_outcome(answer, outcome_of(answer))
    if (planted := with_canaries_in(answer)) is not None:
        outcome = outcome_of(planted)
        _check_outcome(planted, outcome)
        assert_no_canary(outcome)


def _check_outcome(answer: Answer, outcome: Outcome) -> None:
    is_accepted = 200 <= answer.status <= 299
    match outcome:
        case Created(task_id):
            assert is_accepted, "only a 2xx proves that a song was created"
            assert as_task_id(task_id) == task_id
            return
        case Retryable():
            assert _is_wait(outcome.retry_after)
        case Refused():
            assert outcome.reason is Reason.REFUSED
        case Unknown():
            assert outcome.reason is Reason.OUTCOME_UNKNOWN
    if not isinstance(outcome, Unknown):
        assert outcome.http_status in MEANINGS, "only a status of the table proves that no song was created"
        assert is_accepted or outcome.http_status == answer.status
    assert outcome.vendor_code is None or _CODE.fullmatch(outcome.vendor_code)
    assert len(outcome.detail) <= 600
    assert outcome.detail.isascii()
    assert outcome.detail.isprintable()


def _is_wait(seconds: float | None) -> bool:
    return seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER_SECONDS


def poll(data: bytes) -> None:
    """Every answer to a poll is a state, and a song that succeeded has usable links."""
    answer = answer_in(data)
    _check_state(state_of(answer))
    if (planted := with_canaries_in(answer)) is not None:
        state = state_of(planted)
        _check_state(state)
        assert_no_canary(state)


def _check_state(state: TaskState) -> None:
    match state:
        case Succeeded(clips, links_refused):
            assert 0 < len(clips) <= MOST_CLIPS
            assert links_refused >= 0
            for clip in clips:
                assert (clip.audio_url or "").lower().startswith("https://")
                assert clip.duration is None or 0 <= clip.duration <= 86_400
        case Failed(vendor_code, refunded):
            assert vendor_code is None or _CODE.fullmatch(vendor_code)
            assert refunded in (True, False, None)
        case NoAnswer():
            assert _is_wait(state.retry_after)
        case NoSuchTask() | Running():
            pass
    for leaf in leaves_of(repr(state)):
        assert str(leaf).isprintable()


def balance(data: bytes) -> None:
    """Every answer is a balance or none, and a balance is never negative."""
    answer = answer_in(data)
    match balance_of(answer):
        case Balance() as found:
            assert found.credits >= 0
            assert found.extra >= 0
            assert _is_plain_object(answer.body), "a balance comes from a JSON object alone"
            json.dumps({"credits": found.credits, "extra": found.extra, "total": found.total}, allow_nan=False)
        case NoAnswer() as failure:
            assert failure.reason in (Reason.TOKEN_REFUSED, Reason.RATE_LIMITED, Reason.BALANCE_UNKNOWN)
            assert _is_wait(failure.retry_after)


def _is_plain_object(body: bytes) -> bool:
    text = body.decode(json.detect_encoding(body), errors="replace")
    loose = cast("Any", json.JSONDecoder(strict=False, parse_int=float))
    return isinstance(loose.decode(text), dict)
