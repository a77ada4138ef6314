"""/v1/completions."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from local.model_container.openai import usage
from local.model_container.openai.answers import (
    DONE,
    KEEP_ALIVE,
    Chunks,
    error_event,
    event,
    json_response,
    send_events,
    with_comments,
)
from local.model_container.openai.constraint import read_constraint
from local.model_container.openai.engine import Engine
from local.model_container.openai.errors import ApiError
from local.model_container.openai.generation import Output, Step
from local.model_container.openai.logprobs import CompletionLogprobs, prompt_logprobs, prompt_tokens
from local.model_container.openai.prompt import Prompt, fit, read_prompts
from local.model_container.openai.requests import CompletionRequest
from local.model_container.openai.sampling import Sampling, sample


@dataclass(frozen=True, slots=True)
class Completion:
    """Completions of prompts, before any of them is sent: those of the first prompt, of the second, and so on."""

    request: CompletionRequest
    id: str
    created: int
    model: str
    prompts: list[Prompt]
    sampling: Sampling
    outputs: list[Output]
    engine: Engine

    @property
    def head(self) -> dict[str, Any]:
        """The first members of an answer."""
        return {"id": self.id, "object": "text_completion", "created": self.created, "model": self.model}

    @property
    def has_only_prompt(self) -> bool:
        """Whether the prompt is echoed, and nothing generated."""
        return self.request.echo and self.request.max_tokens == 0

    def prompt_of(self, index: int) -> Prompt:
        """The prompt of a choice."""
        return self.prompts[index // self.sampling.n]

    def logprobs(self) -> CompletionLogprobs | None:
        """What renders the log probabilities of a choice, if requested."""
        top = self.sampling.logprobs
        as_ids = bool(self.request.return_tokens_as_token_ids)
        return None if top is None else CompletionLogprobs(top, as_ids=as_ids)

    def echoed(self, index: int) -> str:
        """What is before the text of a choice: with the ids of tokens, those of the prompt are all that is of it."""
        pieces = self.prompt_of(index).pieces if self.request.echo and not self.request.return_token_ids else ()
        return "".join(piece.text for piece in pieces if not piece.special)

    def ids(self, steps: list[Step]) -> list[int] | None:
        """The ids of tokens, if requested."""
        return [step.token.id for step in steps] if self.request.return_token_ids else None

    @property
    def prompt_count(self) -> int:
        """The tokens of all prompts."""
        return sum(len(prompt.pieces) for prompt in self.prompts)


def read_completion(engine: Engine, request: CompletionRequest, request_id: str | None = None) -> Completion:
    """Generates the completions of a request.

    Raises:
        ApiError: The request is rejected.
    """
    settings = engine.settings
    model = engine.check_model(request.model)
    if request.suffix is not None:
        raise ApiError("suffix is only supported for models with FIM completion rendering", param="suffix")
    fitting = [fit(prompt, request, settings) for prompt in read_prompts(request)]
    samplings = [sample(request, settings, max_tokens) for _, max_tokens in fitting]
    constraint = read_constraint(request)
    outputs = [
        output
        for (prompt, _), sampling in zip(fitting, samplings, strict=True)
        for output in engine.generate(prompt, sampling, constraint, model)
    ]
    id_ = f"cmpl-{request_id or request.request_id}"
    prompts = [prompt for prompt, _ in fitting]
    return Completion(request, id_, int(time.time()), model, prompts, samplings[0], outputs, engine)


async def completions(
    http: web.Request, engine: Engine, request: CompletionRequest, request_id: str | None
) -> web.StreamResponse:
    """Answers a request for completions.

    Raises:
        ApiError: The request is rejected, or the engine fails before it has answered.
    """
    completion = read_completion(engine, request, request_id)
    if request.stream:
        return await send_events(http, stream(completion))
    return json_response(await complete(completion))


async def complete(completion: Completion) -> dict[str, Any]:
    """The body of an answer that is no stream, when it is due.

    Raises:
        ApiError: The queue is full, or the engine is dead.
    """
    async with completion.engine.admit(len(completion.outputs)):
        async for _ in completion.engine.due(completion.outputs, completion.prompt_count):
            pass
    settings = completion.engine.settings
    tokens = sum(len(output.steps) for output in completion.outputs)
    return {
        **completion.head,
        "choices": [_choice(completion, index, output) for index, output in enumerate(completion.outputs)],
        "service_tier": None,
        "system_fingerprint": settings.fingerprint,
        "usage": usage.of_answer(completion.prompt_count, tokens, settings, chat=False),
        "kv_transfer_params": None,
        "ec_transfer_params": None,
        "metrics": None,
    }


def _choice(completion: Completion, index: int, output: Output) -> dict[str, Any]:
    request, prompt = completion.request, completion.prompt_of(index)
    logprobs = completion.logprobs()
    steps = [] if completion.has_only_prompt else list(output.steps)
    before = prompt_tokens(prompt) if request.echo else []
    top = completion.sampling.prompt_logprobs
    return {
        "index": index,
        "text": completion.echoed(index) + "".join(step.text for step in steps),
        "logprobs": None if logprobs is None else logprobs.render([step.token for step in steps], before),
        "finish_reason": output.finish_reason,
        "stop_reason": output.stop_reason,
        "token_ids": completion.ids(steps),
        "prompt_logprobs": None if top is None else prompt_logprobs(prompt, top),
        "prompt_token_ids": prompt.ids if request.return_token_ids else None,
        "routed_experts": None,
    }


async def stream(completion: Completion) -> AsyncGenerator[bytes, None]:
    """The chunks of completions, as they are due.

    Raises:
        ApiError: The queue is full, or the engine is dead.
    """
    engine, options = completion.engine, completion.request.stream_options
    async with engine.admit(len(completion.outputs)):
        chunk = _Stream(completion)
        chunks = Chunks(completion.outputs, completion.sampling.interval)
        try:
            async for position in with_comments(engine.due(completion.outputs, completion.prompt_count)):
                if position is None:
                    yield KEEP_ALIVE
                    continue
                for choice, steps, is_last in chunks.add(position):
                    yield chunk.add(choice, steps, is_last=is_last)
            if options is not None and options.include_usage:
                yield chunk.usage()
        except ApiError as error:
            yield error_event(error)
        yield DONE


class _Stream:
    """The chunks of completions."""

    def __init__(self, completion: Completion) -> None:
        self._completion = completion
        options = completion.request.stream_options
        self._has_usage = options is not None and bool(options.include_usage)
        self._counts = self._has_usage and options is not None and bool(options.continuous_usage_stats)
        self._tokens = [0] * len(completion.outputs)
        self._logprobs = [completion.logprobs() for _ in completion.outputs]

    def add(self, index: int, steps: list[Step], *, is_last: bool) -> bytes:
        """The chunk of tokens of a choice."""
        completion, output = self._completion, self._completion.outputs[index]
        is_first = self._tokens[index] == 0
        self._tokens[index] += len(steps)
        logprobs = self._logprobs[index]
        request, prompt = completion.request, completion.prompt_of(index)
        before = prompt_tokens(prompt) if is_first and request.echo else []
        shows_prompt = is_first and (request.return_token_ids or request.echo)
        choice = {
            "index": index,
            "text": (completion.echoed(index) if is_first else "") + "".join(step.text for step in steps),
            "logprobs": None if logprobs is None else logprobs.render([step.token for step in steps], before),
            "finish_reason": output.finish_reason if is_last else None,
            "stop_reason": output.stop_reason if is_last else None,
            "prompt_token_ids": prompt.ids if shows_prompt else None,
            "token_ids": completion.ids(steps),
        }
        more: dict[str, Any] = {}
        if self._counts:
            more["usage"] = usage.counts(len(prompt.pieces), self._tokens[index])
        if is_last and not self._has_usage:
            more["system_fingerprint"] = completion.engine.settings.fingerprint
        return event({**completion.head, "choices": [choice], **more})

    def usage(self) -> bytes:
        """The chunk of a stream's tokens."""
        completion, settings = self._completion, self._completion.engine.settings
        counts = usage.of_stream(completion.prompt_count, sum(self._tokens), settings)
        return event({**completion.head, "choices": [], "usage": counts, "system_fingerprint": settings.fingerprint})
