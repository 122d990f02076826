"""Sends the webhooks of the stand-in: when due, as often as planned, and again if they are not accepted."""

import http.client
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from tests.local.vendor.oddity import distort
from tests.local.vendor.record import VendorRecord
from tests.local.vendor.story import Fails
from tests.local.vendor.tasks import Task
from tests.local.vendor.timetable import Timetable
from tests.local.vendor.webhook import (
    Attempt,
    Event,
    Webhook,
    WebhookPlan,
    completed_body,
    failed_body,
)
from tests.local.webhooks.transport import Destination, UrlRefused, WebhookTransport, send_request

# The vendor does not publish how often and when it sends a webhook again.
RETRY_DELAYS: Final = (0.5, 1.0, 2.0)
# Signs the webhooks of creates without a secret. Only the vendor has it, so no receiver can verify them.
VENDORS_OWN_SECRET: Final = uuid.uuid4().hex


@dataclass(slots=True)
class _Order:
    """A webhook to send once its task has ended, its create was answered, and it is not held."""

    task: Task
    plan: WebhookPlan
    webhook: Webhook
    is_held: bool
    is_answered: bool = False
    is_on_its_way: bool = False


class Settings(Protocol):
    """Settings that may change while webhooks are sent."""

    webhook_transport: WebhookTransport
    webhook_retry_delays: Sequence[float]
    """Seconds before each further attempt at a webhook that was not accepted."""
    webhook_turn: AbstractContextManager[object]
    """Entered for each attempt. A semaphore bounds how many are under way at once."""


class WebhookCourier:
    """Sends the webhooks of all tasks since the last `clear`, and records every attempt."""

    def __init__(self, record: VendorRecord, timetable: Timetable, settings: Settings) -> None:
        self._record = record
        self._timetable = timetable
        self._settings = settings
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self._orders: dict[str, _Order] = {}

    def accept(self, task: Task, plan: WebhookPlan) -> None:
        """Accepts the webhook of a task that just began, if its create requests one."""
        webhook = _webhook_of(task, plan)
        if webhook is not None and plan.copies and task.will_end:
            with self._lock:
                self._orders[task.create.task_id] = _Order(task, plan, webhook, is_held=plan.held)

    def before_the_answer(self, task_id: str) -> None:
        """Called before the answer to the create is sent. Returns once an early webhook was answered."""
        with self._lock:
            order = self._orders.get(task_id)
            if order is None or not order.plan.early:
                return
            order.is_on_its_way = True
        order.task.end_now()
        for _ in range(order.plan.copies):
            self._attempt(order.webhook, self._settings.webhook_retry_delays)

    def after_the_answer(self, task_id: str) -> None:
        """Called once the answer to the create was sent, wholly or partly, or never will be: allows its webhook."""
        with self._lock:
            order = self._orders.get(task_id)
            if order is not None:
                order.is_answered = True
                self._dispatch(order)

    def release(self, title: str | None) -> None:
        with self._lock:
            for order in self._orders.values():
                if order.task.create.title == title:
                    order.is_held = False
                    self._dispatch(order)

    def _dispatch(self, order: _Order) -> None:
        if order.is_held or order.is_on_its_way or not order.is_answered:
            return
        order.is_on_its_way = True
        due = max(order.task.ends_at, time.monotonic()) + order.plan.delay
        for _ in range(order.plan.copies):
            self._timetable.add(due, lambda: self._attempt(order.webhook, self._settings.webhook_retry_delays))

    def _attempt(self, webhook: Webhook, delays: Sequence[float]) -> None:
        try:
            destination = self._settings.webhook_transport(webhook.url)
        except UrlRefused as refusal:
            self._record.add_webhook(replace(webhook, refused=str(refusal)))
            return
        self._record.add_webhook(webhook)
        with self._settings.webhook_turn:
            attempt = _post(destination, webhook)
        is_recorded = self._record.add_attempt(webhook.webhook_id, attempt)
        if is_recorded and delays and not attempt.is_accepted:
            self._timetable.add(time.monotonic() + delays[0], lambda: self._attempt(webhook, delays[1:]))


def _post(destination: Destination, webhook: Webhook) -> Attempt:
    headers = webhook.signed_headers(int(time.time()))
    try:
        status = send_request(destination, "POST", headers.items(), webhook.body)
    except (OSError, http.client.HTTPException) as error:
        return Attempt(headers, None, f"{type(error).__name__}: {error}")
    return Attempt(headers, status)


def _webhook_of(task: Task, plan: WebhookPlan) -> Webhook | None:
    create = task.create
    url, secret = create.body.get("webhook_url"), create.body.get("webhook_secret", VENDORS_OWN_SECRET)
    if not isinstance(url, str):
        return None
    match task.story.ending:
        case Fails() as ending:
            event, body = Event.FAILED, failed_body(create.task_id, ending)
        case _:
            event, body = Event.COMPLETED, completed_body(create.task_id, task.clips())
    for oddity in plan.oddities:
        body = distort(body, oddity)
    return Webhook(str(uuid.uuid4()), create.task_id, create.title, event, url, str(secret), body)
