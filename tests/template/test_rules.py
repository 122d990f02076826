"""The rules refuse exactly the combinations of timeouts that do not fit. Short ones that fit are for tests."""

from itertools import product

import pytest

from tests.local.intake import SHORT_WAITS
from tests.local.run.stages import PARAMETERS as LOCAL_RUN
from tests.template.transformed import Parameters, allows, ends, parameter_defaults, refusals

# Timeouts of about a minute: a crash is noticed sooner, and no call may take longer than by default.
A_MINUTE: Parameters = {
    "FunctionTimeoutSeconds": 60,
    "LeaseSeconds": 75,
    "VisibilityTimeoutSeconds": 360,
    "TrackTimeoutSeconds": 30,
    "ChecksVisibilityTimeoutSeconds": 180,
}
FOR_TESTS = {9, 10, 20}


def whole(name: str) -> range:
    """Every value of a number with bounds."""
    low, high = ends(name)
    return range(int(low), int(high) + 1)


@pytest.mark.parametrize("pace", [0, 20, 600])
@pytest.mark.parametrize("given", [SHORT_WAITS, LOCAL_RUN, A_MINUTE], ids=["short waits", "local run", "a minute"])
def test_short_timeouts_that_fit_together_are_accepted(given: dict[str, int | str], pace: int) -> None:
    assert [name for name, value in given.items() if not allows(name, value)] == []
    assert refusals(**given | {"CreatesPerMinute": pace}) == []


@pytest.mark.parametrize("timeout", ends("FunctionTimeoutSeconds"))
def test_a_create_fits_into_every_function_timeout_that_is_accepted(timeout: int) -> None:
    accepted = [
        create + settle
        for create, settle in product(whole("CreateDeadlineSeconds"), whole("SettleMarginSeconds"))
        if not refusals(
            "FunctionTimeoutHoldsACreate",
            CreatesPerMinute=0,
            FunctionTimeoutSeconds=timeout,
            CreateDeadlineSeconds=create,
            SettleMarginSeconds=settle,
        )
    ]
    assert 0 < max(accepted) < timeout


@pytest.mark.parametrize("timeout", [value for value in ends("FunctionTimeoutSeconds") if value not in FOR_TESTS])
def test_the_longest_connect_leaves_a_create_its_time(timeout: int) -> None:
    connect = max(whole("ConnectTimeoutSeconds"))
    by_default = [int(parameter_defaults()[name]) for name in ("CreateDeadlineSeconds", "SettleMarginSeconds")]
    assert connect + sum(by_default) < timeout


@pytest.mark.parametrize("timeout", ends("TrackTimeoutSeconds"))
def test_a_poll_fits_into_every_track_timeout_that_is_accepted(timeout: int) -> None:
    names = ("ConnectTimeoutSeconds", "PollDeadlineSeconds", "SettleMarginSeconds")
    accepted = [
        sum(values)
        for values in product(*map(whole, names))
        if not refusals("TrackTimeoutHoldsAPoll", TrackTimeoutSeconds=timeout, **dict(zip(names, values, strict=True)))
    ]
    assert 0 < max(accepted) < timeout


@pytest.mark.parametrize(
    ("rule", "timeout", "holder", "times"),
    [
        ("LeaseHoldsTheFunctionTimeout", "FunctionTimeoutSeconds", "LeaseSeconds", 1),
        ("VisibilityHoldsSixFunctionTimeouts", "FunctionTimeoutSeconds", "VisibilityTimeoutSeconds", 6),
        ("ChecksVisibilityHoldsSixTrackTimeouts", "TrackTimeoutSeconds", "ChecksVisibilityTimeoutSeconds", 6),
    ],
)
def test_a_lease_and_a_visibility_that_are_accepted_hold_the_timeout(
    rule: str, timeout: str, holder: str, times: int
) -> None:
    for inner, outer in product(map(int, ends(timeout)), map(int, ends(holder))):
        refused = refusals(rule, **{"CreatesPerMinute": 0, timeout: inner, holder: outer})
        needed = inner if outer in FOR_TESTS else times * inner
        assert refused == ([] if outer >= needed else [rule]), f"{timeout}={inner} {holder}={outer}"


@pytest.mark.parametrize(("cap", "base"), [(1, 1), (4, 1), (5, 5), (5, 1)])
def test_a_retry_cap_that_holds_the_base_is_accepted(cap: int, base: int) -> None:
    assert refusals(RetryCapSeconds=cap, RetryBaseSeconds=base) == []


@pytest.mark.parametrize(("cap", "base"), [(1, 2), (1, 5), (4, 5), (4, 300)])
def test_a_retry_cap_below_the_base_is_refused(cap: int, base: int) -> None:
    assert refusals(RetryCapSeconds=cap, RetryBaseSeconds=base) == ["ShortRetryCapNeedsAShortBase"]
