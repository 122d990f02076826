"""The dependencies layer, built as `sam build` builds it: the one test of this folder that downloads (20 MB)."""

import re
from importlib.metadata import distributions
from pathlib import Path

import botocore
import pytest

from song_intake.aws.clients import AUTHORITIES, MODELS
from tests.template.built_layer import build, source_of, without_fresh_bytecode

AARCH64 = 0xB7  # e_machine, the 16 bits at byte 18 of every ELF file


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


def test_the_layer_holds_what_is_pinned_and_nothing_else(site: Path) -> None:
    pins = (source_of("DependenciesLayer") / "requirements.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", pins, flags=re.MULTILINE))
    built = {found.name.lower().replace("_", "-"): found.version for found in distributions(path=[str(site)])}
    assert built == pinned


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
