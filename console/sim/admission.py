"""Who is in flight: slots of a deployment with their queue, and counts per key."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

from console.sim.quotas import MINUTE_NS, SECOND_NS, Window
from console.sim.rejection import Headers
from console.vocabulary.simulated import SimBehaviour


class Admission:
    """One request let in: it waits for a slot or holds one until it is released."""

    __slots__ = ("delays", "deployment", "headers", "key", "on_served", "released", "served_ns")

    def __init__(self, deployment: Deployment, key: Key, headers: Headers) -> None:
        """Hold a place in `deployment` for `key`; `headers` tell the client of its quotas."""
        self.deployment = deployment
        self.key = key
        self.headers = headers
        self.delays = deployment.delays
        """What its times are drawn from: the deployment's one source, or one of its own."""
        self.served_ns: int | None = None
        """When it got a slot; None while it waits."""
        self.on_served: Callable[[int], None] | None = None
        """Called with the time when a request that had to wait gets its slot."""
        self.released = False


class Key:
    """What one credential has in flight, and its windows."""

    __slots__ = ("concurrency", "in_flight", "peak", "request_windows", "requests")

    def __init__(self, behaviour: SimBehaviour) -> None:
        """Start with nothing in flight and fresh windows."""
        self.concurrency = behaviour.key_concurrency
        self.in_flight = 0
        self.peak = 0
        self.requests = 0
        self.request_windows: list[Window] = []
        if behaviour.key_qps is not None:
            self.request_windows.append(Window(behaviour.key_qps, SECOND_NS))
        if behaviour.key_rpm is not None:
            self.request_windows.append(Window(behaviour.key_rpm, MINUTE_NS))


class Deployment:
    """What one deployment serves and has waiting, its windows, and its own source of delays."""

    __slots__ = (
        "concurrency",
        "delays",
        "in_flight",
        "name",
        "peak",
        "peak_serving",
        "peak_waiting",
        "request_windows",
        "requests",
        "serving",
        "slots",
        "token_windows",
        "waiting",
    )

    def __init__(self, name: str, behaviour: SimBehaviour, seed: int) -> None:
        """Start idle; delays are drawn from `seed` and the name."""
        self.name = name
        self.concurrency = behaviour.deployment_concurrency
        self.slots = behaviour.slots
        self.in_flight = 0
        self.serving = 0
        self.waiting: deque[Admission] = deque()
        self.peak = 0
        self.peak_serving = 0
        self.peak_waiting = 0
        self.requests = 0
        self.delays = random.Random(f"delays/{seed}/{name}")
        self.request_windows: list[Window] = []
        self.token_windows: list[Window] = []
        if behaviour.deployment_qps is not None:
            self.request_windows.append(Window(behaviour.deployment_qps, SECOND_NS))
        if behaviour.deployment_tpm is not None:
            self.token_windows.append(Window(behaviour.deployment_tpm, MINUTE_NS))

    @property
    def all_busy(self) -> bool:
        """Whether a request that comes now must wait."""
        return self.slots is not None and self.serving >= self.slots

    @property
    def busy_share(self) -> float:
        """Share of the slots that are busy; 0 where slots are unlimited."""
        return self.serving / self.slots if self.slots is not None else 0.0

    def enter(self, admission: Admission, now_ns: int) -> None:
        """Give `admission` a slot, or put it at the end of the queue."""
        self.requests += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        if self.all_busy:
            self.waiting.append(admission)
            self.peak_waiting = max(self.peak_waiting, len(self.waiting))
        else:
            self._serve(admission, now_ns)

    def leave(self, admission: Admission, now_ns: int) -> None:
        """Take `admission` out, and give its slot to the first in the queue."""
        self.in_flight -= 1
        if admission.served_ns is None:
            self.waiting.remove(admission)
            return
        self.serving -= 1
        if self.waiting and not self.all_busy:
            first = self.waiting.popleft()
            self._serve(first, now_ns)
            if first.on_served is not None:
                first.on_served(now_ns)

    def _serve(self, admission: Admission, now_ns: int) -> None:
        admission.served_ns = now_ns
        self.serving += 1
        self.peak_serving = max(self.peak_serving, self.serving)
