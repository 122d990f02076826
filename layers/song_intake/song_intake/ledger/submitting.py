"""The ledger for submitting: who may send a create, and its outcome. One DynamoDB item per request.

The SDK repeats a write if the response is lost. If the condition then fails on a row with the intended status and this
claim's owner, the first write succeeded.

Ownership, not time, prevents a second create: a claim never changes its owner. The lease only determines from when
other deliveries may set the row to IN_DOUBT. So a wrong clock can cause an early doubt, but never a second create.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from song_intake.domain.outcome import Retryable
from song_intake.domain.reason import CLOSING, Reason
from song_intake.domain.status import Status
from song_intake.ledger.batches import LedgerBatches, OnRefused, not_reported
from song_intake.ledger.claim import Claim
from song_intake.ledger.row import TRANSIENT_ATTRIBUTES, Row, doubt_for, identity, identity_change, placeholders
from song_intake.ledger.table import Existing, LedgerTable, LedgerUnavailable, Written, row_in

if TYPE_CHECKING:
    from song_intake.contract.song_request import SongRequest
    from song_intake.domain.outcome import Refused, Unknown
    from song_intake.domain.trace import Trace
    from song_intake.ledger.row import Values

_NOT_CONFIRMED = Retryable(Reason.LEDGER_UNAVAILABLE, "DynamoDB did not confirm the claim")
_ABANDONED = "the function crashed or timed out during the create call, so the outcome is unknown"

# Of the values of a claim: the reasons of rejected rows that it must not take.
_CLOSED: Values = {f":{reason.lower()}": {"S": reason} for reason in sorted(CLOSING)}
_NOT_CLOSED = " AND ".join(f"reason <> {name}" for name in _CLOSED)

Window = Callable[["SongRequest"], float]
"""Seconds for which a webhook may settle a doubt about this request."""


class SubmissionStore:
    """Safe to share between threads. Every method raises LedgerUnavailable.

    lease: seconds after which a claim may count as abandoned; at least the function's timeout.
    on_refused: see LedgerBatches.

    If a method finds a claim with an expired lease, it sets the row to IN_DOUBT before it returns the row as Existing.
    """

    def __init__(self, table: LedgerTable, lease: float, window: Window, on_refused: OnRefused = not_reported) -> None:
        self.table = table
        self._batches = LedgerBatches(table, on_refused)
        self._lease = lease
        self._window = window

    def claim(
        self, request: SongRequest, message_id: str, first_message_id: str | None = None, trace: Trace | None = None
    ) -> Claim | Existing:
        """Claim the right to send, or return the row that prevents it.

        1. no row      the first claim of this request
        2. RETRYING    definitely not created; a retry of the same request
        3. REJECTED    definitely not created, and given up, but not for one of CLOSING; only another message may retry:
                       a redelivery of the rejected message only means that its acknowledgement was lost

        |- claim, lease starts -|- create: one paid call -|- settle -| ...      lease expired
        t0 ------------------------------------------------------------ t0 + lease --> IN_DOUBT, never claimed again
        """
        claim = Claim(request, uuid.uuid4().hex, has_token=request.task_token is not None, trace=trace)
        who = identity(request, message_id, first_message_id, trace)
        try:
            if self._first_claimed(claim, who):
                return claim
            result = self._claimed(claim, who)
        except LedgerUnavailable:
            # The claim may have been written nevertheless. Nothing was sent under it, so it need not become IN_DOUBT.
            with contextlib.suppress(LedgerUnavailable):
                self.record_retrying(claim, _NOT_CONFIRMED)
            raise
        if isinstance(result, Written) or _is_own(result, claim, Status.SUBMITTING):
            return claim.on(row_in(result))
        # Perhaps this claim, but set to IN_DOUBT before the SDK repeated the write: it no longer permits a create.
        return self.existing(result, request)

    def _first_claimed(self, claim: Claim, who: Values) -> bool:
        """Case 1 only, in one call with the claims of other threads."""
        values: Values = {
            "status": {"S": Status.SUBMITTING},
            "owner": {"S": claim.owner},
            "lease_until": {"N": f"{time.time() + self._lease:.3f}"},
            "attempt": {"N": "1"},
            **who,
        }
        if claim.request.task_token is not None:
            values["task_tokens"] = {"SS": [claim.request.task_token]}
        return self._batches.insert(claim.request.request_id, values)

    def _claimed(self, claim: Claim, who: Values) -> Written | Existing:
        return self.table.write(
            claim.request.request_id,
            set_=f"#status = :submitting, #owner = :owner, lease_until = :lease_until, {identity_change(who)}",
            remove="reason, detail, http_status, vendor_code, end_published, doubt_published",
            add="attempt :one",
            expires=False,
            condition=f"""attribute_not_exists(request_id)
                OR (#status = :retrying AND fingerprint = :fingerprint)
                OR (#status = :rejected AND message_id <> :message_id AND {_NOT_CLOSED})""",
            values={
                ":submitting": {"S": Status.SUBMITTING},
                ":retrying": {"S": Status.RETRYING},
                ":rejected": {"S": Status.REJECTED},
                **_CLOSED,
                ":owner": {"S": claim.owner},
                ":lease_until": {"N": f"{time.time() + self._lease:.3f}"},
                ":one": {"N": "1"},
                **placeholders(who),
            },
        )

    def record_task(self, request: SongRequest, task_id: str, claim: Claim | None = None) -> Written | Existing:
        """Record a task that the music API named, from any status and under any owner: a paid song must not get lost.

        Existing: the row already has a task, or belongs to another request.
        claim: the claim under which the song was created, if there was one. The task is then recorded in one call with
        the tasks of other threads, if possible.
        """
        if claim is not None and self._batches.record_task(request.request_id, claim.owner, task_id):
            return Written()
        result = self.table.write(
            request.request_id,
            set_="#status = :submitted, task_id = :task_id, fingerprint = :fingerprint",
            remove=TRANSIENT_ATTRIBUTES,
            condition="""attribute_not_exists(task_id)
                AND (attribute_not_exists(fingerprint) OR fingerprint = :fingerprint)""",
            values={
                ":submitted": {"S": Status.SUBMITTED},
                ":task_id": {"S": task_id},
                ":fingerprint": {"S": request.fingerprint},
            },
        )
        return self.existing(result, request) if isinstance(result, Existing) else result

    def record_retrying(self, claim: Claim, outcome: Retryable) -> Written | Existing:
        """SUBMITTING -> RETRYING."""
        return self._settle(claim, Status.RETRYING, outcome)

    def record_rejected(self, claim: Claim, outcome: Refused) -> Written | Existing:
        """SUBMITTING -> REJECTED."""
        return self._settle(claim, Status.REJECTED, outcome)

    def record_in_doubt(self, claim: Claim, outcome: Unknown) -> Written | Existing:
        """SUBMITTING -> IN_DOUBT. A webhook may settle the doubt within its window."""
        return self._settle(claim, Status.IN_DOUBT, outcome, doubt_for(self._window(claim.request)))

    def _settle(
        self, claim: Claim, status: Status, outcome: Retryable | Refused | Unknown, doubt: Values | None = None
    ) -> Written | Existing:
        """Only the owner of the claim may record its outcome, so a stale attempt changes nothing.

        IN_DOUBT is allowed too: another delivery may have found the lease expired while the create still ran.
        """
        values: Values = {
            ":reason": {"S": outcome.reason},
            ":detail": {"S": outcome.detail},
            **({} if outcome.http_status is None else {":http_status": {"N": str(outcome.http_status)}}),
            **({} if outcome.vendor_code is None else {":vendor_code": {"S": outcome.vendor_code}}),
            **(doubt or {}),
        }
        result = self.table.write(
            claim.request.request_id,
            set_="#status = :status, " + ", ".join(f"{name[1:]} = {name}" for name in values),
            remove="lease_until" if doubt else "lease_until, doubt, doubt_until",
            expires=doubt is None,
            condition="#owner = :owner AND #status IN (:submitting, :in_doubt)",
            values={
                ":status": {"S": status},
                ":owner": {"S": claim.owner},
                ":submitting": {"S": Status.SUBMITTING},
                ":in_doubt": {"S": Status.IN_DOUBT},
                **values,
            },
        )
        if isinstance(result, Written):
            return result
        return Written(result.row) if _is_own(result, claim, status) else self.existing(result, claim.request)

    def record_given_up(
        self,
        request: SongRequest,
        message_id: str,
        reason: Reason,
        detail: str,
        first_message_id: str | None = None,
        trace: Trace | None = None,
    ) -> Written | Existing:
        """(none) | RETRYING -> REJECTED: nothing was created, and this message is not retried."""
        who = identity(request, message_id, first_message_id, trace)
        result = self.table.write(
            request.request_id,
            set_=f"#status = :rejected, reason = :reason, detail = :detail, {identity_change(who)}",
            remove="http_status, vendor_code",
            condition="attribute_not_exists(request_id) OR (#status = :retrying AND fingerprint = :fingerprint)",
            values={
                ":rejected": {"S": Status.REJECTED},
                ":retrying": {"S": Status.RETRYING},
                ":reason": {"S": reason},
                ":detail": {"S": detail},
                **placeholders(who),
            },
        )
        return self.existing(result, request) if isinstance(result, Existing) else result

    def existing(self, result: Existing, request: SongRequest) -> Existing:
        """The row that exists. If its claim's lease has expired, the row is set to IN_DOUBT first."""
        row = row_in(result)
        if row.fingerprint != request.fingerprint or not row.lease_is_over():
            return result
        abandoned = self._record_abandoned(row, self._window(request))
        return Existing(abandoned.row) if isinstance(abandoned, Written) else self.existing(abandoned, request)

    def _record_abandoned(self, row: Row, window: float) -> Written | Existing:
        """SUBMITTING -> IN_DOUBT, by any delivery, after the lease.

        The condition requires the owner that was read: a claim made since then is another claim.
        """
        return self.table.write(
            row.request_id,
            set_="""#status = :in_doubt, reason = :reason, detail = :detail,
                doubt = :doubt, doubt_until = :doubt_until""",
            remove="lease_until",
            expires=False,
            condition="#status = :submitting AND #owner = :owner",
            values={
                ":in_doubt": {"S": Status.IN_DOUBT},
                ":submitting": {"S": Status.SUBMITTING},
                ":owner": {"S": row.owner or ""},
                ":reason": {"S": Reason.OUTCOME_UNKNOWN},
                ":detail": {"S": _ABANDONED},
                **doubt_for(window),
            },
        )


def _is_own(result: Existing, claim: Claim, status: Status) -> bool:
    """Whether this claim wrote the row: the first attempt of the write succeeded, and its response was lost."""
    return result.row is not None and (result.row.owner, result.row.status) == (claim.owner, status)
