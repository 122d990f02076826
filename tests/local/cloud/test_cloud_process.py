"""The local cloud as a process: it starts cleanly or says why, and leaves nothing behind."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.cloud.cloud import HOST, PROJECT, Cloud, CloudFailed, PortTaken
from tests.local.cloud.probe_stack import JOURNAL, deploy_probe
from tests.local.waiting import wait_for


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)), Cloud(tmp_path, port=port):
            pass


def test_a_cloud_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(CloudFailed, match="ValueError"), Cloud(tmp_path, {"GATEWAY_PORT": "no number"}):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_cloud_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    cloud, journal = Cloud(tmp_path, {JOURNAL: str(tmp_path / "journal")}), tmp_path / "journal"
    with pytest.raises(KeyboardInterrupt):
        _invoke_and_interrupt(cloud, journal)
    assert cloud.function_process_ids() == []
    assert not _listens(cloud.port)
    assert list(tmp_path.iterdir()) == [journal]


def _invoke_and_interrupt(cloud: Cloud, journal: Path) -> None:
    with cloud:
        probe = deploy_probe(cloud, journal, "probe")
        probe.wait_for_deliveries(probe.order("succeed"), 1)
        assert len(cloud.function_process_ids()) == 1
        raise KeyboardInterrupt


def test_the_cloud_ends_with_a_killed_parent(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from tests.local.cloud.cloud import Cloud
with Cloud(Path({str(tmp_path)!r})) as cloud:
    print(cloud.port, flush=True)
    input()
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        port = int(parent.stdout.readline())
        assert _listens(port)
        parent.send_signal(signal.SIGKILL)
    wait_for(lambda: not _listens(port), "the orphaned cloud to end")


def test_a_cloud_listens_on_no_fixed_port_and_forgets_everything_at_a_reset(tmp_path: Path) -> None:
    """Beside its own port ministack would take 443 (TLS, as root) and 8883 (MQTT)."""
    with Cloud(tmp_path) as cloud:
        assert [_listens(port) for port in (cloud.port, 443, 8883)] == [True, False, False]
        sqs = cloud.client("sqs")
        sqs.create_queue(QueueName="forgotten")
        cloud.reset()
        assert sqs.list_queues().get("QueueUrls", []) == []


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
