"""A function with invalid settings does not start, and names the variable and the rule."""

from collections.abc import Callable, Mapping

import pytest

from song_intake.app.environment import InvalidSettings
from song_intake.app.redrive import RedriveSettings
from song_intake.app.resolve import ResolveSettings
from song_intake.app.submit import RESERVED_RECEIVES, SubmitSettings
from song_intake.app.switch import SwitchSettings
from song_intake.app.track import TrackSettings
from song_intake.app.webhook import WebhookSettings

TEXTS = {
    "MUSIC_API_ORIGIN": "https://api.example.com",
    "API_TOKEN_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:token",
    "SIGNING_KEY_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:key",
    "LEDGER_TABLE": "ledger",
    "SONG_REQUESTS_QUEUE_URL": "https://sqs.example.com/requests",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.example.com/dead-letters",
    "SONG_CHECKS_QUEUE_URL": "https://sqs.example.com/checks",
    "EVENT_BUS_NAME": "events",
}
NUMBERS = {
    "CONNECT_TIMEOUT_SECONDS": "5",
    "CREATE_DEADLINE_SECONDS": "30",
    "SETTLE_MARGIN_SECONDS": "10",
    "FUNCTION_TIMEOUT_SECONDS": "60",
    "LEASE_SECONDS": "60",
    "MAX_RECEIVE_COUNT": "8",
    "RETRY_BASE_SECONDS": "2",
    "RETRY_CAP_SECONDS": "900",
    "KEEP_DAYS": "90",
    "BATCH_SIZE": "10",
    "FIRST_CHECK_SECONDS": "15",
}
MAY_BE_ZERO = {
    "RESOLUTION_WINDOW_SECONDS": "900",
    "CREATES_PER_MINUTE": "0",
    "CREATES_PER_DAY": "0",
    "CREATES_PER_DAY_AND_SENDER": "0",
}
ENVIRONMENT = TEXTS | NUMBERS | MAY_BE_ZERO
WEBHOOK = {"WEBHOOK_URL": "https://hooks.example.com"}

TRACK_TEXTS = {
    **{name: TEXTS[name] for name in TEXTS if name not in ("SONG_REQUESTS_QUEUE_URL", "DEAD_LETTER_QUEUE_URL")},
    "CHECK_DEAD_LETTER_QUEUE_URL": "https://sqs.example.com/dead-checks",
}
TRACK_NUMBERS = {
    "CONNECT_TIMEOUT_SECONDS": "5",
    "POLL_DEADLINE_SECONDS": "10",
    "SETTLE_MARGIN_SECONDS": "10",
    "FUNCTION_TIMEOUT_SECONDS": "60",
    "TRACKING_HOURS": "24",
    "UNKNOWN_TASK_MINUTES": "30",
    "FIRST_CHECK_SECONDS": "15",
    "CHECK_CAP_SECONDS": "300",
    "KEEP_DAYS": "90",
    "BATCH_SIZE": "10",
}
RECEIVE_TEXTS = {name: TEXTS[name] for name in ("SONG_CHECKS_QUEUE_URL", "SIGNING_KEY_SECRET_ARN")}
RESOLVE_TEXTS = {
    name: TEXTS[name]
    for name in (
        "MUSIC_API_ORIGIN",
        "API_TOKEN_SECRET_ARN",
        "LEDGER_TABLE",
        "SONG_CHECKS_QUEUE_URL",
        "EVENT_BUS_NAME",
    )
}
RESOLVE_NUMBERS = {
    **{
        name: NUMBERS[name]
        for name in ("KEEP_DAYS", "FIRST_CHECK_SECONDS", "LEASE_SECONDS", "FUNCTION_TIMEOUT_SECONDS")
    },
    **{name: TRACK_NUMBERS[name] for name in ("CONNECT_TIMEOUT_SECONDS", "POLL_DEADLINE_SECONDS")},
}
REDRIVE_TEXTS = {
    **{name: text for name, text in TEXTS.items() if name.endswith("_QUEUE_URL")},
    "SIGNING_KEY_SECRET_ARN": TEXTS["SIGNING_KEY_SECRET_ARN"],
    "CHECK_DEAD_LETTER_QUEUE_URL": "https://sqs.example.com/dead-checks",
}
SWITCH_TEXTS = {
    **{
        name: TEXTS[name]
        for name in ("MUSIC_API_ORIGIN", "API_TOKEN_SECRET_ARN", "SIGNING_KEY_SECRET_ARN", "LEDGER_TABLE")
    },
    "INTAKE_MAPPING_UUID": "11111111-2222-3333-4444-555555555555",
}
SWITCH_NUMBERS = {name: TRACK_NUMBERS[name] for name in ("CONNECT_TIMEOUT_SECONDS", "POLL_DEADLINE_SECONDS")}

Read = Callable[[Mapping[str, str]], object]
FUNCTIONS: dict[str, tuple[Read, dict[str, str], dict[str, str]]] = {
    "submit_song": (SubmitSettings.from_environment, TEXTS, NUMBERS),
    "track_song": (TrackSettings.from_environment, TRACK_TEXTS, TRACK_NUMBERS),
    "receive_webhook": (WebhookSettings.from_environment, RECEIVE_TEXTS, {}),
    "resolve_song": (ResolveSettings.from_environment, RESOLVE_TEXTS, RESOLVE_NUMBERS),
    "redrive_letters": (RedriveSettings.from_environment, REDRIVE_TEXTS, {}),
    "switch_intake": (SwitchSettings.from_environment, SWITCH_TEXTS, SWITCH_NUMBERS),
}
VARIABLES = [(function, name) for function, (_, texts, numbers) in FUNCTIONS.items() for name in texts | numbers]
NUMBERED = [(function, name) for function, (_, _, numbers) in FUNCTIONS.items() for name in numbers]


def read(function: str, **changed: str | None) -> object:
    """The function's settings from a valid environment with these changes. None removes a variable."""
    from_environment, texts, numbers = FUNCTIONS[function]
    environment = {**texts, **numbers, **MAY_BE_ZERO, **changed}
    return from_environment({name: value for name, value in environment.items() if value is not None})


def test_every_setting_of_submit_song_is_read() -> None:
    assert SubmitSettings.from_environment(ENVIRONMENT | WEBHOOK | {"SOMETHING_ELSE": "x"}) == SubmitSettings(
        music_api_origin="https://api.example.com",
        api_token_secret_arn="arn:aws:secretsmanager:us-east-1:000000000000:secret:token",
        ledger_table="ledger",
        song_requests_queue_url="https://sqs.example.com/requests",
        dead_letter_queue_url="https://sqs.example.com/dead-letters",
        connect_timeout=5,
        create_deadline=30,
        settle_margin=10,
        function_timeout=60,
        lease=60,
        max_receive_count=8,
        retry_base=2,
        retry_cap=900,
        keep_days=90,
        batch_size=10,
        creates_per_minute=0,
        creates_per_day=0,
        creates_per_day_and_sender=0,
        song_checks_queue_url="https://sqs.example.com/checks",
        first_check=15,
        event_bus_name="events",
        webhook_url="https://hooks.example.com",
        signing_key_secret_arn="arn:aws:secretsmanager:us-east-1:000000000000:secret:key",
        resolution_window=900,
        ca_bundle=None,
    )


def test_every_setting_of_track_song_is_read() -> None:
    assert read("track_song", SOMETHING_ELSE="x") == TrackSettings(
        music_api_origin="https://api.example.com",
        api_token_secret_arn="arn:aws:secretsmanager:us-east-1:000000000000:secret:token",
        signing_key_secret_arn="arn:aws:secretsmanager:us-east-1:000000000000:secret:key",
        ledger_table="ledger",
        keep_days=90,
        song_checks_queue_url="https://sqs.example.com/checks",
        check_dead_letter_queue_url="https://sqs.example.com/dead-checks",
        event_bus_name="events",
        connect_timeout=5,
        poll_deadline=10,
        settle_margin=10,
        function_timeout=60,
        tracking_hours=24,
        unknown_task_minutes=30,
        first_check=15,
        check_cap=300,
        batch_size=10,
        ca_bundle=None,
    )


def test_derived_times_are_computed_from_the_settings() -> None:
    settings = SubmitSettings.from_environment(ENVIRONMENT)
    assert (settings.paid_call, settings.final_receive) == (40, 8 - RESERVED_RECEIVES)
    assert TrackSettings.from_environment(TRACK_TEXTS | TRACK_NUMBERS).poll_call == 25
    assert ResolveSettings.from_environment(RESOLVE_TEXTS | RESOLVE_NUMBERS).not_created_after == 120


@pytest.mark.parametrize(("value", "bundle"), [("/ca.pem", "/ca.pem"), ("", None)])
def test_a_ca_bundle_may_be_set(value: str, bundle: str | None) -> None:
    assert SubmitSettings.from_environment(ENVIRONMENT | {"SSL_CERT_FILE": value}).ca_bundle == bundle


@pytest.mark.parametrize("blank", [{}, dict.fromkeys(WEBHOOK, "")], ids=["missing", "empty"])
def test_the_webhook_may_be_switched_off(blank: dict[str, str]) -> None:
    settings = SubmitSettings.from_environment(ENVIRONMENT | blank)
    assert settings.webhook_url is None


def test_the_resolution_window_may_be_0() -> None:
    assert SubmitSettings.from_environment(ENVIRONMENT | {"RESOLUTION_WINDOW_SECONDS": "0"}).resolution_window == 0


def test_a_full_batch_must_get_its_slots_in_one_invocation() -> None:
    # A paid call needs 40 of the 60 seconds, so 10 creates must get their slots in less than the other 20.
    settings = SubmitSettings.from_environment(ENVIRONMENT | {"CREATES_PER_MINUTE": "31"})
    assert settings.slot_wait == pytest.approx(600 / 31)
    with pytest.raises(InvalidSettings, match="BATCH_SIZE creates at CREATES_PER_MINUTE"):
        SubmitSettings.from_environment(ENVIRONMENT | {"CREATES_PER_MINUTE": "30"})


@pytest.mark.parametrize("name", MAY_BE_ZERO)
@pytest.mark.parametrize("value", ["-1", "1.5", "ten"])
def test_an_invalid_number_of_0_or_more_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=rf"^{name} must be a whole number of 0 or more$"):
        SubmitSettings.from_environment(ENVIRONMENT | {name: value})


@pytest.mark.parametrize(("function", "name"), VARIABLES)
@pytest.mark.parametrize("value", [None, " \t"], ids=["missing", "blank"])
def test_a_missing_variable_is_named(function: str, name: str, value: str | None) -> None:
    with pytest.raises(InvalidSettings, match=rf"^{name} is not set$"):
        read(function, **{name: value})


@pytest.mark.parametrize(("function", "name"), NUMBERED)
@pytest.mark.parametrize("value", ["0", "00", "-5", "+5", "1.5", "5s", "ten", "1_0", "\u0665", "\u00b2", "0x10"])
def test_an_invalid_number_is_named(function: str, name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=rf"^{name} must be a whole number above 0$"):
        read(function, **{name: value})


@pytest.mark.parametrize(
    ("function", "name", "wrong", "right", "rule"),
    [
        ("submit_song", "CREATE_DEADLINE_SECONDS", "50", "49", "CREATE_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS"),
        ("submit_song", "SETTLE_MARGIN_SECONDS", "30", "29", "CREATE_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS"),
        ("submit_song", "FUNCTION_TIMEOUT_SECONDS", "40", "41", "FUNCTION_TIMEOUT_SECONDS"),
        ("submit_song", "LEASE_SECONDS", "59", "60", "LEASE_SECONDS must be at least FUNCTION_TIMEOUT_SECONDS"),
        ("submit_song", "MAX_RECEIVE_COUNT", str(RESERVED_RECEIVES), str(RESERVED_RECEIVES + 1), "MAX_RECEIVE_COUNT"),
        ("submit_song", "RETRY_BASE_SECONDS", "901", "900", "RETRY_BASE_SECONDS must be at most RETRY_CAP_SECONDS"),
        ("track_song", "POLL_DEADLINE_SECONDS", "45", "44", "POLL_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS"),
        ("track_song", "CONNECT_TIMEOUT_SECONDS", "40", "39", "CONNECT_TIMEOUT_SECONDS + POLL_DEADLINE_SECONDS"),
        ("track_song", "SETTLE_MARGIN_SECONDS", "45", "44", "POLL_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS"),
        ("track_song", "FUNCTION_TIMEOUT_SECONDS", "25", "26", "no poll would ever begin"),
    ],
)
def test_a_broken_rule_is_named_and_its_bound_is_exact(
    function: str, name: str, wrong: str, right: str, rule: str
) -> None:
    read(function, **{name: right})
    with pytest.raises(InvalidSettings) as caught:
        read(function, **{name: wrong})
    assert rule in str(caught.value)


def test_all_broken_rules_are_named_together() -> None:
    with pytest.raises(InvalidSettings) as caught:
        SubmitSettings.from_environment(
            ENVIRONMENT | {"LEASE_SECONDS": "1", "RETRY_CAP_SECONDS": "1", "MAX_RECEIVE_COUNT": "1"}
        )
    assert all(name in str(caught.value) for name in ("LEASE_SECONDS", "RETRY_CAP_SECONDS", "MAX_RECEIVE_COUNT"))
