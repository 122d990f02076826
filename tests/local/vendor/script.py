"""What the stand-in of the music API was told to do, by the titles of the songs."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final

from tests.local.vendor.behaviour import Behaviour, usual
from tests.local.vendor.gateway import Gateway, Route
from tests.local.vendor.plans import Plans
from tests.local.vendor.server import Request
from tests.local.vendor.story import TaskStory
from tests.local.vendor.webhook import WebhookPlan

Hook = Callable[[Request], None]


class HookError(Exception):
    """A callback given to `on_create` raised. The client of that request sees its connection end."""


class VendorScript:
    """Plans for creates, tasks and webhooks, and hooks. In place of a title, None means the songs without one."""

    def __init__(self) -> None:
        self._behaviours: Final = Plans(usual())
        self._stories: Final = Plans(TaskStory())
        self._webhook_plans: Final = Plans(WebhookPlan())
        self._gateway: Final = Gateway()
        self._hooks_lock = threading.Lock()
        self._hooks: defaultdict[str | None, deque[Hook]] = defaultdict(deque)

    def forget_plans(self) -> None:
        self._behaviours.clear()
        self._stories.clear()
        self._webhook_plans.clear()
        self._gateway.clear()
        with self._hooks_lock:
            self._hooks.clear()

    def plan(self, title: str | None, *behaviours: Behaviour) -> None:
        """What becomes of the next creates of that title, one after another; then they are as usual again.

        A request that the vendor refuses by its own rules (token, fields) uses up none.
        """
        self._behaviours.add(title, behaviours)

    def plan_all(self, behaviour: Behaviour | None) -> None:
        """What becomes of every create that has no plan of its own; None: as usual."""
        self._behaviours.set_for_all(behaviour)

    def show_gateway_page(
        self, status: int, *, route: Route | None = None, answers: int | None = None, seconds: float | None = None
    ) -> None:
        """From now on a front end answers with an HTML page of that status, and no request reaches the vendor.

        It does so for one route, or for all; for so many answers or seconds, or until `remove_gateway_pages`.
        """
        self._gateway.show(status, route, answers, seconds)

    def remove_gateway_pages(self) -> None:
        self._gateway.clear()

    def plan_task(self, title: str | None, *stories: TaskStory) -> None:
        """What becomes of the next tasks of that title, one story each; then they succeed again."""
        self._stories.add(title, stories)

    def plan_all_tasks(self, story: TaskStory | None) -> None:
        """What becomes of every task that has no story of its own; None: as usual."""
        self._stories.set_for_all(story)

    def plan_webhook(self, title: str | None, *plans: WebhookPlan) -> None:
        """What becomes of the webhooks of the next tasks of that title; then they are delivered again.

        A task uses up one when it begins, whether its create asks for a webhook or not.
        """
        self._webhook_plans.add(title, plans)

    def plan_all_webhooks(self, plan: WebhookPlan | None) -> None:
        """What becomes of every webhook that has no plan of its own; None: as usual."""
        self._webhook_plans.set_for_all(plan)

    def on_create(self, title: str | None, hook: Hook) -> None:
        """Calls `hook` once, while the next create of that title is handled; of several hooks each takes one create.

        At that moment the request has been read, the song is made (if the behaviour makes one), and nothing is
        answered: a client that dies now leaves the vendor charged. The answer waits until the hook returns.
        """
        with self._hooks_lock:
            self._hooks[title].append(hook)

    def call_hook(self, title: str | None, request: Request) -> None:
        with self._hooks_lock:
            hooks = self._hooks[title]
            hook = hooks.popleft() if hooks else None
        if hook is None:
            return
        try:
            hook(request)
        except Exception as error:
            # As itself, an OSError of the hook would pass for a client that vanished, in silence.
            raise HookError(f"the hook of the create {title!r}") from error
