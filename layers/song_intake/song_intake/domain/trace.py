"""The trace of a request: the id under which its caller, the music API and the readers of events find the same work.

A caller gives it in one of two forms. Both are text from outside: one that is not exactly in its form does not count,
and never makes a request invalid. A request without one has no trace: an id that nobody else knows connects nothing.
https://www.w3.org/TR/trace-context/#traceparent-header
https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

from __future__ import annotations

import os
from typing import Self

from song_intake.domain.frozen import frozen

# Checked before anything reads the text. Our choice: AWS's own headers are shorter than 200 characters.
_LONGEST_HEADER = 512

_HEXADECIMAL = frozenset("0123456789abcdef")
_TRACE_ID_DIGITS, _SPAN_ID_DIGITS, _FLAGS_DIGITS = 32, 16, 2
# AWS writes the id in two parts. The first one is a time, if AWS made the id.
_ROOT_DIGITS = (8, 24)
_FLAGS_OF_SAMPLED = {"0": "00", "1": "01"}

# The flags of a trace that does not say whether it is recorded. Our choice: recorded.
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
        match _parts(text, "-"):
            case ["00", trace_id, span_id, flags] if (
                _is_id(trace_id, _TRACE_ID_DIGITS)
                and _is_id(span_id, _SPAN_ID_DIGITS)
                and _is_hex(flags, _FLAGS_DIGITS)
            ):
                return cls(trace_id, span_id, flags)
            case _:
                return None

    @classmethod
    def of_xray_header(cls, text: str | None) -> Self | None:
        """The trace in AWS's `Root=1-...-...;Parent=...;Sampled=...`; None for any other text."""
        fields = dict(field.partition("=")[::2] for field in _parts(text, ";"))
        match fields.get("Root", "").split("-"):
            case ["1", first, second] if (len(first), len(second)) == _ROOT_DIGITS:
                span_id, sampled = fields.get("Parent", ""), fields.get("Sampled", "")
                known_span_id = span_id if _is_id(span_id, _SPAN_ID_DIGITS) else None
                trace = cls(first + second, known_span_id, _FLAGS_OF_SAMPLED.get(sampled))
                return trace if _is_id(trace.trace_id, _TRACE_ID_DIGITS) else None
            case _:
                return None

    @classmethod
    def of_id(cls, trace_id: object) -> Self | None:
        """The trace with this id; None for what is no id of a trace."""
        return cls(trace_id) if isinstance(trace_id, str) and _is_id(trace_id, _TRACE_ID_DIGITS) else None

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


def _parts(text: str | None, separator: str) -> list[str]:
    return text.split(separator) if text and len(text) <= _LONGEST_HEADER else []


def _is_id(text: str, digits: int) -> bool:
    """Zeros alone are no id."""
    return _is_hex(text, digits) and text.strip("0") != ""


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and _HEXADECIMAL.issuperset(text)


def _new_span_id() -> str:
    # Zeros alone, which are no id, come once in 2^64 times.
    return os.urandom(_SPAN_ID_DIGITS // 2).hex()
