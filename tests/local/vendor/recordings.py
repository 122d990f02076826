"""The stand-in's host of recordings: an HTTPS server on loopback with short generated audio under every path."""

from collections.abc import Mapping
from typing import Final

import trustme

from tests.local.recordings.host import Handler, RecordingHost, m4a, sends, wav
from tests.local.recordings.network import ROUTES

CDN: Final = "cdn.example"
"""The host in the links of the clips."""

_RECORDINGS: Final = {"wav": wav()}
_USUAL: Final = m4a()


class _AnyPath(Handler):
    """What has no answer of its own is a recording. An m4a is named .mp3, as the real API does."""

    def do_GET(self) -> None:  # noqa: N802 - as http.server names it
        kind = self.path.rpartition(".")[2]
        self.host.answers.setdefault(self.path, sends(_RECORDINGS.get(kind, _USUAL), content_type="audio/mpeg"))
        super().do_GET()


def recording_host(authority: trustme.CA) -> RecordingHost:
    """The host, which serves inside its context. Its `answers` by path come before the usual one."""
    return RecordingHost(authority, CDN, handler=_AnyPath)


def routes_to(host: RecordingHost) -> Mapping[str, str]:
    """The environment by which the functions of the local cloud find the host."""
    return {ROUTES: f"{CDN}={host.port}"}
