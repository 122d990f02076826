"""Measures warm batches of all designs in one process. Each round has one batch of each design, so that other load on
the machine affects all designs alike.

    python -m tests.performance.warm_client PLAN.json SAMPLES.json
"""

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.performance import floor
from tests.performance.designs import MODULES, Design
from tests.performance.plain_music_api import without_tls
from tests.performance.samples import QUICK_LATENCY, Plan, Sample, Turn
from tests.performance.song_batch import Context, batch_of, titles_of
from tests.performance.stub import StubControl
from tests.performance.work import check

Handler = Callable[[Any, Any], Any]


def measure(plan: Plan) -> list[Sample]:
    control = StubControl(plan.port)
    designs = {turn.design for turns in plan.rounds for turn in turns} - {Design.API_CALL}
    handlers = {design: _handler(design) for design in sorted(designs)}
    for _ in range(plan.warm_up):
        for design in handlers:
            _measure_turn(Turn(design, QUICK_LATENCY), 0, plan, handlers, control)
    return [
        _measure_turn(turn, number, plan, handlers, control)
        for number, turns in enumerate(plan.rounds)
        for turn in turns
    ]


def _measure_turn(turn: Turn, number: int, plan: Plan, handlers: dict[Design, Handler], control: StubControl) -> Sample:
    control.latency(turn.latency)
    event = batch_of(1 if turn.design is Design.API_CALL else plan.batch_size)
    control.record()
    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    if turn.design is Design.API_CALL:
        floor.one_api_call(os.environ["RIVALS_API_ORIGIN"], None, json.loads(event["Records"][0]["body"]))
    else:
        handlers[turn.design](event, Context())
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    record = control.record()
    if turn.design is not Design.API_CALL:
        check(turn.design, titles_of(event), record)
    return Sample(turn.design, turn.latency, number, wall, cpu, record.calls.total())


def _handler(design: Design) -> Handler:
    if design is Design.FLOOR:
        return floor.from_environment()
    handler: Handler = importlib.import_module(MODULES[design]).handler
    return handler


if __name__ == "__main__":
    without_tls()
    samples = measure(Plan.of(json.loads(Path(sys.argv[1]).read_text())))
    Path(sys.argv[2]).write_text(json.dumps([asdict(sample) for sample in samples]))
