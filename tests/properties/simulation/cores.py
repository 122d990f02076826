"""A core for each process of a campaign. Threads that run in turns use one core, so two such processes share none."""

import multiprocessing
import os
from multiprocessing.queues import Queue


def cores() -> "Queue[int]":
    """The cores that this process may use, for `take_a_core` in as many processes."""
    found: Queue[int] = multiprocessing.Queue()
    for core in _usable():
        found.put(core)
    return found


def count_of_cores() -> int:
    return len(_usable())


def take_a_core(free: "Queue[int]") -> None:
    """Run this process on one core of the queue. More processes than cores share what the system gives them."""
    if not hasattr(os, "sched_setaffinity") or free.empty():
        return
    os.sched_setaffinity(0, {free.get()})


def _usable() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
