"""What switch_intake is made of, without Lambda; the mapping is simulated, since a bench has none."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from aws_lambda_powertools import Logger, Metrics
from botocore.exceptions import ClientError

from song_intake.account import Account
from song_intake.intake_mapping import IntakeMapping
from song_intake.intake_memory import IntakeMemory
from song_intake.intake_switch import IntakeSwitch
from song_intake.music_api import MusicApi
from song_intake.telemetry import Telemetry
from tests.integration.bench import Bench

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient


@dataclass(slots=True)
class SimulatedMappings:
    """Lambda's end of the client, with one mapping. While `busy`, it takes no change; `meanwhile` comes before one."""

    state: str = "Enabled"
    busy: bool = False
    changes: list[bool] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        assert UUID == "the-mapping"
        return {"State": self.state}

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> dict[str, str]:  # noqa: N803
        if self.busy:
            error = {"Error": {"Code": "ResourceInUseException", "Message": "simulated"}}
            raise ClientError(error, "UpdateEventSourceMapping")  # type: ignore[arg-type]
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        self.changes.append(Enabled)
        self.state = "Enabling" if Enabled else "Disabling"
        return self.get_event_source_mapping(UUID=UUID)


def account_of(bench: Bench, secret_id: str | None = None, origin: str | None = None) -> Account:
    music_api = MusicApi(origin or bench.vendor.origin, bench.tls, 1, 1)
    return Account(music_api, bench.secrets, secret_id or bench.secret_id)


def memory_of(bench: Bench, dynamodb: "DynamoDBClient | None" = None) -> IntakeMemory:
    return IntakeMemory(dynamodb or bench.dynamodb, bench.table)


def switch_of(
    bench: Bench, mappings: SimulatedMappings, account: Account | None = None, memory: IntakeMemory | None = None
) -> IntakeSwitch:
    logger = Logger(service=bench.table, stream=bench.log)
    return IntakeSwitch(
        account=account or account_of(bench),
        memory=memory or memory_of(bench),
        mapping=IntakeMapping(cast("LambdaClient", mappings), "the-mapping"),
        telemetry=Telemetry(logger, Metrics(namespace="SongIntake", service=bench.table)),
    )
