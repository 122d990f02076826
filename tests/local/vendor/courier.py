"""Sends the webhooks of the stand-in: when they are due, as often as planned, and again when they are not accepted."""

import http.client
import threading
import time
import uuid
from collections.abc import Sequence
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

# How often and when the vendor sends again is not published.
RETRY_DELAYS: Final = (0.5, 1.0, 2.0)
# Signs the webhooks of creates that gave no secret: nobody else knows it, so nobody can verify them.
VENDORS_OWN_SECRET: Final = uuid.uuid4().hex


@dataclass(slots=True)
class _Order:
    """A webhook to be sent once its task has ended, its create was answered, and nobody holds it."""

    task: Task
    plan: WebhookPlan
    webhook: Webhook
    is_held: bool
    is_answered: bool = False
    is_on_its_way: bool = False


class Settings(Protocol):
    """What may be changed while webhooks are under way."""

    webhook_transport: WebhookTransport
    webhook_retry_delays: Sequence[float]
    """Seconds before each further attempt at a webhook that was not accepted."""


class WebhookCourier:
    """Has the webhooks of all tasks since the last `clear`, and writes into the record what became of them."""

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
        """Takes charge of the webhook of a task that was just begun, if its create asks for one."""
        webhook = _webhook_of(task, plan)
        if webhook is not None and plan.copies and task.will_end:
            with self._lock:
                self._orders[task.create.task_id] = _Order(task, plan, webhook, is_held=plan.held)

    def before_the_answer(self, task_id: str) -> None:
        """The create's answer is about to leave. An early webhook comes before it: returns once that was answered."""
        with self._lock:
            order = self._orders.get(task_id)
            if order is None or not order.plan.early:
                return
            order.is_on_its_way = True
        order.task.end_now()
        for _ in range(order.plan.copies):
            self._attempt(order.webhook, self._settings.webhook_retry_delays)

    def after_the_answer(self, task_id: str) -> None:
        """The create's answer has left, whole or not, or is never to come: from now on the webhook may be sent."""
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
        attempt = _post(destination, webhook)
        is_remembered = self._record.add_attempt(webhook.webhook_id, attempt)
        if is_remembered and delays and not attempt.is_accepted:
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
