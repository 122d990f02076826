"""The shipped template with a pace: real functions share it through a real table, on Lambda's clock."""

import itertools
import json
import time

from song_intake.admission.budget_item import BUDGET_KEY, day_of
from tests.end_to_end.songs import TOKEN, new_id, song
from tests.local.cloud.cloud import Cloud
from tests.local.intake import SHORT_WAITS, Intake
from tests.local.intake_switching import remove_balance_checks
from tests.local.vendor.music_vendor import MusicVendor
from tests.local.waiting import wait_for

REQUESTS = 15
INTERVAL = 0.1  # seconds, of 600 a minute


def test_the_creates_of_all_functions_together_keep_to_the_pace(cloud: Cloud, vendor: MusicVendor) -> None:
    paced = {**SHORT_WAITS, "Webhook": "off", "FirstCheckSeconds": "900", "CreatesPerMinute": "600"}
    paced |= {"CreatesPerDay": "1000"}
    began = time.time()
    intake = Intake.deployed(cloud, "paced", vendor.origin, TOKEN, paced)
    remove_balance_checks(intake)
    vendor.tokens.add(TOKEN)
    intake.send_all([json.dumps(song("Paced", request_id=new_id("paced"))) for _ in range(REQUESTS)])
    wait_for(lambda: len(vendor.creates) == REQUESTS, "every song to be created")
    intake.wait_until_empty()
    gaps = [later.at - earlier.at for earlier, later in itertools.pairwise(vendor.creates)]
    # Half an interval allows for a busy machine; without a pace, all creates come within one interval.
    assert sum(gaps) >= (REQUESTS - 1) * INTERVAL / 2
    assert sorted(gaps)[len(gaps) // 2] >= INTERVAL / 2
    lines = [json.loads(line) for line in intake.log().splitlines() if '"action":"retry"' in line]
    assert [line for line in lines if line["reason"] == "PACED"] == [], "waiting does not raise a receive count"
    assert intake.row("#pace")["next_at"]
    counted = [intake.row(BUDGET_KEY + day) for day in {day_of(began), day_of(time.time())}]
    assert sum(int(count["used"]) for count in counted if count) == REQUESTS
    assert '"BudgetUsed":' in intake.log().replace(": ", ":")
