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
from urllib3.connection import HTTPSConnection

from song_intake.domain.outcome import Created, Outcome, Retryable, Unknown
from song_intake.domain.reason import Reason
from song_intake.domain.task import NoAnswer, TaskState
from song_intake.domain.trace import Trace
from song_intake.music_api.answer import Answer
from song_intake.music_api.connecting import Connector
from song_intake.music_api.create import outcome_of
from song_intake.music_api.credits import Balance, balance_of
from song_intake.music_api.exchange import exchange
from song_intake.music_api.tls_stream import TlsStream

CREATE_PATH = "/api/v1/producer/create"
TASK_PATH = "/api/v1/producer/task/"
CREDITS_PATH = "/api/v1/get-credits"

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

    `connect_timeout` is the total for one connection: name lookup, every address that is tried, and the TLS handshake.
    `deadline` is the total for one call, from its first byte to the last of the answer. Both in seconds.
    """

    def __init__(self, origin: str, tls: ssl.SSLContext, connect_timeout: float, deadline: float) -> None:
        address = urlsplit(origin)
        beyond_the_host = (address.username, address.password, address.path, address.query, address.fragment)
        if address.scheme != "https" or not address.hostname or any(beyond_the_host):
            raise ValueError("the music API's origin must be https://host[:port]: the token is sent there")
        self._origin = origin
        self._host, self._port = address.hostname, address.port or 443
        self._connector = Connector(self._host, self._port, tls)
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
        try:
            stream = self._connector.connect(self._connect_timeout)
        except Exception as failure:  # noqa: BLE001 - by phase: every failure to connect means the same
            return Retryable(Reason.CANNOT_CONNECT, f"no connection to the music API ({type(failure).__name__})")
        return Connection(stream, HTTPSConnection(self._host, self._port), self._origin, self._deadline)

    def poll(self, task_id: str, token: str, trace: Trace | None = None) -> TaskState:
        """Ask for the state of one task. Returns within both limits, and never raises for what network or API did."""
        # submit_song never polls, and would pay 1 % of its cold start for this import.
        from song_intake.music_api.poll import state_of  # noqa: PLC0415

        answer = self._get(TASK_PATH + quote(task_id, safe=""), token, Reason.POLL_FAILED, trace)
        return answer if isinstance(answer, NoAnswer) else state_of(answer)

    def credits(self, token: str) -> Balance | NoAnswer:
        """Ask for the balance of the account. Likewise."""
        answer = self._get(CREDITS_PATH, token, Reason.BALANCE_UNKNOWN)
        return answer if isinstance(answer, NoAnswer) else balance_of(answer)

    def _get(self, path: str, token: str, failed: Reason, trace: Trace | None = None) -> Answer | NoAnswer:
        """`failed`: the reason if the exchange breaks off. Asking again is free, so every failure means the same."""
        connection = self.connect()
        if isinstance(connection, Retryable):
            return NoAnswer(connection.reason)
        try:
            with connection:
                return connection.get(path, token, trace)
        except Exception:  # noqa: BLE001 - whatever it was, asking again is free
            return NoAnswer(failed)


class Connection:
    """One open connection, good for one call."""

    def __init__(self, stream: TlsStream, connection: HTTPSConnection, origin: str, deadline: float) -> None:
        self._stream = stream
        self._connection = connection
        self._origin = origin
        self._deadline = deadline

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()
        self._stream.close()

    def create(self, body: bytes, token: str, trace: Trace | None = None) -> Outcome:
        """Ask for one song. Returns within the deadline, and never raises for what the network or the API did."""
        request = self._prepare("POST", CREATE_PATH, token, trace, body)
        try:
            received = exchange(self._stream, self._connection, request, self._deadline)
        except Exception as failure:  # noqa: BLE001 - by phase: from the first byte on, any failure leaves it open
            return Unknown(f"the call to the music API broke off after it was begun ({type(failure).__name__})")
        outcome = outcome_of(received.answer)
        # A task id is proof of a song, whatever surrounds it. A proof that there is none needs the whole answer.
        if received.is_whole or isinstance(outcome, Created):
            return outcome
        status = received.answer.status
        return Unknown(f"the music API answered {status}, but the answer may be cut or misread", status)

    def get(self, path: str, token: str, trace: Trace | None = None) -> Answer:
        """The whole answer to one GET. Raises whatever the exchange broke off with."""
        request = self._prepare("GET", path, token, trace)
        received = exchange(self._stream, self._connection, request, self._deadline)
        if not received.is_whole:
            raise ValueError("the answer may be cut or misread")
        return received.answer

    def _prepare(
        self, method: str, path: str, token: str, trace: Trace | None, body: bytes | None = None
    ) -> requests.PreparedRequest:
        request = _BLANK.copy()
        request.method, request.url = method, self._origin + path
        request.headers["Authorization"] = f"Bearer {token}"
        if trace:
            request.headers["traceparent"] = trace.next_traceparent
        request.prepare_body(body, None)
        return request
