import re
from pathlib import Path
from typing import Any

import pytest

from tests.template.built_layer import build, make, source_of, without_fresh_bytecode
from tests.template.transformed import PROJECT, resources_of, shipped

LAYERS = ("DependenciesLayer", "SongIntakeLayer")
FOR_CALLERS = "SongClientLayer"


@pytest.fixture(scope="module")
def song_intake_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("SongIntakeLayer", tmp_path_factory.mktemp("SongIntakeLayer"))


def layer_versions() -> dict[str, dict[str, Any]]:
    """The properties of each layer by its name in the template."""
    # SAM makes a new logical id for each new content, which is the given one and a hash.
    layers = resources_of("AWS::Lambda::LayerVersion")
    return {re.sub(r"[0-9a-f]{10}$", "", logical_id): layer for logical_id, layer in layers.items()}


def test_every_function_has_the_layers_of_the_functions() -> None:
    assert list(layer_versions()) == [*LAYERS, FOR_CALLERS]
    references = [{"Ref": logical_id} for logical_id in resources_of("AWS::Lambda::LayerVersion")]
    for function in resources_of("AWS::Lambda::Function").values():
        assert function["Layers"] == references[:-1]


def test_the_layer_for_callers_is_one_module_for_every_architecture(tmp_path: Path) -> None:
    assert layer_versions()[FOR_CALLERS]["CompatibleArchitectures"] == ["arm64", "x86_64"]
    layer = build(FOR_CALLERS, tmp_path)
    assert [path.relative_to(layer) for path in layer.rglob("*.*")] == [Path("python/song_client.py")]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_for_the_architecture_and_the_runtime_of_the_functions(layer: str) -> None:
    properties = layer_versions()[layer]
    assert (properties["CompatibleArchitectures"], properties["CompatibleRuntimes"]) == (["arm64"], ["python3.13"])
    for function in resources_of("AWS::Lambda::Function").values():
        assert (function["Architectures"], function["Runtime"]) == (["arm64"], "python3.13")


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_built_for_the_architecture_it_claims(layer: str) -> None:
    # Without BuildArchitecture, SAM builds for x86_64 and only logs a warning.
    assert shipped()["Resources"][layer]["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}


def test_two_stacks_of_an_account_have_layers_of_their_own() -> None:
    names = [layer["LayerName"]["Fn::Sub"] for layer in layer_versions().values()]
    assert names == [f"${{AWS::StackName}}-{name}" for name in ("dependencies", "song-intake", "song-client")]


def test_the_song_intake_layer_holds_the_package_and_the_contract_only(song_intake_layer: Path) -> None:
    layer = song_intake_layer
    package = PROJECT / "layers/song_intake/song_intake"
    built = {str(path.relative_to(layer)) for path in layer.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    shipped_suffixes = {".py", ".json", ".typed"}
    expected = {
        f"python/song_intake/{path.relative_to(package)}"
        for path in package.rglob("*")
        if path.is_file() and path.suffix in shipped_suffixes
    }
    assert built == expected
    assert "python/song_intake/contract/song_request.schema.json" in built


def test_the_song_intake_layer_includes_the_bytecode_of_every_module(song_intake_layer: Path) -> None:
    # A function cannot write it: its disk is read-only.
    assert without_fresh_bytecode(song_intake_layer / "python") == []


def test_the_same_source_makes_the_same_bytecode_wherever_it_is_built(song_intake_layer: Path, tmp_path: Path) -> None:
    again = build("SongIntakeLayer", tmp_path)
    bytecode = {path.relative_to(again): path.read_bytes() for path in again.rglob("*.pyc")}
    assert bytecode == {path: (song_intake_layer / path).read_bytes() for path in bytecode}
    assert all(b"/opt/python/song_intake/" in code for code in bytecode.values())


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_not_built_with_bytecode_that_the_runtime_cannot_read(layer: str, tmp_path: Path) -> None:
    run = make(layer, tmp_path, runtime_version="3.5")
    assert run.returncode != 0
    assert "Python 3.5, the runtime of the functions, is required to compile the layers" in run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_compiled_for_the_runtime_of_the_functions(layer: str) -> None:
    makefile = (source_of(layer) / "Makefile").read_text(encoding="utf-8")
    (version,) = re.findall(r"^RUNTIME_VERSION \?= (\S+)$", makefile, flags=re.MULTILINE)
    assert shipped()["Globals"]["Function"]["Runtime"] == f"python{version}"


def test_every_dependency_is_pinned_for_every_platform_with_its_hashes() -> None:
    # pip reads a marker for the Python that builds the layer, not for the one of the function.
    pins = re.sub(r"\\\n", " ", (source_of("DependenciesLayer") / "requirements.txt").read_text(encoding="utf-8"))
    requirements = [line for line in pins.splitlines() if line and not line.lstrip().startswith("#")]
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==[0-9a-z.]+\s+--hash=sha256:", requirement), requirement
