"""The budget of submit_song. Imported only where one is set: without one, a cold start does not pay for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from song_intake.admission.budget_item import BudgetItem, BudgetLimits
from song_intake.admission.daily_budget import DailyBudget
from song_intake.outgoing.budget_report import BudgetReport
from song_intake.work.budget_gate import BudgetGate, HiddenMessages

if TYPE_CHECKING:
    from song_intake.aws.clients import Clients
    from song_intake.outgoing.requests import RequestQueue
    from song_intake.outgoing.telemetry import Telemetry


def budget_gate(
    stack_limit: int, sender_limit: int, table: str, aws: Clients, telemetry: Telemetry, requests: RequestQueue
) -> BudgetGate:
    """The gate that keeps to these limits, in creates a UTC day; 0: unlimited."""
    item = BudgetItem(aws.client("dynamodb"), table, BudgetLimits(stack_limit, sender_limit))
    report = BudgetReport(telemetry, stack_limit, sender_limit)
    return BudgetGate(budget=DailyBudget(item, report), hidden=HiddenMessages(requests.hidden))
