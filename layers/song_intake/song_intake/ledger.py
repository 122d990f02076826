"""The ledger: one DynamoDB item a request, and the conditions under which it may change.

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
from song_intake.ledger_table import LedgerTable, LedgerUnavailable
from song_intake.outcome import NotSent
from song_intake.reason import Reason

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from song_intake.ledger_table import Values
    from song_intake.outcome import Refused, Unknown
    from song_intake.song_request import SongRequest


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

    def _claimed(self, claim: Claim, message_id: str) -> Row | None:
        request = claim.request
        return self._table.write(
            request.request_id,
            set_="""#status = :submitting, #owner = :owner, lease_until = :lease_until, fingerprint = :fingerprint,
                message_id = :message_id, metadata = :metadata""",
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
                **_identity(request, message_id),
            },
        )

    def submitted(self, request: SongRequest, task_id: str) -> Row | None:
        """Record a task that the music API named, from any status and whoever claimed: a paid song is never forgotten.

        None when written; else the row, which names a task already or belongs to another request.
        """
        return self._table.write(
            request.request_id,
            set_="#status = :submitted, task_id = :task_id, fingerprint = :fingerprint",
            remove="reason, detail, http_status, vendor_code, lease_until",
            condition="""attribute_not_exists(task_id)
                AND (attribute_not_exists(fingerprint) OR fingerprint = :fingerprint)""",
            values={
                ":submitted": {"S": Status.SUBMITTED},
                ":task_id": {"S": task_id},
                ":fingerprint": {"S": request.fingerprint},
            },
        )

    def another_task(self, request_id: str, task_id: str) -> None:
        """Keep a second task of one request beside the first. Only a wrong word of an operator can bring one about."""
        self._table.write(
            request_id,
            add="other_task_ids :task_ids",
            condition="attribute_exists(request_id)",
            values={":task_ids": {"SS": [task_id]}},
        )

    def retrying(self, claim: Claim, outcome: NotSent) -> Row | None:
        """SUBMITTING -> RETRYING. None when done; else the row that stands in the way."""
        return self._settle(claim, Status.RETRYING, outcome)

    def rejected(self, claim: Claim, outcome: Refused) -> Row | None:
        """SUBMITTING -> REJECTED. None when done; else the row that stands in the way."""
        return self._settle(claim, Status.REJECTED, outcome)

    def in_doubt(self, claim: Claim, outcome: Unknown) -> Row | None:
        """SUBMITTING -> IN_DOUBT. None when done; else the row that stands in the way."""
        return self._settle(claim, Status.IN_DOUBT, outcome)

    def _settle(self, claim: Claim, status: Status, outcome: NotSent | Refused | Unknown) -> Row | None:
        """Only the attempt that claimed may say what became of it, so a stale one changes nothing.

        From IN_DOUBT too: another delivery may have judged our lease over while we still waited for the answer.
        """
        values: Values = {
            ":status": {"S": status},
            ":owner": {"S": claim.owner},
            ":submitting": {"S": Status.SUBMITTING},
            ":in_doubt": {"S": Status.IN_DOUBT},
            ":reason": {"S": outcome.reason},
            ":detail": {"S": outcome.detail},
        }
        set_ = "#status = :status, reason = :reason, detail = :detail"
        if outcome.http_status is not None:
            set_ += ", http_status = :http_status"
            values[":http_status"] = {"N": str(outcome.http_status)}
        if outcome.vendor_code is not None:
            set_ += ", vendor_code = :vendor_code"
            values[":vendor_code"] = {"S": outcome.vendor_code}
        standing = self._table.write(
            claim.request.request_id,
            set_=set_,
            remove="lease_until",
            condition="#owner = :owner AND #status IN (:submitting, :in_doubt)",
            values=values,
        )
        ours = standing is not None and standing.owner == claim.owner and standing.status is status
        return None if ours else standing

    def abandoned(self, row: Row, reason: Reason, detail: str) -> Row | None:
        """SUBMITTING -> IN_DOUBT, by anyone, once the claim's lease is over. None when done; else the row as it is now.

        The condition names the owner that was seen: a claim made since then is not the one that was judged.
        """
        return self._table.write(
            row.request_id,
            set_="#status = :in_doubt, reason = :reason, detail = :detail",
            remove="lease_until",
            condition="#status = :submitting AND #owner = :owner",
            values={
                ":in_doubt": {"S": Status.IN_DOUBT},
                ":submitting": {"S": Status.SUBMITTING},
                ":owner": {"S": row.owner or ""},
                ":reason": {"S": reason},
                ":detail": {"S": detail},
            },
        )

    def given_up(self, request: SongRequest, message_id: str, reason: Reason, detail: str) -> Row | None:
        """(none) | RETRYING -> REJECTED: nothing was created, and this message is not tried again. None when done; else
        the row that stands in the way.
        """
        return self._table.write(
            request.request_id,
            set_="""#status = :rejected, reason = :reason, detail = :detail, fingerprint = :fingerprint,
                message_id = :message_id, metadata = :metadata""",
            remove="http_status, vendor_code",
            condition="""attribute_not_exists(request_id)
                OR (#status = :retrying AND fingerprint = :fingerprint)""",
            values={
                ":rejected": {"S": Status.REJECTED},
                ":retrying": {"S": Status.RETRYING},
                ":reason": {"S": reason},
                ":detail": {"S": detail},
                **_identity(request, message_id),
            },
        )


_NOT_CLAIMED = NotSent(Reason.LEDGER_UNAVAILABLE, "the ledger did not say whether the claim was written")


def _identity(request: SongRequest, message_id: str) -> Values:
    return {
        ":fingerprint": {"S": request.fingerprint},
        ":message_id": {"S": message_id},
        ":metadata": {"M": {name: {"S": text} for name, text in request.metadata.items()}},
    }
