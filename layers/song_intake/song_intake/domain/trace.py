"""The trace of a request: the id under which its caller, the music API and the readers of events find the same work.

A caller gives it in one of two forms. Both are text from outside: one that is not exactly in its form does not count,
and never makes a request invalid. A request without one has no trace: an id that nobody else knows connects nothing.
https://www.w3.org/TR/trace-context/#traceparent-header
https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

from __future__ import annotations

import os
import re
from typing import Self

from song_intake.domain.frozen import frozen

# Checked before a pattern sees the text. Our choice: AWS's own headers are shorter than 200 characters.
_LONGEST_HEADER = 512

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_FLAGS_OF_SAMPLED = {"0": "00", "1": "01"}

# What a trace says that does not say whether it is recorded. Our choice: recorded.
_RECORDED = "01"


@frozen
class Trace:
    trace_id: str
    """32 hexadecimal digits, in lower case."""
    span_id: str | None = None
    """The caller's step of the trace, as 16 digits, if it is known."""
    flags: str | None = None
    """Two hexadecimal digits, of which the lowest bit says whether the trace is recorded; None if it is not known."""

    @classmethod
    def of_traceparent(cls, text: str | None) -> Self | None:
        """The trace in a W3C `traceparent`; None for any other text."""
        match = _TRACEPARENT.fullmatch(text) if text and len(text) <= _LONGEST_HEADER else None
        if match is None or not int(match[1], 16) or not int(match[2], 16):
            return None
        return cls(*match.groups())

    @classmethod
    def of_xray_header(cls, text: str | None) -> Self | None:
        """The trace in AWS's `Root=...;Parent=...;Sampled=...`; None for any other text."""
        if not text or len(text) > _LONGEST_HEADER:
            return None
        fields = dict(field.partition("=")[::2] for field in text.split(";"))
        root = _ROOT.fullmatch(fields.get("Root", ""))
        if root is None or not int(root[1] + root[2], 16):
            return None
        span_id = fields.get("Parent", "")
        is_span = _SPAN_ID.fullmatch(span_id) is not None and int(span_id, 16) != 0
        return cls(root[1] + root[2], span_id if is_span else None, _FLAGS_OF_SAMPLED.get(fields.get("Sampled", "")))

    @classmethod
    def of_id(cls, trace_id: object) -> Self | None:
        """The trace with this id; None for what is no id of a trace."""
        return cls(trace_id) if isinstance(trace_id, str) and _is_trace_id(trace_id) else None

    @property
    def traceparent(self) -> str:
        """The same step of the trace."""
        return f"00-{self.trace_id}-{self.span_id or _new_span_id()}-{self.flags or _RECORDED}"

    @property
    def next_traceparent(self) -> str:
        """A step of the trace that has not been named before."""
        return f"00-{self.trace_id}-{_new_span_id()}-{self.flags or _RECORDED}"

    @property
    def xray_header(self) -> str:
        """The trace as AWS's services read it. It says whether the trace is recorded only if the caller said so."""
        root = f"Root=1-{self.trace_id[:8]}-{self.trace_id[8:]}"
        return root if self.flags is None else f"{root};Sampled={int(self.flags, 16) & 1}"


def _is_trace_id(text: str) -> bool:
    return _TRACE_ID.fullmatch(text) is not None and int(text, 16) != 0


def _new_span_id() -> str:
    # An id of zeros is none, and comes once in 2^64 times.
    return os.urandom(8).hex()
