"""The account at the music API, asked over the wire."""

from song_intake.credits_answer import Balance
from song_intake.music_api import Line
from song_intake.reason import Reason
from song_intake.task_state import NotTold
from tests.conftest import TOKEN
from tests.integration.bench import Bench
from tests.integration.switching import account_of
from tests.local.vendor.music_vendor import CREDITS_PATH


def test_the_balance_is_what_the_vendor_says(bench: Bench) -> None:
    bench.vendor.credits = 120
    assert account_of(bench).balance() == Balance(120, 0)
    (asked,) = bench.vendor.requests
    assert (asked.method, asked.path, asked.body) == ("GET", CREDITS_PATH, b"")


def test_the_token_is_read_afresh_every_time(bench: Bench) -> None:
    account = account_of(bench)
    account.balance()
    bench.vendor.tokens.clear()
    assert account.balance() == NotTold(Reason.TOKEN_REFUSED, 401)
    bench.vendor.tokens.add("fresh-token")
    bench.secrets.put_secret_value(SecretId=bench.secret_id, SecretString="fresh-token")
    assert account.balance() == Balance(bench.vendor.credits, 0)


def test_without_a_token_nobody_is_asked(bench: Bench) -> None:
    assert account_of(bench, secret_id="no-such-secret").balance() == NotTold(Reason.TOKEN_UNAVAILABLE)
    assert bench.vendor.requests == ()


def test_without_a_connection_the_balance_is_not_told(bench: Bench) -> None:
    bench.vendor.refuse_connections()
    assert account_of(bench).balance() == NotTold(Reason.CANNOT_CONNECT)


def test_an_answer_that_breaks_off_tells_no_balance(bench: Bench) -> None:
    line = account_of(bench).music_api.connect()
    assert isinstance(line, Line)
    with line:
        # What a peer's reset comes to.
        line._connection.sock.close()
        assert line.credits(TOKEN) == NotTold(Reason.BALANCE_UNKNOWN)
