"""The trace of a request, from the two forms in which a caller may give it."""

import pytest

from song_intake.contract.sqs_message import Message, MessageAttribute, Origin
from song_intake.domain.reason import Reason
from song_intake.domain.trace import Trace
from song_intake.outgoing.attributes import MOST_ATTRIBUTES, attributes_of

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
TRACEPARENT = f"00-{ID}-{SPAN}-01"
ROOT = f"Root=1-{ID[:8]}-{ID[8:]}"
OTHER = "5759e988bd862e3fe1be46a994272793"
FIRST = "m-0"


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        (TRACEPARENT, Trace(ID, SPAN, "01")),
        (f"00-{ID}-{SPAN}-00", Trace(ID, SPAN, "00")),
        (f"00-{ID}-{SPAN}-ff", Trace(ID, SPAN, "ff")),
        (None, None),
        ("", None),
        (ID, None),
        (TRACEPARENT.upper(), None),
        (f" {TRACEPARENT}", None),
        (f"{TRACEPARENT}\n", None),
        (f"{TRACEPARENT}-extra", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{ID}-{'0' * 16}-01", None),
        (f"01-{ID}-{SPAN}-01", None),
        (f"00-{ID[:-1]}-{SPAN}-01", None),
        (f"00-{ID}-{SPAN[:-1]}-01", None),
        (f"00-{ID[:-1]}٣-{SPAN}-01", None),
        (f"00-{ID}-{SPAN}-01" + "0" * 1_000_000, None),
        (ROOT, None),
    ],
)
def test_a_traceparent_counts_only_in_its_exact_form(text: str | None, trace: Trace | None) -> None:
    assert Trace.of_traceparent(text) == trace


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        (ROOT, Trace(ID)),
        (f"{ROOT};Parent={SPAN};Sampled=1", Trace(ID, SPAN, "01")),
        (f"Sampled=0;Parent={SPAN};{ROOT}", Trace(ID, SPAN, "00")),
        (f"{ROOT};Parent={SPAN};Sampled=1;Lineage=1:a8f1:0", Trace(ID, SPAN, "01")),
        (f"{ROOT};Parent={SPAN};Sampled=?", Trace(ID, SPAN)),
        (f"{ROOT};Parent=odd;Sampled", Trace(ID)),
        (f"{ROOT};Parent={'0' * 16}", Trace(ID)),
        (None, None),
        ("", None),
        (f"Root={ID}", None),
        (ROOT.replace("1-", "2-"), None),
        (ROOT.replace("Root", "root"), None),
        (f"Root=1-{ID[:8].upper()}-{ID[8:]}", None),
        (f"Root=1-{ID[:8]}-{ID[8:-1]}", None),
        (f"Root=1-{'0' * 8}-{'0' * 24}", None),
        (f" {ROOT}", None),
        (f"{ROOT}\n", None),
        (f"{ROOT}=", None),
        (ROOT + ";" * 1_000_000, None),
        (TRACEPARENT, None),
    ],
)
def test_a_header_of_aws_counts_only_with_a_root_in_its_exact_form(text: str | None, trace: Trace | None) -> None:
    assert Trace.of_xray_header(text) == trace


@pytest.mark.parametrize("odd", [None, 7, "", ID[:-1], ID.upper(), "0" * 32, f"{ID}\n", [ID]])
def test_no_other_value_is_the_id_of_a_trace(odd: object) -> None:
    assert Trace.of_id(odd) is None
    assert Trace.of_id(ID) == Trace(ID)


def test_the_caller_s_step_is_passed_on_unchanged_and_each_call_is_a_step_of_its_own() -> None:
    trace = Trace(ID, SPAN, "00")
    assert trace.traceparent == f"00-{ID}-{SPAN}-00"
    calls = [Trace.of_traceparent(trace.next_traceparent) for _ in range(2)]
    assert all(call is not None and (call.trace_id, call.flags) == (ID, "00") for call in calls)
    assert len({SPAN, *(call.span_id for call in calls if call)}) == 3


def test_a_trace_that_does_not_say_so_is_recorded_by_the_vendor_and_undecided_for_aws() -> None:
    assert Trace(ID).next_traceparent.endswith("-01")
    assert Trace(ID).xray_header == ROOT
    assert Trace(ID, SPAN, "00").xray_header == f"{ROOT};Sampled=0"
    assert Trace(ID, SPAN, "03").xray_header == f"{ROOT};Sampled=1"


def message(
    traceparent: str | None = None, xray_header: str | None = None, origin: Origin | None = None, **texts: str
) -> Message:
    texts |= {"traceparent": traceparent} if traceparent else {}
    attributes: dict[str, MessageAttribute] = {
        name: {"dataType": "String", "stringValue": text} for name, text in texts.items()
    }
    return Message("m-1", "receipt", "{}", 1, 100.0, attributes, xray_header=xray_header, origin=origin)


SENT_ANEW = Origin(Reason.PACED, FIRST, sent_anew_for=FIRST)
REDRIVEN = Origin(Reason.REFUSED, FIRST)


@pytest.mark.parametrize(
    ("given", "trace_id"),
    [
        (message(), None),
        (message(TRACEPARENT), ID),
        (message(xray_header=f"Root=1-{OTHER[:8]}-{OTHER[8:]}"), OTHER),
        (message(TRACEPARENT, f"Root=1-{OTHER[:8]}-{OTHER[8:]}"), ID),
        (message("odd", f"Root=1-{OTHER[:8]}-{OTHER[8:]}"), OTHER),
        (message("odd", "odd"), None),
        (message(TRACEPARENT, origin=REDRIVEN), ID),
        # Of the function that sent it: the SDK adds that to every call of a function.
        (message(xray_header=f"Root=1-{OTHER[:8]}-{OTHER[8:]}", origin=REDRIVEN), None),
    ],
)
def test_the_trace_of_a_message_is_its_traceparent_or_else_that_of_sqs(given: Message, trace_id: str | None) -> None:
    assert (given.trace.trace_id if given.trace else None) == trace_id


def attributes(given: Message, own: int) -> dict[str, str]:
    sent = attributes_of(given, {f"own_{number}": "text" for number in range(own)}, given.trace)
    return {name: attribute["StringValue"] for name, attribute in sent.items()}


def test_a_message_that_the_stack_sends_has_the_trace_of_the_one_that_it_copies() -> None:
    assert attributes(message(TRACEPARENT), own=2)["traceparent"] == TRACEPARENT
    header = f"Root=1-{OTHER[:8]}-{OTHER[8:]};Parent={SPAN};Sampled=0"
    assert attributes(message(xray_header=header), own=2)["traceparent"] == f"00-{OTHER}-{SPAN}-00"
    assert attributes(message("the caller's own"), own=2)["traceparent"] == "the caller's own"
    assert "traceparent" not in attributes(message(), own=2)


def test_the_trace_comes_before_the_caller_s_other_attributes_and_after_the_stack_s_own() -> None:
    others = {f"tenant_{number}": "blue" for number in range(10)}
    kept = attributes(message(TRACEPARENT, None, None, **others), own=MOST_ATTRIBUTES - 1)
    assert kept["traceparent"] == TRACEPARENT
    assert len(kept) == MOST_ATTRIBUTES
    assert "traceparent" not in attributes(message(TRACEPARENT), own=MOST_ATTRIBUTES)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (message(), 100.0),
        (message(first_sent_at="40000"), 100.0),
        (message(first_sent_at="40000", origin=REDRIVEN), 100.0),
        (message(first_sent_at="40000", origin=SENT_ANEW), 40.0),
        (message(origin=SENT_ANEW), 100.0),
        (message(first_sent_at="200000", origin=SENT_ANEW), 100.0),
        (message(first_sent_at="-1", origin=SENT_ANEW), 100.0),
        (message(first_sent_at="9" * 400, origin=SENT_ANEW), 100.0),
    ],
)
def test_the_time_of_the_first_sending_outlasts_the_wait_for_a_slot_but_no_redrive(
    given: Message, seconds: float
) -> None:
    assert given.first_sent_at == seconds
