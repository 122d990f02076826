"""A backlog beyond the budget of a day, in virtual time: it waits for the next days, and delays nobody else."""

from collections import Counter
from unittest import mock

from song_intake.admission.budget_item import BUDGET_KEY, usage_in
from song_intake.work.budget_gate import MOST_HIDDEN
from tests.outage import stack as stack_module
from tests.outage.services import STACK
from tests.outage.stack import BEGAN, Deployment, Stack

DAY, MINUTE = 86_400.0, 60.0
QUEUED = 2_000
RADIO, SHOP = "AROARADIO", "AROASHOP"
LIMIT = 600
SECONDS_A_CREATE = 3.0


def sender_of(number: int) -> str:
    """Every fourth request is one of the shop, which keeps to its budget. Each request has a session of its own."""
    return f"{SHOP if number % 4 == 0 else RADIO}:session-{number}"


def name_of(request_id: str) -> str:
    return sender_of(int(request_id.removeprefix("request-"))).partition(":")[0]


def day_at(seconds: float) -> int:
    """The number of the UTC day."""
    return int((BEGAN + seconds) // DAY)


def made_by_day(stack: Stack) -> Counter[tuple[str, int]]:
    return Counter((name_of(request_id), day_at(at)) for request_id, at in stack.vendor.made_at.items())


def run(**changed: object) -> Stack:
    deployment = Deployment(**{"queued": QUEUED, "sender_of": sender_of, **changed})  # type: ignore[arg-type]
    stack = Stack(deployment)
    stack.run()
    return stack


def nothing_is_lost(stack: Stack) -> None:
    assert set(stack.vendor.made) == stack.requests
    assert set(stack.vendor.made.values()) == {1}
    assert (stack.sqs.letters, stack.queue.moved, stack.queue.expired, stack.bus.rejected) == ([], [], [], 0)
    assert set(stack.statuses().values()) == {"SUBMITTED"}


def test_a_sender_over_its_budget_waits_for_the_next_days_and_delays_nobody_else() -> None:
    stack = run(creates_per_day_and_sender=LIMIT)
    nothing_is_lost(stack)
    made = made_by_day(stack)
    first = day_at(0)
    assert made == {(SHOP, first): 500, (RADIO, first): 600, (RADIO, first + 1): 600, (RADIO, first + 2): 300}
    of_shop = [at for name, at in stack.vendor.made_at.items() if name_of(name) == SHOP]
    assert max(of_shop) < (500 + LIMIT) * SECONDS_A_CREATE + 5 * MINUTE
    midnight = (first + 2) * DAY - BEGAN
    assert max(stack.vendor.made_at.values()) < midnight + 300 * SECONDS_A_CREATE + 5 * MINUTE
    assert stack.queue.most_receives <= 2
    assert stack.queue.receives < QUEUED + 1_500 * 8
    assert stack.mapping.changes == []


def test_the_intake_pauses_when_the_budget_of_the_stack_is_spent_and_resumes_with_the_day() -> None:
    stack = run(queued=100, creates_per_day=40)
    nothing_is_lost(stack)
    of_days = Counter(day_at(at) for at in stack.vendor.made_at.values())
    first = day_at(0)
    assert of_days == {first: 40, first + 1: 40, first + 2: 20}
    for day in (first + 1, first + 2):
        midnight = day * DAY - BEGAN
        resumed = min(at for at in stack.vendor.made_at.values() if day_at(at) == day)
        assert resumed < midnight + 3 * MINUTE
    assert [is_on for _, is_on in stack.mapping.changes] == [False, True, False, True]
    assert stack.queue.receives < 400
    assert stack.queue.most_receives <= 2


def test_where_many_messages_are_hidden_already_no_more_are() -> None:
    with mock.patch.object(stack_module, "LONGEST_RUN", 3 * 3600.0):
        stack = Stack(Deployment(queued=40, creates_per_day_and_sender=10, sender_of=lambda _: RADIO))
        stack.sqs.hidden_elsewhere = MOST_HIDDEN
        stack.run()
    assert len(stack.vendor.made) == 20
    assert stack.queue.most_receives == 1
    assert stack.sqs.sent_anew >= 30


def test_the_first_sender_of_a_message_that_was_sent_anew_is_charged() -> None:
    stack = run(queued=12, creates_per_day_and_sender=5, sender_of=lambda number: f"{RADIO}:{number}")
    nothing_is_lost(stack)
    assert stack.sqs.sent_anew > 0
    counted = {key: item for key, item in stack.dynamodb.table.items.items() if key.startswith(BUDGET_KEY)}
    assert {name for item in counted.values() for name in usage_in(item).by_sender} == {RADIO}  # type: ignore[arg-type]
    assert STACK not in str(counted)
