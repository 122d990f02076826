"""The ledger of submitting: who may send a create, and what became of it. One DynamoDB item a request.

The SDK sends a write again when its answer is lost; a failed condition that shows the state we meant to write, under
our own owner, is that first write.

Creates are bounded by ownership, not by time: a claim is never taken over. The lease only says when others may stop
hoping and call it IN_DOUBT, so a wrong clock can make a doubt too early but never a second create.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from song_intake.ledger_row import Row, Status
from song_intake.ledger_statements import LedgerStatements
from song_intake.ledger_table import LedgerTable, LedgerUnavailable, Standing
from song_intake.ledger_values import IDENTITY, doubt_for, identity, placeholders
from song_intake.outcome import NotSent
from song_intake.reason import Reason

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from song_intake.ledger_table import Values, Written
    from song_intake.outcome import Refused, Unknown
    from song_intake.song_request import SongRequest

# What a row carries only while it waits, is in doubt or was rejected: gone with the next status.
PASSING = "reason, detail, http_status, vendor_code, lease_until, doubt, doubt_until"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one create for this request. `owner` is unique to it."""

    request: SongRequest
    owner: str


class Ledger:
    """The rows of one table. Safe to share between threads.

    lease: seconds that a claim may live, at least the function's time-out. keep_days: see LedgerTable.
    """

    def __init__(self, dynamodb: DynamoDBClient, table: str, lease: float, keep_days: int) -> None:
        self._table = LedgerTable(dynamodb, table, keep_days)
        self._statements = LedgerStatements(self._table)
        self._lease = lease

    def claim(self, request: SongRequest, message_id: str) -> Claim | Row:
        """Take the right to send, or be shown the row that stands in the way.

        1. no row      nobody has asked for it yet
        2. RETRYING    proved not created; the same request tries again
        3. REJECTED    proved not created and given up; only another message may try again (a redrive has a new id),
                       since a redelivery of the rejected one only says that its acknowledgement was lost

        |- claim, lease starts -|- create: one foreign call -|- settle -| ...      lease over
        t0 --------------------------------------------------------------- t0 + lease --> IN_DOUBT, never claimed again
        """
        claim = Claim(request, uuid.uuid4().hex)
        try:
            if self._first_claimed(claim, message_id):
                return claim
            standing = self._claimed(claim, message_id)
        except LedgerUnavailable:
            # It may have been written all the same. Nothing was sent under it, so it need not end in doubt.
            with contextlib.suppress(LedgerUnavailable):
                self.retrying(claim, _NOT_CLAIMED)
            raise
        if standing is None or (standing.owner == claim.owner and standing.status is Status.SUBMITTING):
            return claim
        # Ours too, perhaps, but judged abandoned before the SDK sent it again: no right to send any more.
        return standing

    def _first_claimed(self, claim: Claim, message_id: str) -> bool:
        """Case 1 alone, in one call with the other claims of the moment."""
        values: Values = {
            "status": {"S": Status.SUBMITTING},
            "owner": {"S": claim.owner},
            "lease_until": {"N": f"{time.time() + self._lease:.3f}"},
            "attempt": {"N": "1"},
            **identity(claim.request, message_id),
        }
        return self._statements.created(claim.request.request_id, values)

    def _claimed(self, claim: Claim, message_id: str) -> Row | None:
        request = claim.request
        return _standing(
            self._table.write(
                request.request_id,
                set_=f"""#status = :submitting, #owner = :owner, lease_until = :lease_until, {IDENTITY}""",
                remove="reason, detail, http_status, vendor_code",
                add="attempt :one",
                condition="""attribute_not_exists(request_id)
                    OR (#status = :retrying AND fingerprint = :fingerprint)
                    OR (#status = :rejected AND message_id <> :message_id)""",
                values={
                    ":submitting": {"S": Status.SUBMITTING},
                    ":retrying": {"S": Status.RETRYING},
                    ":rejected": {"S": Status.REJECTED},
                    ":owner": {"S": claim.owner},
                    ":lease_until": {"N": f"{time.time() + self._lease:.3f}"},
                    ":one": {"N": "1"},
                    **placeholders(identity(request, message_id)),
                },
            )
        )

    def submitted(self, request: SongRequest, task_id: str, claim: Claim | None = None) -> Row | None:
        """Record a task that the music API named, from any status and whoever claimed: a paid song is never forgotten.

        None when written; else the row, which names a task already or belongs to another request. With the claim under
        which it was created, it is recorded in one call with the other songs of the moment, where that can be.
        """
        if claim is not None and self._statements.submitted(request.request_id, claim.owner, task_id):
            return None
        return _standing(
            self._table.write(
                request.request_id,
                set_="#status = :submitted, task_id = :task_id, fingerprint = :fingerprint",
                remove=PASSING,
                condition="""attribute_not_exists(task_id)
                    AND (attribute_not_exists(fingerprint) OR fingerprint = :fingerprint)""",
                values={
                    ":submitted": {"S": Status.SUBMITTED},
                    ":task_id": {"S": task_id},
                    ":fingerprint": {"S": request.fingerprint},
                },
            )
        )

    def another_task(self, request_id: str, task_id: str) -> None:
        """See LedgerTable.another_task."""
        self._table.another_task(request_id, task_id)

    def retrying(self, claim: Claim, outcome: NotSent) -> Row | None:
        """SUBMITTING -> RETRYING. None when done; else the row that stands in the way."""
        return self._settle(claim, Status.RETRYING, outcome)

    def rejected(self, claim: Claim, outcome: Refused) -> Row | None:
        """SUBMITTING -> REJECTED. None when done; else the row that stands in the way."""
        return self._settle(claim, Status.REJECTED, outcome)

    def in_doubt(self, claim: Claim, outcome: Unknown, window: float) -> Row | None:
        """SUBMITTING -> IN_DOUBT, which a webhook may settle for `window` seconds. None when done; else the row."""
        return self._settle(claim, Status.IN_DOUBT, outcome, doubt_for(window))

    def _settle(
        self, claim: Claim, status: Status, outcome: NotSent | Refused | Unknown, doubt: Values | None = None
    ) -> Row | None:
        """Only the attempt that claimed may say what became of it, so a stale one changes nothing.

        From IN_DOUBT too: another delivery may have judged our lease over while we still waited for the answer.
        """
        values: Values = {
            ":reason": {"S": outcome.reason},
            ":detail": {"S": outcome.detail},
            **({} if outcome.http_status is None else {":http_status": {"N": str(outcome.http_status)}}),
            **({} if outcome.vendor_code is None else {":vendor_code": {"S": outcome.vendor_code}}),
            **(doubt or {}),
        }
        standing = _standing(
            self._table.write(
                claim.request.request_id,
                set_="#status = :status, " + ", ".join(f"{name[1:]} = {name}" for name in values),
                remove="lease_until" if doubt else "lease_until, doubt, doubt_until",
                condition="#owner = :owner AND #status IN (:submitting, :may_be_in_doubt)",
                values={
                    ":status": {"S": status},
                    ":owner": {"S": claim.owner},
                    ":submitting": {"S": Status.SUBMITTING},
                    ":may_be_in_doubt": {"S": Status.IN_DOUBT},
                    **values,
                },
            )
        )
        ours = standing is not None and standing.owner == claim.owner and standing.status is status
        return None if ours else standing

    def abandoned(self, row: Row, reason: Reason, detail: str, window: float) -> Row | None:
        """SUBMITTING -> IN_DOUBT, by anyone, once the claim's lease is over. None when done; else the row as it is now.

        The condition names the owner that was seen: a claim made since then is not the one that was judged.
        """
        return _standing(
            self._table.write(
                row.request_id,
                set_="""#status = :in_doubt, reason = :reason, detail = :detail,
                    doubt = :doubt, doubt_until = :doubt_until""",
                remove="lease_until",
                condition="#status = :submitting AND #owner = :owner",
                values={
                    ":in_doubt": {"S": Status.IN_DOUBT},
                    ":submitting": {"S": Status.SUBMITTING},
                    ":owner": {"S": row.owner or ""},
                    ":reason": {"S": reason},
                    ":detail": {"S": detail},
                    **doubt_for(window),
                },
            )
        )

    def given_up(self, request: SongRequest, message_id: str, reason: Reason, detail: str) -> Row | None:
        """(none) | RETRYING -> REJECTED: nothing was created, and this message is not tried again. None when done; else
        the row that stands in the way.
        """
        return _standing(
            self._table.write(
                request.request_id,
                set_=f"#status = :rejected, reason = :reason, detail = :detail, {IDENTITY}",
                remove="http_status, vendor_code",
                condition="""attribute_not_exists(request_id)
                    OR (#status = :retrying AND fingerprint = :fingerprint)""",
                values={
                    ":rejected": {"S": Status.REJECTED},
                    ":retrying": {"S": Status.RETRYING},
                    ":reason": {"S": reason},
                    ":detail": {"S": detail},
                    **placeholders(identity(request, message_id)),
                },
            )
        )


_NOT_CLAIMED = NotSent(Reason.LEDGER_UNAVAILABLE, "the ledger did not say whether the claim was written")


def _standing(result: Written | Standing) -> Row | None:
    if not isinstance(result, Standing):
        return None
    if result.row is None:
        raise LedgerUnavailable("the row is gone")
    return result.row
