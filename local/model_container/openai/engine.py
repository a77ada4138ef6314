"""The engine behind the routes: its models and adapters, how many requests it takes, and when tokens are due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from local.model_container import pace, toy
from local.model_container.openai.constraint import Constraint
from local.model_container.openai.errors import EngineDeadError, ModelNotFoundError, QueueOverflowError
from local.model_container.openai.generation import Output, generate
from local.model_container.openai.prompt import Prompt
from local.model_container.openai.sampling import Sampling
from local.model_container.openai.settings import Settings

_PRIME = 7919


class Engine:
    """Replaces an engine with the toy.

    Args:
        settings: What the container was started with.

    Attributes:
        adapters: The LoRA adapters by name: where each was loaded from.
        unfinished: The texts that are generated or wait.
        started: When it started, in seconds since 1970.
        finished: The texts that were generated.
        generated_tokens: Their tokens.
        prompt_tokens: The tokens of their prompts.
        is_dead: Whether it has failed: it answers nothing any more.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.adapters = dict(settings.adapters)
        self.unfinished = 0
        self.started = int(time.time())
        self.finished = self.generated_tokens = self.prompt_tokens = 0
        self.is_dead = settings.fail_after_tokens == 0
        self._slots = asyncio.Semaphore(settings.max_running)

    def check_model(self, model: str | None) -> str:
        """The name that an answer has for a model or adapter; the first one of the model if none is asked for.

        Raises:
            ModelNotFoundError: There is no such model.
        """
        names = self.settings.names
        if model in self.adapters:
            return str(model)
        if model and model not in names:
            raise ModelNotFoundError(model, names)
        return names[0]

    def generate(self, prompt: Prompt, sampling: Sampling, constraint: Constraint | None, model: str) -> list[Output]:
        """The texts for a prompt, before any token of them is due."""
        outputs = []
        for choice in range(sampling.n):
            seed = None if sampling.seed is None else sampling.seed + choice * _PRIME
            if constraint is None:
                text = toy.generate_text(prompt.text, seed, self.settings.min_words)
                text = f" Adapter {model}:{text}" if model in self.adapters else text
            else:
                text = constraint.generate(toy.words_of(prompt.text))
            outputs.append(generate(text, sampling))
        return outputs

    @asynccontextmanager
    async def admit(self, count: int) -> AsyncIterator[None]:
        """Holds the places of so many texts.

        Raises:
            ApiError: The queue is full, or the engine is dead.
        """
        limit = self.settings.max_unfinished
        if self.is_dead:
            raise EngineDeadError
        if limit is not None and self.unfinished + count > limit:
            raise QueueOverflowError
        self.unfinished += count
        try:
            async with self._slots:
                yield
        finally:
            self.unfinished -= count

    async def due(self, outputs: list[Output], prompt_tokens: int) -> AsyncIterator[range]:
        """Yields the positions of tokens when they are due; an empty range where a stream gets a comment.

        Raises:
            EngineDeadError: The settings make the engine die.
        """
        settings = self.settings
        total = max(len(output.steps) for output in outputs)
        fails_at = settings.fail_after_tokens
        self.prompt_tokens += prompt_tokens
        async for positions in pace.due(
            total if fails_at is None else min(total, fails_at),
            tokens_per_second=settings.tokens_per_second,
            first_token_seconds=settings.first_token_seconds,
            keep_alive_seconds=settings.keep_alive_seconds or float("inf"),
        ):
            yield positions
        if fails_at is not None:
            self.is_dead = True
            raise EngineDeadError
        self.finished += len(outputs)
        self.generated_tokens += sum(len(output.steps) for output in outputs)
