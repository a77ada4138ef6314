"""Starts generations within the server's limits and lets their tokens come at the toy's pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.model_container import generation
from local.model_container.generation import Generation
from local.model_container.metrics import Metrics
from local.model_container.serde.requests import GenerateRequest
from local.model_container.settings import Settings
from local.model_container.tgi.errors import GenerationError, OverloadedError
from local.model_container.tgi.validation import validate, validate_best_of

_BURST = 128  # tokens of an unpaced answer between two chances for other requests
_FAILURE = "Server error: CUDA out of memory. Tried to allocate 2.00 GiB"


@dataclass(frozen=True, slots=True)
class Timed:
    """A finished generation and when it was queued and ended, in seconds of `time.monotonic`."""

    generation: Generation
    queued: float
    finished: float


class Infer:
    """The toy in the place of TGI's batching backend.

    Args:
        settings: the container's limits and the toy's pace.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.running = 0
        self.metrics = Metrics()

    @contextmanager
    def permit(self) -> Iterator[None]:
        """One of MAX_CONCURRENT_REQUESTS places.

        Raises:
            OverloadedError: none is free.
        """
        if self.running >= self.settings.max_concurrent_requests:
            raise OverloadedError
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1

    def start(self, request: GenerateRequest) -> Generation:
        """Validate a request and make its answer, of which nothing has been waited for yet.

        Raises:
            ValidationError: a parameter is out of its range.
        """
        valid = validate(request, self.settings)
        made = generation.generate(
            valid, min_words=self.settings.min_words, prefill_logprobs=self.settings.enable_prefill_logprobs
        )
        self.metrics.add("tgi_request_input_length", made.input_length)
        return made

    async def generate(self, request: GenerateRequest) -> Timed:
        """The whole answer, once its last token is due.

        Raises:
            InferError: it cannot start, or fails.
        """
        with self.metrics.count_outcome(), self.permit():
            made = self.start(request)
            queued = time.monotonic()
            async for _ in self.due(len(made.tokens)):
                pass
            self.metrics.add("tgi_request_generated_tokens", len(made.tokens))
            return Timed(made, queued, time.monotonic())

    async def generate_best_of(self, request: GenerateRequest, best_of: int) -> tuple[Timed, list[Timed]]:
        """Several answers: the one with the highest mean log probability, and the others.

        Raises:
            InferError: one of them cannot start, or fails.
        """
        with self.metrics.count_outcome(successes=0):
            validate_best_of(best_of, self.settings)
        answers = await asyncio.gather(*(self.generate(request) for _ in range(best_of)))
        best = max(
            answers, key=lambda each: sum(t.logprob for t in each.generation.tokens) / len(each.generation.tokens)
        )
        return best, [each for each in answers if each is not best]

    async def due(self, total: int) -> AsyncIterator[range]:
        """The tokens' indexes as their time comes; an empty range after each keep-alive interval of silence.

        Raises:
            GenerationError: the settings make generations fail after so many tokens.
        """
        settings, clock = self.settings, time.monotonic
        fails_at = settings.fail_after_tokens
        last = clock()
        start = last + settings.first_token_seconds
        sent = 0
        end = total if fails_at is None else min(total, fails_at)
        while sent < end:
            now = clock()
            ready = _ready(now - start, sent, settings.tokens_per_second)
            if ready > sent:
                yield range(sent, min(ready, end))
                sent, last = ready, now
                await asyncio.sleep(0)
                continue
            pause = sent / (settings.tokens_per_second or 1)
            await asyncio.sleep(max(min(start + pause, last + settings.keep_alive_seconds) - now, 0))
            if clock() >= last + settings.keep_alive_seconds:
                yield range(sent, sent)
                last = clock()
        if fails_at is not None:
            raise GenerationError(_FAILURE)


def _ready(elapsed: float, sent: int, tokens_per_second: float) -> int:
    if elapsed < 0:
        return sent
    return int(elapsed * tokens_per_second) + 1 if tokens_per_second else sent + _BURST
