"""A function with a wrong configuration does not start, and says which variable and which rule."""

import pytest

from song_intake.settings import RECEIVES_HELD_BACK, InvalidSettings, Settings

TEXTS = {
    "MUSIC_API_ORIGIN": "https://api.example.com",
    "API_TOKEN_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:token",
    "LEDGER_TABLE": "ledger",
    "SONG_REQUESTS_QUEUE_URL": "https://sqs.example.com/requests",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.example.com/dead-letters",
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
}
ENVIRONMENT = TEXTS | NUMBERS


def test_the_environment_is_read_whole() -> None:
    assert Settings.from_environment(ENVIRONMENT | {"SOMETHING_ELSE": "x"}) == Settings(
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
        ca_bundle=None,
    )


def test_what_follows_from_the_settings_is_worked_out_in_one_place() -> None:
    settings = Settings.from_environment(ENVIRONMENT)
    assert (settings.paid_call, settings.last_try) == (40, 8 - RECEIVES_HELD_BACK)


@pytest.mark.parametrize(("value", "bundle"), [("/ca.pem", "/ca.pem"), ("", None)])
def test_a_private_authority_may_be_named(value: str, bundle: str | None) -> None:
    assert Settings.from_environment(ENVIRONMENT | {"SSL_CERT_FILE": value}).ca_bundle == bundle


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_variable_is_named(name: str) -> None:
    rest = {other: value for other, value in ENVIRONMENT.items() if other != name}
    with pytest.raises(InvalidSettings, match=rf"^{name} is not set$"):
        Settings.from_environment(rest)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_blank_variable_counts_as_missing(name: str) -> None:
    with pytest.raises(InvalidSettings, match=rf"^{name} is not set$"):
        Settings.from_environment(ENVIRONMENT | {name: " \t"})


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["0", "00", "-5", "+5", "1.5", "5s", "ten", "1_0", "\u0665", "\u00b2", "0x10"])
def test_a_number_that_is_none_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=rf"^{name} must be a whole number above 0$"):
        Settings.from_environment(ENVIRONMENT | {name: value})


@pytest.mark.parametrize(
    ("name", "wrong", "right", "told"),
    [
        ("CREATE_DEADLINE_SECONDS", "50", "49", "CREATE_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS"),
        ("SETTLE_MARGIN_SECONDS", "30", "29", "CREATE_DEADLINE_SECONDS + SETTLE_MARGIN_SECONDS"),
        ("FUNCTION_TIMEOUT_SECONDS", "40", "41", "FUNCTION_TIMEOUT_SECONDS"),
        ("LEASE_SECONDS", "59", "60", "LEASE_SECONDS must be at least FUNCTION_TIMEOUT_SECONDS"),
        ("MAX_RECEIVE_COUNT", str(RECEIVES_HELD_BACK), str(RECEIVES_HELD_BACK + 1), "MAX_RECEIVE_COUNT"),
        ("RETRY_BASE_SECONDS", "901", "900", "RETRY_BASE_SECONDS must be at most RETRY_CAP_SECONDS"),
    ],
)
def test_a_broken_rule_is_told_and_its_bound_is_exact(name: str, wrong: str, right: str, told: str) -> None:
    Settings.from_environment(ENVIRONMENT | {name: right})
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_environment(ENVIRONMENT | {name: wrong})
    assert told in str(caught.value)


def test_every_broken_rule_is_told_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_environment(
            ENVIRONMENT | {"LEASE_SECONDS": "1", "RETRY_CAP_SECONDS": "1", "MAX_RECEIVE_COUNT": "1"}
        )
    assert all(name in str(caught.value) for name in ("LEASE_SECONDS", "RETRY_CAP_SECONDS", "MAX_RECEIVE_COUNT"))
