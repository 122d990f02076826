"""The parts of switch_intake, without Lambda. The mapping is simulated, since a bench has none."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from song_intake.admission.switch import IntakeSwitch
from song_intake.admission.switch_state import IntakeStateStore
from song_intake.app.switch import SwitchSettings, switch_intake
from tests.integration.bench import Bench

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(slots=True)
class SimulatedMappings:
    """Lambda's side of the client, with one mapping. It refuses changes while `busy`. `meanwhile` runs before one."""

    state: str = "Enabled"
    busy: bool = False
    denied: bool = False
    changes: list[bool] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None

    def settle(self) -> None:
        """A change that is under way ends: on AWS it takes up to a minute."""
        self.state = self.state.replace("ing", "ed")

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        assert UUID == "the-mapping"
        return {"State": self.state}

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> dict[str, str]:  # noqa: N803
        if self.busy or self.denied:
            code = "AccessDeniedException" if self.denied else "ResourceInUseException"
            error = {"Error": {"Code": code, "Message": "simulated"}}
            raise ClientError(error, "UpdateEventSourceMapping")  # type: ignore[arg-type]
        if self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        self.changes.append(Enabled)
        self.state = "Enabling" if Enabled else "Disabling"
        return self.get_event_source_mapping(UUID=UUID)


def store_of(bench: Bench, dynamodb: "DynamoDBClient | None" = None) -> IntakeStateStore:
    return IntakeStateStore(dynamodb or bench.dynamodb, bench.table)


def switch_of(
    bench: Bench,
    mappings: SimulatedMappings,
    store: IntakeStateStore | None = None,
    secret_id: str | None = None,
    origin: str | None = None,
    signing_key_id: str | None = None,
    creates_per_day: int = 0,
) -> IntakeSwitch:
    """Built as switch_intake builds it, with the mapping simulated."""
    settings = SwitchSettings(
        music_api_origin=origin or bench.vendor.origin,
        api_token_secret_arn=secret_id or bench.secret_id,
        signing_key_secret_arn=signing_key_id or bench.signing_key_id,
        ledger_table=bench.table,
        intake_mapping_uuid="the-mapping",
        connect_timeout=1,
        poll_deadline=1,
        creates_per_day=creates_per_day,
        ca_bundle=None,
    )
    switch = switch_intake(settings, bench.clients(**{"lambda": mappings}), bench.telemetry)
    return replace(switch, store=store) if store else switch
