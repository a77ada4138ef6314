"""/v1/chat/completions."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterator
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
    random_id,
    send_events,
    with_comments,
)
from local.model_container.openai.constraint import read_constraint
from local.model_container.openai.engine import Engine
from local.model_container.openai.errors import ApiError
from local.model_container.openai.generation import Output, Step, generate
from local.model_container.openai.logprobs import chat_logprobs, prompt_logprobs
from local.model_container.openai.messages import text_of
from local.model_container.openai.prompt import Prompt, fit, render_chat, tokenize
from local.model_container.openai.requests import ChatRequest
from local.model_container.openai.sampling import Sampling, sample
from local.model_container.openai.tools import Call, check_tools, choose_call


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat with all of its answers, before any of them is sent."""

    request: ChatRequest
    id: str
    created: int
    model: str
    prompt: Prompt
    sampling: Sampling
    outputs: list[Output]
    call: Call | None
    engine: Engine

    @property
    def head(self) -> dict[str, Any]:
        """The first members of an answer, without its `object`."""
        return {"created": self.created, "model": self.model}

    def logprobs(self, steps: list[Step]) -> dict[str, Any] | None:
        """The log probabilities of tokens, if requested."""
        top = self.sampling.logprobs
        as_ids = bool(self.request.return_tokens_as_token_ids)
        return None if top is None else chat_logprobs([step.token for step in steps], top, as_ids=as_ids)

    def ids(self, steps: list[Step]) -> list[int] | None:
        """The ids of tokens, if requested."""
        return [step.token.id for step in steps] if self.request.return_token_ids else None

    @property
    def prompt_ids(self) -> list[int] | None:
        """The ids of the prompt's tokens, if requested."""
        return self.prompt.ids if self.request.return_token_ids else None

    @property
    def prompt_text(self) -> str | None:
        """The prompt's text, if requested."""
        return self.prompt.text if self.request.return_prompt_text else None


def read_chat(engine: Engine, request: ChatRequest, request_id: str | None = None) -> Chat:
    """Generates the answers to a request.

    Raises:
        ApiError: The request is rejected.
    """
    settings = engine.settings
    model = engine.check_model(request.model)
    check_tools(request, settings)
    tools = [] if request.tool_choice in (None, "none") else request.tools or []
    text = render_chat(request, settings, tools)
    prompt = tokenize(text, add_special_tokens=request.add_special_tokens)
    prompt, max_tokens = fit(prompt, request, settings)
    sampling = sample(request, settings, max_tokens)
    constraint = read_constraint(request)
    call = choose_call(request, prompt, settings.tool) if constraint is None else None  # a constraint wins
    if call is None:
        outputs = engine.generate(prompt, sampling, constraint, model)
    else:
        outputs = [generate(call.text, sampling) for _ in range(sampling.n)]
    id_ = f"chatcmpl-{request_id or request.request_id}"
    return Chat(request, id_, int(time.time()), model, prompt, sampling, outputs, call, engine)


async def chat_completions(
    http: web.Request, engine: Engine, request: ChatRequest, request_id: str | None
) -> web.StreamResponse:
    """Answers a request for a chat.

    Raises:
        ApiError: The request is rejected, or the engine fails before it has answered.
    """
    chat = read_chat(engine, request, request_id)
    if request.stream:
        return await send_events(http, stream(chat))
    return json_response(await complete(chat))


async def complete(chat: Chat) -> dict[str, Any]:
    """The body of an answer that is no stream, when it is due.

    Raises:
        ApiError: The queue is full, or the engine is dead.
    """
    async with chat.engine.admit(len(chat.outputs)):
        async for _ in chat.engine.due(chat.outputs, len(chat.prompt.pieces)):
            pass
    tokens = sum(len(output.steps) for output in chat.outputs)
    with_prompt = chat.sampling.prompt_logprobs
    return {
        "id": chat.id,
        "object": "chat.completion",
        **chat.head,
        "choices": [_choice(chat, index, output) for index, output in enumerate(chat.outputs)],
        "service_tier": None,
        "system_fingerprint": chat.engine.settings.fingerprint,
        "usage": usage.of_answer(len(chat.prompt.pieces), tokens, chat.engine.settings, chat=True),
        "prompt_logprobs": None if with_prompt is None else prompt_logprobs(chat.prompt, with_prompt),
        "prompt_token_ids": chat.prompt_ids,
        "prompt_text": chat.prompt_text,
        "kv_transfer_params": None,
        "ec_transfer_params": None,
        "metrics": None,
    }


def _choice(chat: Chat, index: int, output: Output) -> dict[str, Any]:
    steps = list(output.steps)
    is_call = chat.call is not None and output.finish_reason == "stop"
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "" if is_call else _echo(chat) + output.text,
        "refusal": None,
        "annotations": None,
        "audio": None,
        "function_call": None,
    }
    if chat.call is not None and is_call:
        function = {"name": chat.call.name, "arguments": chat.call.arguments}
        message["tool_calls"] = [{"id": _call_id(), "type": "function", "function": function}]
    return {
        "index": index,
        "message": {**message, "reasoning": None},
        "logprobs": chat.logprobs(steps),
        "finish_reason": chat.call.finish_reason if chat.call is not None and is_call else output.finish_reason,
        "stop_reason": output.stop_reason,
        "token_ids": chat.ids(steps),
        "routed_experts": None,
    }


def _call_id() -> str:
    return f"chatcmpl-tool-{random_id()}"


def _echo(chat: Chat) -> str:
    """The last message, if it is the beginning of the answer."""
    last = chat.request.turns[-1]
    return text_of(last) if chat.request.echo and last.get("role") == "assistant" else ""


async def stream(chat: Chat) -> AsyncGenerator[bytes, None]:
    """The chunks of a chat, as they are due.

    Raises:
        ApiError: The queue is full, or the engine is dead.
    """
    engine, prompt = chat.engine, len(chat.prompt.pieces)
    options = chat.request.stream_options
    async with engine.admit(len(chat.outputs)):
        chunk = _Stream(chat)
        chunks = Chunks(chat.outputs, chat.sampling.interval)
        try:
            async for position in with_comments(engine.due(chat.outputs, prompt)):
                if position is None:
                    yield KEEP_ALIVE
                    continue
                if position == 0:
                    for index in range(len(chat.outputs)):
                        yield chunk.role(index)
                for choice, steps, is_last in chunks.add(position):
                    for part in chunk.add(choice, steps, is_last=is_last):
                        yield part
            if options is not None and options.include_usage:
                yield chunk.usage()
        except ApiError as error:
            yield error_event(error)
        yield DONE


class _Stream:
    """The chunks of a chat."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._head = {"id": chat.id, "object": "chat.completion.chunk", **chat.head}
        options = chat.request.stream_options
        self._has_usage = options is not None and bool(options.include_usage)
        self._counts = self._has_usage and options is not None and bool(options.continuous_usage_stats)
        self._texts = [""] * len(chat.outputs)
        self._sent = [0] * len(chat.outputs)
        self._named = [False] * len(chat.outputs)
        self._tokens = [0] * len(chat.outputs)

    def role(self, index: int) -> bytes:
        """The first chunk of a choice."""
        choice = {"index": index, "delta": {"role": "assistant", "content": _echo(self._chat)}}
        return self._event(
            index,
            {**choice, "logprobs": None, "finish_reason": None},
            prompt_token_ids=self._chat.prompt_ids,
            prompt_text=self._chat.prompt_text,
        )

    def add(self, index: int, steps: list[Step], *, is_last: bool) -> Iterator[bytes]:
        """The chunks of tokens of a choice."""
        self._tokens[index] += len(steps)
        text = "".join(step.text for step in steps)
        if self._chat.call is None:
            yield self._chunk(index, {"content": text}, steps, is_last=is_last)
            return
        for delta in self._call_deltas(index, text):
            yield self._chunk(index, {"content": None, "tool_calls": [{**delta}]}, steps, is_last=False)
        if is_last:
            yield self._chunk(index, {}, steps, is_last=True)

    def usage(self) -> bytes:
        """The chunk of a stream's tokens."""
        settings = self._chat.engine.settings
        counts = usage.of_stream(len(self._chat.prompt.pieces), sum(self._tokens), settings)
        return event({**self._head, "choices": [], "usage": counts, "system_fingerprint": settings.fingerprint})

    def _call_deltas(self, index: int, text: str) -> Iterator[dict[str, Any]]:
        call = self._chat.call
        self._texts[index] += text
        known = None if call is None else call.known_arguments(self._texts[index])
        if call is None or known is None:
            return
        if not self._named[index]:
            self._named[index] = True
            yield {"id": _call_id(), "type": "function", "index": 0, "function": {"name": call.name}}
        if len(known) > self._sent[index]:
            yield {"index": 0, "function": {"arguments": known[self._sent[index] :]}}
            self._sent[index] = len(known)

    def _chunk(self, index: int, delta: dict[str, Any], steps: list[Step], *, is_last: bool) -> bytes:
        chat, output = self._chat, self._chat.outputs[index]
        end: dict[str, Any] = {"finish_reason": None}
        fingerprint = {}
        if is_last:
            is_call = chat.call is not None and output.finish_reason == "stop"
            reason = chat.call.finish_reason if chat.call is not None and is_call else output.finish_reason
            end = {"finish_reason": reason, "stop_reason": output.stop_reason}
            fingerprint = {} if self._has_usage else {"system_fingerprint": chat.engine.settings.fingerprint}
        choice = {"index": index, "delta": delta, "logprobs": chat.logprobs(steps), **end, "token_ids": chat.ids(steps)}
        return self._event(index, choice, **fingerprint)

    def _event(self, index: int, choice: dict[str, Any], **more: Any) -> bytes:
        counts: dict[str, Any] = {}
        if self._counts:
            numbers = usage.counts(len(self._chat.prompt.pieces), self._tokens[index])
            counts = {"usage": {**numbers, "completion_tokens_details": None}}
        return event({**self._head, "choices": [choice], **counts, **more})
