"""Requests and their lengths."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Request:
    """One request; times in seconds of the simulation.

    Args:
        arrived: When the client sent it.
        prompt: Tokens of the prompt.
        answer: Tokens that will be generated.
        reserved: Tokens that the container sets aside: the prompt and the longest answer that the client allows.
        prefix: Which shared text the prompt begins with; -1 for none.
        prefix_tokens: Length of that text.
        accepted: When a container took it.
        first_token: When the first token came; None if none did.
        finished: When the last token came.
        failure: Why it failed: `429` (the container is full), `504` (no answer within the deadline), `no capacity`.
    """

    arrived: float
    prompt: int
    answer: int
    reserved: int
    prefix: int = -1
    prefix_tokens: int = 0
    accepted: float | None = None
    first_token: float | None = None
    finished: float | None = None
    failure: str | None = None

    @property
    def wait(self) -> float | None:
        """Time to first token; None for a request that failed."""
        return None if self.first_token is None else self.first_token - self.arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """How long prompts and answers are: log-normal, as public traces of conversations are.

    Args:
        name: As the tables show it.
        prompt: Mean tokens of a prompt.
        answer: Mean tokens of an answer.
        limit: `max_tokens` of the requests: longest answer, which the container reserves.
        longest_prompt: Longest prompt.
        spread: Standard deviation of the logarithm.
        request_tokens: What an operator gives for `request_tokens`: what most requests reserve.
    """

    name: str
    prompt: int
    answer: int
    limit: int
    longest_prompt: int
    spread: float = 0.8
    request_tokens: int

    def draw(self, rng: random.Random, arrived: float) -> Request:
        """One request."""
        prompt = min(self.longest_prompt, max(8, int(_lognormal(rng, self.prompt, self.spread))))
        answer = min(self.limit, max(1, int(_lognormal(rng, self.answer, self.spread))))
        return Request(arrived=arrived, prompt=prompt, answer=answer, reserved=prompt + self.limit)


def _lognormal(rng: random.Random, mean: float, spread: float) -> float:
    return rng.lognormvariate(math.log(mean) - spread * spread / 2, spread)


CHAT = Lengths(name="chat", prompt=700, answer=250, limit=1024, longest_prompt=8192, request_tokens=2048)
DOCUMENTS = Lengths(name="documents", prompt=3000, answer=200, limit=512, longest_prompt=12_000, request_tokens=4096)
