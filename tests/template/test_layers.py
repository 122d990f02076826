import re
from pathlib import Path

import pytest

from tests.template.built_layer import build, source_of
from tests.template.transformed import PROJECT, resources_of, shipped

LAYERS = ("DependenciesLayer", "SongIntakeLayer")


def test_every_function_takes_the_dependencies_and_the_package() -> None:
    layers = resources_of("AWS::Lambda::LayerVersion")
    for function in resources_of("AWS::Lambda::Function").values():
        assert function["Layers"] == [{"Ref": layer} for layer in layers]
    # SAM makes a new logical id for each new content, which is the given one and a hash.
    assert [re.sub(r"[0-9a-f]{10}$", "", layer) for layer in layers] == list(LAYERS)


@pytest.mark.parametrize("layer", resources_of("AWS::Lambda::LayerVersion").values(), ids=LAYERS)
def test_a_layer_is_for_the_architecture_and_the_runtime_of_the_functions(layer: dict[str, object]) -> None:
    assert (layer["CompatibleArchitectures"], layer["CompatibleRuntimes"]) == (["arm64"], ["python3.13"])
    for function in resources_of("AWS::Lambda::Function").values():
        assert (function["Architectures"], function["Runtime"]) == (["arm64"], "python3.13")


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_built_for_the_architecture_it_claims(layer: str) -> None:
    # Without BuildArchitecture, SAM builds for x86_64 and says so in one line of warning.
    assert shipped()["Resources"][layer]["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}


def test_two_stacks_of_an_account_have_layers_of_their_own() -> None:
    names = [layer["LayerName"] for layer in resources_of("AWS::Lambda::LayerVersion").values()]
    assert names == [{"Fn::Sub": "${AWS::StackName}-dependencies"}, {"Fn::Sub": "${AWS::StackName}-song-intake"}]


def test_the_song_intake_layer_holds_the_package_and_the_contract_only(tmp_path: Path) -> None:
    layer = build("SongIntakeLayer", tmp_path)
    package = PROJECT / "layers/song_intake/song_intake"
    built = {str(path.relative_to(layer)) for path in layer.rglob("*") if path.is_file()}
    shipped_suffixes = {".py", ".json", ".typed"}
    expected = {
        f"python/song_intake/{path.relative_to(package)}"
        for path in package.rglob("*")
        if path.is_file() and path.suffix in shipped_suffixes
    }
    assert built == expected
    assert "python/song_intake/song_request.schema.json" in built


def test_every_dependency_is_pinned_for_every_platform_with_its_hashes() -> None:
    # pip reads a marker for the Python that builds the layer, not for the one of the function.
    pins = re.sub(r"\\\n", " ", (source_of("DependenciesLayer") / "requirements.txt").read_text(encoding="utf-8"))
    requirements = [line for line in pins.splitlines() if line and not line.lstrip().startswith("#")]
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==[0-9a-z.]+\s+--hash=sha256:", requirement), requirement
