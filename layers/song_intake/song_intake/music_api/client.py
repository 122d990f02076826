"""The music API's client. What can be known of a create is decided by phase, never by the class of an exception:
a TLS error or a reset can come after the API read the request, and then a song may exist.

    connect   DNS, TCP, TLS: nothing of the request is on the wire    -> a Connection, or Retryable
    create    from the first byte on                                  -> what a complete response proves, else Unknown
    poll      free and harmless to repeat; connects itself            -> the state of the task, else NoAnswer
    credits   likewise                                                -> the balance, else NoAnswer

One fixed https origin, no redirects, no retries, no proxies or credentials from the environment, and a fresh connection
for each create: one that was kept while the function was frozen may be dead in a way that only shows after sending.
"""

import ssl
from copy import copy
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection

from song_intake.domain.outcome import Outcome, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer, TaskState
from song_intake.music_api.answer import Answer
from song_intake.music_api.create import outcome_of
from song_intake.music_api.credits import Balance, balance_of
from song_intake.music_api.deadline import Deadline, DeadlineSocket
from song_intake.music_api.poll import state_of

CREATE_PATH = "/api/v1/producer/create"
TASK_PATH = "/api/v1/producer/task/"
CREDITS_PATH = "/api/v1/get-credits"

# An answer to a create is a few hundred bytes; a finished task repeats the lyrics with each clip. More than this is not
# the API's, and must not fill the function's memory.
LARGEST_ANSWER_BYTES = 64 * 1024
LARGEST_TASK_BYTES = 1024 * 1024

# What every request has in common, prepared once: a fifth of the CPU that a create takes.
_BLANK = requests.Request(
    "GET",
    "https://nobody.invalid",
    headers={
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "song-intake",
        "Connection": "close",
    },
).prepare()


class MusicApi:
    """Opens connections to the API. Safe to share between threads.

    `deadline` is the total for one call, from its first byte to the last of the answer; both times in seconds.
    """

    def __init__(self, origin: str, tls: ssl.SSLContext, connect_timeout: float, deadline: float) -> None:
        address = urlsplit(origin)
        beyond_the_host = (address.username, address.password, address.path, address.query, address.fragment)
        if address.scheme != "https" or not address.hostname or any(beyond_the_host):
            raise ValueError("the music API's origin must be https://host[:port]: the token is sent there")
        self._origin = origin
        self._host, self._port = address.hostname, address.port or 443
        self._tls = tls
        self._connect_timeout = connect_timeout
        self._deadline = deadline

    def within(self, seconds: float) -> Self:
        """The same API, with limits under which connecting and one call together take at most so many seconds."""
        limited = copy(self)
        limited._connect_timeout = min(self._connect_timeout, seconds / 2)  # noqa: SLF001 - a copy of this object
        limited._deadline = min(self._deadline, seconds / 2)  # noqa: SLF001
        return limited

    def connect(self) -> "Connection | Retryable":
        """An open connection with its TLS handshake done. Whatever fails here, nothing was requested."""
        connection = HTTPSConnection(self._host, self._port, timeout=self._connect_timeout, ssl_context=self._tls)
        try:
            connection.connect()
        except Exception as failure:  # noqa: BLE001 - by phase: every failure to connect means the same
            connection.close()
            return Retryable(Reason.CANNOT_CONNECT, f"no connection to the music API ({type(failure).__name__})")
        return Connection(connection, self._origin, self._deadline)

    def poll(self, task_id: str, token: str) -> TaskState:
        """Ask for the state of one task. Returns within both limits, and never raises for what network or API did."""
        answer = self._get(TASK_PATH + quote(task_id, safe=""), token, LARGEST_TASK_BYTES, Reason.POLL_FAILED)
        return answer if isinstance(answer, NoAnswer) else state_of(answer)

    def credits(self, token: str) -> Balance | NoAnswer:
        """Ask for the balance of the account. Likewise."""
        answer = self._get(CREDITS_PATH, token, LARGEST_ANSWER_BYTES, Reason.BALANCE_UNKNOWN)
        return answer if isinstance(answer, NoAnswer) else balance_of(answer)

    def _get(self, path: str, token: str, largest: int, failed: Reason) -> Answer | NoAnswer:
        """`failed`: the reason if the exchange breaks off. Asking again is free, so every failure means the same."""
        connection = self.connect()
        if isinstance(connection, Retryable):
            return NoAnswer(connection.reason)
        try:
            with connection:
                return connection.get(path, token, largest)
        except Exception:  # noqa: BLE001 - whatever it was, asking again is free
            return NoAnswer(failed)


class Connection:
    """One open connection, good for one call."""

    def __init__(self, connection: HTTPSConnection, origin: str, deadline: float) -> None:
        self._connection = connection
        self._origin = origin
        self._deadline = deadline

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def create(self, body: bytes, token: str) -> Outcome:
        """Ask for one song. Returns within the deadline, and never raises for what the network or the API did."""
        request = self._prepare("POST", CREATE_PATH, token, body)
        try:
            answer = self._exchange(request, LARGEST_ANSWER_BYTES)
        except Exception as failure:  # noqa: BLE001 - by phase: from the first byte on, any failure leaves it open
            return Unknown(f"the call to the music API broke off after it was begun ({type(failure).__name__})")
        return outcome_of(answer)

    def get(self, path: str, token: str, largest: int) -> Answer:
        """The complete response to one GET. Raises whatever the exchange broke off with."""
        return self._exchange(self._prepare("GET", path, token), largest)

    def _prepare(self, method: str, path: str, token: str, body: bytes | None = None) -> requests.PreparedRequest:
        request = _BLANK.copy()
        request.method, request.url = method, self._origin + path
        request.headers["Authorization"] = f"Bearer {token}"
        request.prepare_body(body, None)
        return request

    def _exchange(self, request: requests.PreparedRequest, largest: int) -> Answer:
        connected = self._connection.sock
        self._connection.sock = DeadlineSocket(connected, Deadline(self._deadline))
        response = _OpenConnection(self._connection).send(request)
        body = response.raw.read(largest + 1, decode_content=True)
        if len(body) > largest:
            raise ValueError("the answer is larger than any answer of the API")
        return Answer(response.status_code, body, response.headers.get("Retry-After"))


class _OpenConnection(HTTPAdapter):
    """A transport adapter that sends on a connection opened beforehand.

    requests' own adapter connects and sends in one call, which hides from its caller whether anything was sent. Used
    without a Session, since a Session reads a redirect's body whole, however large, even when it is not to follow it.
    """

    def __init__(self, connection: HTTPSConnection) -> None:
        super().__init__(pool_connections=0, pool_maxsize=0, max_retries=0)
        self._connection = connection

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        self._connection.request(
            request.method or "POST",
            request.path_url,
            body=request.body,
            headers=request.headers,
            preload_content=False,
            decode_content=False,
        )
        return self.build_response(request, self._connection.getresponse())
