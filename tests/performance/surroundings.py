"""The environment variables of a design: those of submit_song in the template, with the addresses of the stubs."""

import os

from tests.performance.stub import PROJECT, StubProcess
from tests.template.transformed import properties

SOURCES = (PROJECT / "functions/submit_song", PROJECT / "layers/song_intake")


def environment(stub: StubProcess, *, tls: bool, batch_size: int, creates_per_minute: int = 0) -> dict[str, str]:
    """Without TLS, AWS and the alternatives' music API use plain HTTP; plain_music_api does that for this handler.

    creates_per_minute: with a pace, the wall time of a batch is that of its slots.
    """
    variables = properties("SubmitSong", CreatesPerMinute=creates_per_minute)["Environment"]["Variables"]
    scheme, port = ("https", stub.tls_port) if tls else ("http", stub.plain_port)
    return {
        **{name: _value(value, name) for name, value in variables.items()},
        "BATCH_SIZE": str(batch_size),
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


def _value(value: object, name: str) -> str:
    """What only CloudFormation knows (an ARN, a URL) is the name of its variable."""
    return name.lower() if isinstance(value, dict) else str(value)
