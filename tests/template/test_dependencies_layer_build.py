"""The dependencies layer, built as `sam build` builds it: the one test of this folder that downloads (20 MB)."""

import json
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import botocore
import pytest

from song_intake.aws.clients import AUTHORITIES, MODELS
from tests.conftest import TOKEN
from tests.local.vendor.music_vendor import MusicVendor
from tests.template.built_layer import build, source_of, without_fresh_bytecode

pytestmark = pytest.mark.slow

AARCH64 = 0xB7  # e_machine, the 16 bits at byte 18 of every ELF file

# Its Makefile says why.
LEFT_OUT = "charset-normalizer"

CREATE_AND_POLL = """import sys
sys.path[:0] = sys.argv[4:]
import song_intake.app.cold_start
import json, ssl
from song_intake.music_api.client import MusicApi
origin, ca_bundle, token = sys.argv[1:4]
api = MusicApi(origin, ssl.create_default_context(cafile=ca_bundle), 10, 10)
with api.connect() as connection:
    created = connection.create(b'{"task_type": "create_music", "title": "Night Train", "sound": "slow blues"}', token)
state = api.poll(created.task_id, token)
print(json.dumps([created.task_id, type(state).__name__, "charset_normalizer" in sys.modules]))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the function has on its path as /opt/python."""
    layer = build("DependenciesLayer", tmp_path_factory.mktemp("DependenciesLayer"))
    assert [path.name for path in layer.iterdir()] == ["python"]
    return layer / "python"


def test_every_binary_is_for_the_processor_of_the_function(site: Path) -> None:
    binaries = {path.name: path.read_bytes() for path in site.rglob("*.so*")}
    assert any(name.startswith("jsonschema_rs") for name in binaries)
    machines = {name: (code[:4], int.from_bytes(code[18:20], "little")) for name, code in binaries.items()}
    assert set(machines.values()) == {(b"\x7fELF", AARCH64)}, machines


def test_the_layer_holds_all_that_is_pinned_but_one_package(site: Path) -> None:
    pins = (source_of("DependenciesLayer") / "requirements.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", pins, flags=re.MULTILINE))
    built = {found.name.lower().replace("_", "-"): found.version for found in distributions(path=[str(site)])}
    assert pinned.pop(LEFT_OUT)
    assert built == pinned


def test_a_song_is_created_and_polled_with_what_the_layer_holds(site: Path, vendor: MusicVendor) -> None:
    # Any warning is an error, since a function would log it at each start.
    command = [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", CREATE_AND_POLL]
    command += [vendor.origin, str(vendor.ca_bundle), TOKEN, str(site), str(source_of("SongIntakeLayer"))]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    (create,) = vendor.creates
    assert json.loads(run.stdout) == [create.task_id, "Succeeded", False]


def test_the_layer_holds_no_tests_or_scripts(site: Path) -> None:
    untidy = {"tests", "bin"}
    assert [str(path) for path in site.rglob("*") if path.name in untidy] == []


def test_the_layer_includes_the_bytecode_of_every_module(site: Path) -> None:
    assert without_fresh_bytecode(site) == []


def test_the_service_data_is_where_the_clients_read_it(site: Path) -> None:
    assert MODELS.parent == Path(botocore.__file__).parents[1]
    assert (site / MODELS.name / "endpoints.json").is_file()
    assert (site / "botocore").is_dir()


def test_every_authority_of_certifi_is_where_the_functions_read_it(site: Path) -> None:
    bundle = (site / "certifi" / "cacert.pem").read_text(encoding="utf-8")
    files = list((site / AUTHORITIES.name).iterdir())
    assert len(files) == bundle.count("BEGIN CERTIFICATE")
    assert all(path.read_text(encoding="ascii") in bundle for path in files)


def test_the_layer_is_well_below_lambdas_size_limit(site: Path) -> None:
    # 250 MB for all layers and the function: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 100_000_000
