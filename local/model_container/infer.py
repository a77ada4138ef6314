"""Runs generations within the server's limits, with tokens at the configured rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local.model_container import generation
from local.model_container.generation import Generation
from local.model_container.metrics import Metrics
from local.model_container.pace import due
from local.model_container.serde.requests import GenerateRequest
from local.model_container.settings import Settings
from local.model_container.tgi.errors import GenerationError, OverloadedError
from local.model_container.tgi.validation import validate, validate_best_of

_FAILURE = "Server error: CUDA out of memory. Tried to allocate 2.00 GiB"


@dataclass(frozen=True, slots=True)
class TimedGeneration:
    """A finished generation with the times when it was queued and finished, as seconds of `time.monotonic`."""

    generation: Generation
    queued: float
    finished: float


class Infer:
    """Replaces TGI's batching backend with the toy.

    Args:
        settings: The limits of the container and the rate of the toy.

    Attributes:
        running: The number of requests in progress.
        metrics: The counters of /metrics.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.running = 0
        self.metrics = Metrics()

    @contextmanager
    def permit(self) -> Iterator[None]:
        """Holds one of MAX_CONCURRENT_REQUESTS permits.

        Raises:
            OverloadedError: All permits are in use.
        """
        if self.running >= self.settings.max_concurrent_requests:
            raise OverloadedError
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1

    def start(self, request: GenerateRequest) -> Generation:
        """Validates a request and generates its text, without waiting for the tokens to be due.

        Raises:
            ValidationError: A parameter is out of range.
            GenerationError: The regular expression of the grammar is invalid.
        """
        valid = validate(request, self.settings)
        generate = generation.generate_on_neuron if self.settings.is_neuron else generation.generate
        result = generate(
            valid,
            min_words=self.settings.min_words,
            prefill_logprobs=self.settings.enable_prefill_logprobs,
            tool=self.settings.tool,
        )
        self.metrics.add("tgi_request_input_length", result.input_length)
        return result

    async def generate(self, request: GenerateRequest) -> TimedGeneration:
        """Generates a text and waits until its last token is due.

        Raises:
            InferError: The generation fails.
        """
        with self.metrics.count_outcome(), self.permit():
            result = self.start(request)
            queued = time.monotonic()
            async for _ in self.due(len(result.tokens)):
                pass
            self.metrics.add("tgi_request_generated_tokens", len(result.tokens))
            return TimedGeneration(result, queued, time.monotonic())

    async def generate_best_of(
        self, request: GenerateRequest, best_of: int
    ) -> tuple[TimedGeneration, list[TimedGeneration]]:
        """Generates `best_of` texts; returns the one with the highest mean log probability, and the others.

        Raises:
            InferError: One of the generations fails.
        """
        with self.metrics.count_outcome(successes=0):
            validate_best_of(best_of, self.settings)
        results = await asyncio.gather(*(self.generate(request) for _ in range(best_of)))
        best = max(
            results, key=lambda each: sum(t.logprob for t in each.generation.tokens) / len(each.generation.tokens)
        )
        return best, [each for each in results if each is not best]

    async def due(self, total: int) -> AsyncIterator[range]:
        """Yields the indexes of tokens when they are due, and an empty range after keep_alive_seconds without tokens.

        Raises:
            GenerationError: The settings make the generation fail.
        """
        settings = self.settings
        fails_at = settings.fail_after_tokens
        end = total if fails_at is None else min(total, fails_at)
        async for indexes in due(
            end,
            tokens_per_second=settings.tokens_per_second,
            first_token_seconds=settings.first_token_seconds,
            keep_alive_seconds=settings.keep_alive_seconds,
        ):
            yield indexes
        if fails_at is not None:
            raise GenerationError(_FAILURE)
