"""The account has no credits while many messages wait: none is lost or given up, and very few creates are sent.

The suite simulates 300 messages, `make campaign` 10,000. A day of an outage takes seconds.
"""

import json
from typing import Final

from tests.properties.simulation.outage import BATCH_SIZE, ENVIRONMENTS, SECONDS_TO_SWITCH, Outage
from tests.properties.simulation.profile import IS_CAMPAIGN

MESSAGES: Final = 10_000 if IS_CAMPAIGN else 300
AN_HOUR: Final = 3600.0
A_DAY: Final = 24 * AN_HOUR

# Before the first response every environment sends a batch; then, until the mapping is disabled, one create a minute.
MOST_TRIED: Final = ENVIRONMENTS * (BATCH_SIZE + 2)

# Each pause is twice as long as the previous one, up to an hour.
MOST_PAUSES: Final = 100

# In the minute in which Lambda disables the mapping, a message may come back.
MOST_RECEIVES: Final = 3


def test_a_day_without_credits_costs_a_message_a_few_receives_at_most() -> None:
    outage = Outage(MESSAGES)
    outage.at(A_DAY, lambda: _pay(outage, MESSAGES))
    tried: list[int] = []
    outage.at(A_DAY, lambda: tried.append(len(outage.vendor.tried)))
    most_receives: list[int] = []
    outage.at(A_DAY, lambda: most_receives.append(max(message.receives for message in outage.messages)))
    outage.run()
    _assert_each_was_created_once(outage)
    assert tried[0] <= MOST_TRIED
    assert most_receives[0] <= MOST_RECEIVES
    assert [on for _, on in outage.switched] == [False, True]


def test_when_credits_run_out_the_intake_pauses_and_later_resumes() -> None:
    outage = Outage(MESSAGES)
    _pay(outage, MESSAGES // 2)
    outage.at(AN_HOUR, lambda: _pay(outage, MESSAGES))
    outage.run()
    _assert_each_was_created_once(outage)
    assert len(outage.vendor.tried) - MESSAGES <= MOST_TRIED
    assert outage.switched[-1][0] >= AN_HOUR


def test_credits_for_a_few_songs_at_a_time_are_used_up() -> None:
    outage = Outage(120)
    for payment in range(4):
        outage.at(payment * AN_HOUR, lambda: _pay(outage, 30))
    outage.run()
    _assert_each_was_created_once(outage)
    assert outage.switched[0][0] <= SECONDS_TO_SWITCH


def test_no_message_is_given_up_during_days_of_a_fault_that_the_balance_does_not_show() -> None:
    outage = Outage(120)
    outage.vendor.has_subscription = False
    _pay(outage, 120)
    outage.at(3.5 * A_DAY, lambda: setattr(outage.vendor, "has_subscription", True))
    outage.run()
    _assert_each_was_created_once(outage)
    assert len(outage.switched) <= 2 * MOST_PAUSES


def _pay(outage: Outage, songs: int) -> None:
    outage.vendor.credits += 10 * songs


def _assert_each_was_created_once(outage: Outage) -> None:
    assert sorted(outage.vendor.made) == sorted({json.loads(message.body)["title"] for message in outage.messages})
    assert outage.dead_letters == []
