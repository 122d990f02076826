"""The template as it is, but for what one machine needs: where the code lies, and which runtime starts it.

AWS's own Runtime Interface Client runs the handlers, in the interpreter of the caller. That interpreter already has the
dependencies, at the very versions that the layer pins, so only the project's own code is packed, and frozen_runtime.py,
which starts the client.
"""

import io
import shlex
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tests.local.cloud import frozen_runtime
from tests.local.recordings import network

Resource = dict[str, Any]
Template = dict[str, Any]

LOCAL_RUNTIME = "provided.al2023"  # "a program of yours named bootstrap": the one runtime that is the same everywhere
RUNTIME = Path(frozen_runtime.__file__)
EXECUTABLE = 0o755


@dataclass(frozen=True, slots=True)
class LocalTemplate:
    """A template whose code locations point to `archives`, zip files by their key in the artifact bucket."""

    body: Template
    archives: dict[str, bytes]


def localise(template: Path, bucket: str, prefix: str) -> LocalTemplate:
    """The SAM template in `template` with its code packed under `s3://{bucket}/{prefix}/`, as `sam package` does."""
    body: Template = yaml_parse(template.read_text())
    archives = {f"{prefix}/{name}.zip": archive for name, archive in _packed(body, template.parent)}
    for name, resource in body["Resources"].items():
        location = f"s3://{bucket}/{prefix}/{name}.zip"
        match resource["Type"]:
            case "AWS::Serverless::Function":
                resource["Properties"].update(CodeUri=location, Runtime=LOCAL_RUNTIME)
            case "AWS::Serverless::LayerVersion":
                resource["Properties"].update(ContentUri=location)
    return LocalTemplate(body, archives)


def _packed(body: Template, root: Path) -> Iterator[tuple[str, bytes]]:
    for name, resource in body["Resources"].items():
        match resource["Type"]:
            case "AWS::Serverless::Function":
                yield name, _pack_function(resource, body, root)
            case "AWS::Serverless::LayerVersion":
                yield name, _zip(dict(_files_in(root / resource["Properties"]["ContentUri"])))


def _pack_function(function: Resource, body: Template, root: Path) -> bytes:
    """The function's folder, the packages of its layers beside it (ministack mounts no layers), and the bootstrap."""
    shared: Resource = body.get("Globals", {}).get("Function", {})
    properties: Resource = function["Properties"]
    files: dict[str, bytes] = {}
    for reference in [*shared.get("Layers", []), *properties.get("Layers", [])]:
        layer = body["Resources"][reference["Ref"]]
        files.update(_packages_in(root / layer["Properties"]["ContentUri"]))
    files.update(_files_in(root / (properties.get("CodeUri") or shared["CodeUri"])))
    for module in (RUNTIME, Path(network.__file__)):
        files[module.name] = module.read_bytes()
    files["bootstrap"] = _bootstrap(properties.get("Runtime") or shared["Runtime"])
    return _zip(files)


def _packages_in(layer: Path) -> Iterator[tuple[str, bytes]]:
    for name, content in _files_in(layer):
        package, *inside = name.split("/")
        if inside and (layer / package / "__init__.py").exists():
            yield name, content


def _files_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    if not folder.is_dir():
        raise NotADirectoryError(folder)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _bootstrap(runtime: str) -> bytes:
    """Lambda's managed Python runtime, as a script. Libraries tell by AWS_EXECUTION_ENV that they run on Lambda."""
    script = f"""#!/bin/sh
cd "$LAMBDA_TASK_ROOT"
export AWS_EXECUTION_ENV=AWS_Lambda_{runtime}
exec {shlex.quote(sys.executable)} {RUNTIME.name} "$_HANDLER"
"""
    return script.encode()


def _zip(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = EXECUTABLE << 16
            writer.writestr(entry, content)
    return archive.getvalue()
