"""Writes several rows of the ledger in one call: first claims, and the tasks of these claims. This is the usual path.

Each statement has its own condition and its own result. A refused statement decides nothing, because a single write
follows. So a statement need only be right if it succeeds: for a new row, and for a claim that its owner still holds.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html

Ten requests need twenty single writes, 74 % of the CPU of a batch; with batches they need two to four calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from song_intake.aws.failure import code_of
from song_intake.aws.group_commit import GroupCommit
from song_intake.domain.frozen import frozen
from song_intake.domain.status import Status
from song_intake.ledger.table import LedgerTable, LedgerUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, BatchStatementRequestTypeDef

    from song_intake.ledger.row import Values

# The limit of BatchExecuteStatement.
MOST_STATEMENTS = 25

# The codes of a statement whose condition did not hold:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
_CONDITION_FAILED = frozenset(("DuplicateItem", "ConditionalCheckFailed"))

OnRefused = Callable[[str], None]
"""Called with AWS's code when a batched write was refused for another reason than its condition."""


def not_reported(_code: str) -> None:
    """An OnRefused that reports nothing."""


@frozen
class _Statement:
    request_id: str
    text: str
    parameters: Sequence[AttributeValueTypeDef] = field(repr=False)


class LedgerBatches:
    """Safe to share between threads. Both methods raise LedgerUnavailable if DynamoDB did not answer.

    on_refused: single writes replace the refused ones, so without a report nobody would notice a missing right, or a
    statement that DynamoDB does not accept.
    """

    def __init__(self, table: LedgerTable, on_refused: OnRefused = not_reported) -> None:
        self._table = table
        self._on_refused = on_refused
        self._group = GroupCommit(self._execute, MOST_STATEMENTS)

    def insert(self, request_id: str, values: Values) -> bool:
        """Create the row of a claim. False if there is a row already, or if the result is not known."""
        return self._group.submit(self._insertion(request_id, values))

    def _insertion(self, request_id: str, values: Values) -> _Statement:
        # A claim does not expire.
        at, _ = self._table.stamps()
        stamps: Values = {"created_at": at, "updated_at": at}
        item: Values = {"request_id": {"S": request_id}, **values, **stamps}
        # The text has only names of attributes; every value from a request is a parameter.
        fields = ", ".join(f"'{name}': ?" for name in item)
        text = f'INSERT INTO "{self._table.name}" VALUE {{{fields}}}'
        return _Statement(request_id, text, list(item.values()))

    def record_task(self, request_id: str, owner: str, task_id: str) -> bool:
        """SUBMITTING -> SUBMITTED, for a row's first claim. False if it has another owner, or the result is unknown.

        The lease is the only transient attribute that such a row has.
        """
        at, expires_at = self._table.stamps()
        changes: Values = {
            "status": {"S": Status.SUBMITTED},
            "task_id": {"S": task_id},
            "updated_at": at,
            "expires_at": expires_at,
        }
        where: Values = {"request_id": {"S": request_id}, "owner": {"S": owner}, "status": {"S": Status.SUBMITTING}}
        text = (
            f'UPDATE "{self._table.name}"'  # noqa: S608 - as above
            + "".join(f' SET "{name}" = ?' for name in changes)
            + " REMOVE lease_until WHERE "
            + " AND ".join(f'"{name}" = ?' for name in where)
        )
        return self._group.submit(_Statement(request_id, text, [*changes.values(), *where.values()]))

    def _execute(self, statements: Sequence[_Statement]) -> list[bool]:
        # AWS does not document two statements on one item in a batch: the second one becomes a single write.
        firsts = {statement.request_id: statement for statement in reversed(statements)}
        requests: list[BatchStatementRequestTypeDef] = [
            {"Statement": statement.text, "Parameters": statement.parameters} for statement in firsts.values()
        ]
        try:
            responses = self._table.dynamodb.batch_execute_statement(Statements=requests)["Responses"]
        except ClientError as failure:
            # The whole call was refused, perhaps because of one statement. Single writes follow, one result for each.
            self._on_refused(code_of(failure))
            return [False] * len(statements)
        except BotoCoreError as failure:
            raise LedgerUnavailable(code_of(failure)) from None
        codes = [response["Error"].get("Code", "") if "Error" in response else None for response in responses]
        for code in codes:
            if code is not None and code not in _CONDITION_FAILED:
                self._on_refused(code)
        done = {id(one): code is None for one, code in zip(firsts.values(), codes, strict=True)}
        return [done.get(id(statement), False) for statement in statements]
