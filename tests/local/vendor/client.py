"""A client of the stand-in, for tests of the stand-in itself."""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

import requests

from tests.local.vendor.music_vendor import CREDITS_PATH, MusicVendor
from tests.local.vendor.record import CREATE_PATH, TASK_PATH

TITLE: Final = "Night Train"
SONG: Final[dict[str, object]] = {
    "task_type": "create_music",
    "title": TITLE,
    "sound": "blues, très lent",
    "lyrics": "[Verse 1]\nWheels and rain",
}


class VendorClient:
    """Uses one of the tokens of `vendor`, and requests `SONG` with additional `fields`. Timeouts are in seconds."""

    def __init__(self, vendor: MusicVendor, **fields: object) -> None:
        self._vendor = vendor
        self._song = {**SONG, **fields}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(vendor.ca_bundle)
        self._session.headers["Authorization"] = f"Bearer {next(iter(vendor.tokens))}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def create(self, *, timeout: float = 5, stream: bool = False, **fields: object) -> requests.Response:
        """Requests a song with these fields in place of the client's; a field that is None is left out."""
        return self._post(fields, timeout, stream=stream)

    def task(self, **fields: object) -> str:
        """The task_id of a song that this call creates."""
        task_id: str = self._post(fields).json()["task_id"]
        return task_id

    def poll(self, task_id: str, *, token: str | None = None, timeout: float = 5) -> requests.Response:
        """Polls with the client's token or with another one."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self._session.get(self._vendor.origin + TASK_PATH + task_id, headers=headers, timeout=timeout)

    def balance(self) -> requests.Response:
        return self._session.get(self._vendor.origin + CREDITS_PATH, timeout=5)

    def _post(self, fields: Mapping[str, object], timeout: float = 5, *, stream: bool = False) -> requests.Response:
        body = {name: value for name, value in {**self._song, **fields}.items() if value is not None}
        url = self._vendor.origin + CREATE_PATH
        return self._session.post(url, data=json.dumps(body), timeout=timeout, stream=stream)
