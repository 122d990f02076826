"""Addresses whose MAC does not belong to their request; percent signs are as in the request line."""

from collections.abc import Callable
from typing import Final

from tests.local.webhooks.forger import Forger


def _path(forger: Forger, *, request_id: str | None = None, mac: str | None = None) -> str:
    genuine = forger.genuine
    return f"/{genuine.request_id if request_id is None else request_id}/{genuine.mac if mac is None else mac}"


def _one_digit_off(forger: Forger) -> str:
    return forger.one_digit_off(forger.genuine.mac.encode()).decode()


PATHS: Final[dict[str, Callable[[Forger], str]]] = {
    "with a random mac": lambda forger: _path(forger, mac=forger.hexadecimal(len(forger.genuine.mac)).decode()),
    "with a mac one digit off": lambda forger: _path(forger, mac=_one_digit_off(forger)),
    "with a mac cut short": lambda forger: _path(forger, mac=forger.genuine.mac[: forger.random.randint(1, 20)]),
    "with a mac too long": lambda forger: _path(forger, mac=forger.genuine.mac + "0"),
    "with the signature's mac": lambda forger: _path(forger, mac=forger.genuine.sign(forger.genuine.body).decode()),
    "of another request": lambda forger: _path(forger, request_id=f"song-{forger.random.randrange(10**6)}"),
    "of a longer request_id": lambda forger: _path(forger, request_id=forger.genuine.request_id + "1"),
    "of a shorter request_id": lambda forger: _path(forger, request_id=forger.genuine.request_id[:-1] or "0"),
    "of a request_id of 5 KB": lambda forger: _path(forger, request_id="a" * 5000),
    "swapped": lambda forger: f"/{forger.genuine.mac}/{forger.genuine.request_id}",
    "without mac": lambda forger: f"/{forger.genuine.request_id}",
    "with nothing": lambda _: "/",
    "with more behind": lambda forger: _path(forger) + "/" + forger.genuine.mac,
    "with more before": lambda forger: "/default" + _path(forger),
    "climbing": lambda forger: f"/{forger.genuine.request_id}/%2e%2e%2f{forger.genuine.mac}",
    "climbing, encoded twice": lambda forger: f"/{forger.genuine.request_id}/%252e%252e%252f{forger.genuine.mac}",
    "climbing in overlong UTF-8": lambda forger: f"/{forger.genuine.request_id}/%c0%ae%c0%ae{forger.genuine.mac}",
    "to a file": lambda forger: f"/..%2f..%2fetc%2fpasswd/{forger.genuine.mac}",
    "with a NUL behind the mac": lambda forger: _path(forger) + "%00",
    "with a NUL behind the request_id": lambda forger: _path(forger, request_id=forger.genuine.request_id + "%00"),
    "with a space": lambda forger: _path(forger, request_id=forger.genuine.request_id + "%20"),
    "with a line end": lambda forger: _path(forger) + "%0d%0aX-Webhook-Id:%201",
    "with a mac beyond ASCII": lambda forger: _path(forger, mac="%c3%a9" + forger.genuine.mac[1:]),
    "in bytes that are no UTF-8": lambda forger: _path(forger, mac="%ff%fe" + forger.genuine.mac[2:]),
    "in half an encoding": lambda forger: _path(forger) + "%2",
    "encoded three times": lambda forger: _path(
        forger, mac="%2525" + f"{ord(forger.genuine.mac[0]):x}" + forger.genuine.mac[1:]
    ),
    "with a parameter": lambda forger: _path(forger) + ";mac=" + forger.genuine.mac,
    "with the mac in the query": lambda forger: f"/{forger.genuine.request_id}/x?mac={forger.genuine.mac}",
}
