"""The environment variables of a design: those of submit_song in the template, with the addresses of the stubs."""

import os
from collections.abc import Mapping
from typing import Any

from tests.performance.stub import PROJECT, StubProcess
from tests.template.transformed import parameter_defaults, shipped

SOURCES = (PROJECT / "functions/submit_song", PROJECT / "layers/song_intake")


def environment(stub: StubProcess, *, tls: bool, batch_size: int) -> dict[str, str]:
    """Without TLS, AWS and the alternatives' music API use plain HTTP; plain_music_api does that for this handler."""
    scheme, port = ("https", stub.tls_port) if tls else ("http", stub.plain_port)
    return {
        **{name: _value(value, name) for name, value in _of_the_template().items()},
        "BATCH_SIZE": str(batch_size),
        # Not paced: otherwise only the pace would be measured.
        "CREATES_PER_MINUTE": "0",
        "MUSIC_API_ORIGIN": f"https://127.0.0.1:{port}",
        "RIVALS_API_ORIGIN": f"{scheme}://127.0.0.1:{port}",
        "AWS_ENDPOINT_URL": f"{scheme}://127.0.0.1:{port}",
        **{f"{name}_QUEUE_URL": f"{scheme}://127.0.0.1:{port}/1/{name}" for name in _QUEUES},
        "WEBHOOK_URL": "https://hooks.example",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIABENCHBENCHBENCH0",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": os.environ["PATH"],
        **({name: str(stub.ca_bundle) for name in _BUNDLES} if tls else {}),
    }


_QUEUES = ("SONG_REQUESTS", "SONG_CHECKS", "DEAD_LETTER")
_BUNDLES = ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


def _of_the_template() -> Mapping[str, Any]:
    template = shipped()
    shared: Mapping[str, Any] = template["Globals"]["Function"]["Environment"]["Variables"]
    own: Mapping[str, Any] = template["Resources"]["SubmitSong"]["Properties"]["Environment"]["Variables"]
    return {**shared, **own}


def _value(value: object, name: str) -> str:
    """The default of a parameter, also of one that is used only without a pace. Other values of CloudFormation are
    replaced by the name of their variable.
    """
    match value:
        case {"Fn::If": [_, _, {"Ref": str()} as unpaced]}:
            return _value(unpaced, name)
        case {"Ref": str(parameter)} if parameter in parameter_defaults():
            return str(parameter_defaults()[parameter])
        case str():
            return value
        case _:
            return name.lower()
