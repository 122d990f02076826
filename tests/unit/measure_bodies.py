"""Judges each costly body in a process of its own, and prints its cost as JSON: {name: [milliseconds, MiB, rules]}.

The process is forked from one that has loaded the contract and no more, so a measurement takes milliseconds. Its memory
is the peak that the kernel reports when the process has ended, interpreter included.
"""

import json
import os
import sys
import time

from song_intake.contract.song_request import InvalidRequest, SongRequest
from tests.unit.costly_bodies import all_bodies, in_envelopes

# https://man7.org/linux/man-pages/man2/getrusage.2.html; macOS counts bytes.
_UNITS_A_MIB = 1024 if sys.platform == "linux" else 1024 * 1024


def measured(body: str) -> tuple[float, float, list[str]]:
    """The CPU time of the costliest envelope in milliseconds, the peak of memory in MiB, and the rules that broke."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, json.dumps(_judged(body)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        milliseconds, rules = json.loads(answer.read())
    _, _, usage = os.wait4(child, 0)
    return milliseconds, usage.ru_maxrss / _UNITS_A_MIB, rules


def _judged(body: str) -> tuple[float, list[str]]:
    worst, rules = 0.0, set()
    for message in in_envelopes(body):
        began = time.process_time()
        rules |= _rules_broken_by(message)
        worst = max(worst, time.process_time() - began)
    return worst * 1000, sorted(rules)


def _rules_broken_by(message: str) -> set[str]:
    try:
        SongRequest.parse(message, "message-1")
    except InvalidRequest as invalid:
        str(invalid)
        return {error.rule for error in invalid.errors}
    return set()


if __name__ == "__main__":
    _judged('{"unknown":1}')  # what the first judgement loads
    json.dump({name: measured(body) for name, body in all_bodies()}, sys.stdout)
