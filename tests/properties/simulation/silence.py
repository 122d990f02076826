"""The telemetry of a simulated function, which is discarded."""

import logging
from typing import TYPE_CHECKING, Final, cast

from song_intake.outgoing.telemetry import Telemetry

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics


class _Silence:
    def add_metric(self, *_: object) -> None:
        return

    def flush_metrics(self) -> None:
        return


_LOGGER: Final = logging.getLogger(__name__)
_LOGGER.setLevel(logging.CRITICAL)

SILENT: Final = Telemetry(cast("Logger", _LOGGER), cast("Metrics", _Silence()))
