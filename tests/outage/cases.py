"""The cases of the campaign. Each prepares a stack: what is away or refused, and until when."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from song_intake.music_api.answer import Answer
from tests.outage.stack import Deployment, Stack
from tests.outage.vendor import balance

BEGINS: Final = 60.0
BEGINS_WITHOUT_A_PACE: Final = 1.5
"""The second in which most faults begin: creates are under way, and others wait."""
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
OFF_IN_EFFECT: Final = 500.0
OFF_UNTIL: Final = 1_200.0
MANY: Final = 2_000
"""With fewer requests, what happens to every 100th one happens to every 20th, and a quota is a tenth."""

UNAVAILABLE: Final = Answer(503, b"<html>503 Service Unavailable</html>")
NO_CREDITS: Final = Answer(402, b'{"type": "insufficient_credits", "error": "simulated"}')

Prepare = Callable[[Stack], None]


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    prepare: Prepare
    creates_per_minute: int = 20
    retry_cap: float = 900.0
    resumes_within: float = 120.0
    """Seconds from the end of a cause, or from the next trial where nobody can see the end, to the first create."""
    is_seen: bool = True
    """Whether the stack can see the end of the cause."""
    has_no_pause: bool = False
    """Whether the fault is too small to pause the intake."""
    share_of_rate: float = 0.0
    """The least share of the allowed creates that must be made."""
    closed: tuple[float, float] = (0.0, 0.0)
    """Between these moments nothing may be created."""
    few: int = 60
    """How many requests the suite queues."""

    def deployment(self, queued: int) -> Deployment:
        return Deployment(queued=queued, creates_per_minute=self.creates_per_minute, retry_cap=self.retry_cap)


def _fault(stack: Stack, seconds: float, begins: float | None = None) -> Callable[[], bool]:
    """Whether the fault lasts now. Notes its end, and when the next trial would be."""
    if begins is None:
        begins = BEGINS if stack.deployment.creates_per_minute else BEGINS_WITHOUT_A_PACE
    end = begins + seconds
    stack.ends.append(end)

    def note() -> None:
        saved = stack.saved()
        if saved is not None and saved.reason is not None:
            stack.held_until = saved.held_until - stack.time.now + stack.now()

    stack.at(end, note)
    return lambda: begins <= stack.now() < end


def _unless(is_faulty: Callable[[], bool], refusal: Answer) -> Callable[[], Answer | None]:
    return lambda: refusal if is_faulty() else None


def _every_100th_is_429(stack: Stack) -> None:
    every = 100 if stack.deployment.queued >= MANY else 20

    def refusal() -> Answer | None:
        if stack.vendor.tried.total() % every:
            return None
        stack.ends.append(stack.now() + 300)
        return Answer(429, b"{}", "300")

    stack.vendor.refusal = refusal


def _closed(seconds: float) -> Prepare:
    """For so long, every create is answered with a 429 that names the rest of that time."""

    def prepare(stack: Stack) -> None:
        is_closed = _fault(stack, seconds)
        end = stack.ends[-1]

        def refusal() -> Answer | None:
            return Answer(429, b"{}", str(int(end - stack.now()) + 1)) if is_closed() else None

        stack.vendor.refusal = refusal

    return prepare


def _one_429(stack: Stack) -> None:
    has_refused = False

    def refusal() -> Answer | None:
        nonlocal has_refused
        if has_refused or stack.now() < BEGINS:
            return None
        has_refused = True
        stack.ends.append(stack.now() + 40)
        return Answer(429, b"{}", "40")

    stack.vendor.refusal = refusal


def _quota(stack: Stack) -> None:
    """300 creates in each hour; then a 429 that names the rest of the hour."""
    quota = 300 if stack.deployment.queued >= MANY else 30

    def refusal() -> Answer | None:
        hour = int(stack.now() // HOUR)
        if sum(1 for at in reversed(stack.vendor.created_at[-quota:]) if at >= hour * HOUR) < quota:
            return None
        end = (hour + 1) * HOUR
        if end not in stack.ends:
            stack.ends.append(end)
        return Answer(429, b"{}", str(int(end - stack.now()) + 1))

    stack.vendor.refusal = refusal


def _slow_connects(stack: Stack) -> None:
    stack.ends.append(0.0)
    stack.vendor.connect_seconds = (1.3, 1.5)


def _dynamodb_away(seconds: float) -> Prepare:
    def prepare(stack: Stack) -> None:
        stack.dynamodb.is_away = _fault(stack, seconds)

    return prepare


def _key_unreadable(seconds: float) -> Prepare:
    def prepare(stack: Stack) -> None:
        stack.secrets.is_key_unreadable = _fault(stack, seconds, begins=0)

    return prepare


def _secrets_away(stack: Stack) -> None:
    stack.secrets.is_away = _fault(stack, DAY, begins=0)


def _vendor_away(seconds: float) -> Prepare:
    def prepare(stack: Stack) -> None:
        is_away = _fault(stack, seconds)
        stack.vendor.is_reached = lambda: not is_away()

    return prepare


def _vendor_answers_503(stack: Stack) -> None:
    is_failing = _fault(stack, HOUR)
    usual = stack.vendor.balance
    stack.vendor.refusal = _unless(is_failing, UNAVAILABLE)
    stack.vendor.balance = lambda: UNAVAILABLE if is_failing() else usual()


def _creates_answer_503(stack: Stack) -> None:
    stack.vendor.refusal = _unless(_fault(stack, HOUR), UNAVAILABLE)


def _creates_are_not_answered(stack: Stack) -> None:
    is_silent = _fault(stack, HOUR)
    stack.vendor.answers_creates = lambda: not is_silent()


def _one_throttled_read(stack: Stack) -> None:
    stack.ends.append(0.0)
    stack.secrets.throttled_reads = 1


def _token_put_later(stack: Stack) -> None:
    has_none = _fault(stack, 2 * HOUR, begins=0)
    stack.secrets.has_token = lambda: not has_none()
    stack.vendor.balance = lambda: Answer(200, json.dumps({"points": 100}).encode())


def _off_while_enabling(stack: Stack) -> None:
    for moment, command in ((BEGINS, "off"), (240.0, "on"), (250.0, "off"), (OFF_UNTIL, "on")):
        stack.at(moment, lambda command=command: stack.command(command))  # type: ignore[misc]
    stack.ends.append(OFF_UNTIL)


def _no_credits(seconds: float) -> Prepare:
    def prepare(stack: Stack) -> None:
        is_empty = _fault(stack, seconds)
        usual = stack.vendor.balance
        stack.vendor.refusal = _unless(is_empty, NO_CREDITS)
        stack.vendor.balance = lambda: balance(0) if is_empty() else usual()

    return prepare


def _no_subscription(stack: Stack) -> None:
    stack.vendor.refusal = _unless(_fault(stack, 3.5 * DAY), NO_CREDITS)


def _credits_in_parts(stack: Stack) -> None:
    """At the start and in each of three hours, a quarter of the songs is paid for."""
    part = -(-stack.deployment.queued // 4)

    def left() -> int:
        return part * min(4, 1 + int(stack.now() // HOUR)) - len(stack.vendor.created_at)

    stack.ends += [hour * HOUR for hour in (1, 2, 3)]
    stack.vendor.refusal = lambda: None if left() > 0 else NO_CREDITS
    stack.vendor.balance = lambda: balance(10 * max(0, left()))


CASES: Final = (
    Case("429 with Retry-After 300 at every 100th create", _every_100th_is_429),
    Case("one 429 of 40 s, RetryCapSeconds 1", _one_429, retry_cap=1.0, has_no_pause=True),
    Case(
        "the vendor takes 1.4 s to connect, 10 creates a minute",
        _slow_connects,
        creates_per_minute=10,
        has_no_pause=True,
        share_of_rate=0.98,
    ),
    Case("DynamoDB away for an hour", _dynamodb_away(HOUR)),
    Case("the signing key unreadable for an hour", _key_unreadable(HOUR)),
    Case("the signing key unreadable for 3 days", _key_unreadable(3 * DAY)),
    Case("Secrets Manager away for a day", _secrets_away),
    Case("nobody answers at the vendor for 33 minutes", _vendor_away(33 * MINUTE)),
    Case("503 for an hour", _vendor_answers_503),
    Case("503 to creates for an hour, the balance readable", _creates_answer_503, is_seen=False),
    Case("no answer to creates for an hour", _creates_are_not_answered, is_seen=False),
    Case("one throttled read of the token's secret at a cold start", _one_throttled_read, has_no_pause=True),
    Case("get-credits unreadable, token put after 2 hours", _token_put_later),
    Case(
        "operator says off while the mapping is still enabling",
        _off_while_enabling,
        closed=(OFF_IN_EFFECT, OFF_UNTIL),
        few=150,
    ),
    Case("a pause of 8 minutes, then Lambda thaws the process", _no_credits(8 * MINUTE)),
    Case("the vendor away for 3 days", _vendor_away(3 * DAY)),
    Case("DynamoDB away for 6 hours", _dynamodb_away(6 * HOUR), few=30),
    Case("no credits for 9 days", _no_credits(9 * DAY)),
    Case("no subscription for 3.5 days, the balance readable", _no_subscription, is_seen=False),
    Case("credits for a quarter of the songs each hour", _credits_in_parts, creates_per_minute=60),
    Case("429 of a day", _closed(DAY)),
    Case("a quota of 300 an hour", _quota),
    Case("503 for an hour, without a pace", _vendor_answers_503, creates_per_minute=0),
    Case("no credits for 9 days, without a pace", _no_credits(9 * DAY), creates_per_minute=0),
    Case("DynamoDB away for an hour, without a pace", _dynamodb_away(HOUR), creates_per_minute=0),
)
