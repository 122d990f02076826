"""The plans of the stand-in, by the titles of the songs."""

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
    """A callback of `on_create` raised. The client of that request loses its connection."""


class VendorScript:
    """Plans for creates, tasks and webhooks, and hooks. The title None means songs without a title."""

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
        """Sets the behaviours for the next creates with that title, one for each; later creates are usual again.

        A request that breaks the vendor's own rules (token, fields) uses up none of them.
        """
        self._behaviours.add(title, behaviours)

    def plan_all(self, behaviour: Behaviour | None) -> None:
        """Sets the behaviour for every create without a plan of its own; None: the usual one."""
        self._behaviours.set_for_all(behaviour)

    def show_gateway_page(
        self, status: int, *, route: Route | None = None, answers: int | None = None, seconds: float | None = None
    ) -> None:
        """From now on a front end answers with an HTML page of that status, and the request does not reach the vendor.

        The page is for one route or for all, and ends after that number of answers, after that number of seconds, or
        with `remove_gateway_pages`.
        """
        self._gateway.show(status, route, answers, seconds)

    def remove_gateway_pages(self) -> None:
        self._gateway.clear()

    def plan_task(self, title: str | None, *stories: TaskStory) -> None:
        """Sets the stories of the next tasks with that title, one for each; later tasks succeed again."""
        self._stories.add(title, stories)

    def plan_all_tasks(self, story: TaskStory | None) -> None:
        """Sets the story of every task without a story of its own; None: the usual one."""
        self._stories.set_for_all(story)

    def plan_webhook(self, title: str | None, *plans: WebhookPlan) -> None:
        """Sets the plans for the webhooks of the next tasks with that title; later webhooks are delivered again.

        A task uses up one plan when it begins, even if its create requests no webhook.
        """
        self._webhook_plans.add(title, plans)

    def plan_all_webhooks(self, plan: WebhookPlan | None) -> None:
        """Sets the plan for every webhook without a plan of its own; None: the usual one."""
        self._webhook_plans.set_for_all(plan)

    def on_create(self, title: str | None, hook: Hook) -> None:
        """Calls `hook` once, during the next create with that title. Each of several hooks is for one create.

        At that moment the request has been read, the song is created (if the behaviour creates one), and no answer is
        sent: a client that crashes at that moment has been charged. The answer waits until the hook returns.
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
            # Without the wrapper, an OSError of the hook would be ignored like that of a client that disconnected.
            raise HookError(f"the hook of the create {title!r}") from error
