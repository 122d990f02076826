"""An operator who cancels requests, with the real resolve_song and nothing that goes wrong."""

from typing import cast

from song_intake.app.resolve import ResolveSettings, resolve_song
from song_intake.work.resolution import DecisionRefused
from tests.properties.simulation.bus import Bus, SimulatedEvents
from tests.properties.simulation.clients import SimulatedClients
from tests.properties.simulation.dynamodb import SimulatedDynamoDb, Table
from tests.properties.simulation.faults import Fault, Step, Steps
from tests.properties.simulation.queues import CHECKS_URL, Deliveries
from tests.properties.simulation.silence import SILENT
from tests.properties.simulation.vendor import SECRET_ID, SimulatedMusicApi, Vendor


class _Calm(Steps):
    def before(self, step: Step) -> Fault | None:
        return None


def cancels(request_id: str, table: Table, bus: Bus) -> bool:
    """Whether the cancel is confirmed."""
    settings = ResolveSettings(
        music_api_origin="https://music.invalid",
        api_token_secret_arn=SECRET_ID,
        ledger_table="ledger",
        keep_days=90,
        song_checks_queue_url=CHECKS_URL,
        event_bus_name="bus",
        connect_timeout=5,
        poll_deadline=10,
        first_check=15,
        lease=75,
        function_timeout=60,
        ca_bundle=None,
    )
    clients = SimulatedClients(dynamodb=SimulatedDynamoDb(_Calm(), table), events=SimulatedEvents(_Calm(), bus))
    # A cancel does not ask it.
    music_api = SimulatedMusicApi(cast("Deliveries", _Calm()), Vendor())
    try:
        answer = resolve_song(settings, clients, SILENT, music_api).handle({"request_id": request_id, "cancel": True})
    except DecisionRefused:
        return False
    return answer["is_cancelled"] is True
