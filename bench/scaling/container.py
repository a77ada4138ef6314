"""One container: continuous batching as TGI 3 does it.

Source: TGI 3.3.6 `backends/v3/src/backend.rs` and `queue.rs`: requests are taken in order of arrival as soon as the
cache has room for the prompt and the longest answer; prompts join a step of the running batch, at most
`max_batch_prefill_tokens` of them; more than `max_concurrent_requests` are refused with 429
(`router/src/infer/mod.rs`). Prefixes stay in the cache until their room is needed (`block_allocator.rs`,
`radix.rs`).

Between two changes of the batch all steps take as long as the middle one, so a phase is one event whatever its length.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Literal

from bench.scaling.requests import Request
from bench.scaling.speed import Speed

NEVER = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLimits:
    """What a container holds.

    Args:
        cache_tokens: Tokens whose keys and values fit.
        prefill_tokens: Prompt tokens of one step.
        max_concurrent_requests: Requests that it accepts at a time.
        deadline: Seconds after which a request that still waits is given up (504).
    """

    cache_tokens: int
    prefill_tokens: int
    max_concurrent_requests: int
    deadline: float


class Container:
    """One copy of the model.

    `wakes` is when `wake` has to be called next; NEVER while it is idle.

    Args:
        speed: Its speed.
        limits: What it holds.
    """

    __slots__ = (
        "_batch", "_cached", "_count", "_deadline", "_finishing", "_limits", "_number", "_phase", "_phase_start",
        "_phase_step", "_pinned", "_prefill", "_prefixes", "_queue", "_speed", "_steps", "_used", "wakes",
    )  # fmt: skip

    def __init__(self, speed: Speed, limits: ContainerLimits) -> None:
        self._speed = speed
        self._limits = limits
        self._queue: deque[Request] = deque()
        self._prefill: list[Request] = []
        self._finishing: list[tuple[int, int, Request]] = []
        self._steps = 0
        self._cached = 0
        self._used = 0
        self._number = 0
        self._prefixes: OrderedDict[int, int] = OrderedDict()
        self._pinned: dict[int, int] = {}
        self._phase: Literal["idle", "prefill", "decode"] = "idle"
        self._phase_start = 0.0
        self._phase_step = 0.0
        self.wakes = NEVER

    @property
    def in_flight(self) -> int:
        """Requests that it has, the waiting ones included."""
        return len(self._queue) + len(self._prefill) + len(self._finishing)

    def holds_prefix(self, prefix: int) -> bool:
        """Whether the keys and values of a shared text are in the cache."""
        return prefix in self._prefixes

    def accept(self, request: Request, now: float) -> bool:
        """Take a request; False if the container is full."""
        if self.in_flight >= self._limits.max_concurrent_requests:
            return False
        request.accepted = now
        self._queue.append(request)
        if self._phase == "idle":
            self._begin(now)
        elif self._phase == "decode" and len(self._queue) == 1 and self._has_room(request):
            done = math.ceil((now - self._phase_start) / self._phase_step)
            self.wakes = min(self.wakes, self._phase_start + max(1, done) * self._phase_step)
        return True

    def wake(self, now: float) -> list[Request]:
        """End the phase that is due and begin the next; returns the requests that ended."""
        ended: list[Request] = []
        if self._phase == "prefill":
            self._advance(1)
            for request in self._prefill:
                request.first_token = now
                self._number += 1
                self._cached += request.prompt
                heappush(self._finishing, (self._steps + request.answer - 1, self._number, request))
            self._prefill = []
        else:
            self._advance(round((now - self._phase_start) / self._phase_step))
        while self._finishing and self._finishing[0][0] <= self._steps:
            request = heappop(self._finishing)[2]
            request.finished = now
            self._cached -= request.prompt + request.answer - 1
            self._release(request)
            ended.append(request)
        ended += self._begin(now)
        return ended

    def _advance(self, steps: int) -> None:
        self._steps += steps
        self._cached += steps * len(self._finishing)

    def _begin(self, now: float) -> list[Request]:
        expired = self._expire(now)
        tokens = self._admit()
        self._phase_start = now
        running = len(self._finishing)
        if self._prefill:
            self._phase = "prefill"
            self.wakes = now + self._speed.step(tokens + running, self._cached)
        elif running:
            self._phase = "decode"
            steps = self._finishing[0][0] - self._steps
            self._phase_step = self._speed.step(running, self._cached + running * steps / 2)
            self.wakes = now + steps * self._phase_step
        else:
            self._phase = "idle"
            self.wakes = NEVER
        return expired

    def _expire(self, now: float) -> list[Request]:
        expired = []
        while self._queue and now - (self._queue[0].accepted or 0.0) > self._limits.deadline:
            request = self._queue.popleft()
            request.failure = "504"
            expired.append(request)
        return expired

    def _admit(self) -> int:
        """Move requests from the queue into the next step; the prompt tokens that it processes."""
        tokens = 0
        while self._queue:
            request = self._queue[0]
            new = request.prompt - (request.prefix_tokens if request.prefix in self._prefixes else 0)
            if self._prefill and tokens + new > self._limits.prefill_tokens:
                break
            if not self._has_room(request):
                break
            self._reserve(request)
            self._prefill.append(self._queue.popleft())
            tokens += new
        return tokens

    def _needed(self, request: Request) -> int:
        return request.reserved - (request.prefix_tokens if request.prefix in self._prefixes else 0)

    def _has_room(self, request: Request) -> bool:
        free = self._limits.cache_tokens - self._used
        needed = self._needed(request)
        if needed <= free:
            return True
        idle = sum(
            size for prefix, size in self._prefixes.items() if prefix not in self._pinned and prefix != request.prefix
        )
        return needed <= free + idle

    def _reserve(self, request: Request) -> None:
        needed = self._needed(request)
        if request.prefix >= 0:
            self._pinned[request.prefix] = self._pinned.get(request.prefix, 0) + 1
        for prefix in [one for one in self._prefixes if one not in self._pinned]:
            if needed <= self._limits.cache_tokens - self._used:
                break
            self._used -= self._prefixes.pop(prefix)
        if request.prefix >= 0:
            self._prefixes.setdefault(request.prefix, request.prefix_tokens)
            self._prefixes.move_to_end(request.prefix)
        self._used += needed

    def _release(self, request: Request) -> None:
        self._used -= request.reserved - request.prefix_tokens
        if request.prefix >= 0:
            left = self._pinned[request.prefix] - 1
            if left:
                self._pinned[request.prefix] = left
            else:
                del self._pinned[request.prefix]
