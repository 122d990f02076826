"""How many schedules are tested: the same few hundred in the suite, many random ones in a campaign."""

import os
from collections.abc import Callable
from typing import Final, TypeVar

from hypothesis import HealthCheck, settings

Test = TypeVar("Test", bound=Callable[..., None])

IS_CAMPAIGN: Final = os.environ.get("HYPOTHESIS_PROFILE") == "campaign"


def schedules(suite: int, campaign: int) -> Callable[[Test], Test]:
    """A decorator for tests that draw a schedule. A campaign is random, and first repeats the last failures."""
    return settings(
        max_examples=campaign if IS_CAMPAIGN else suite,
        derandomize=not IS_CAMPAIGN,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
