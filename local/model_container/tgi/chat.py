"""Chat: converts requests to generations, and finds tool calls in generated tokens (chat.rs)."""

from __future__ import annotations

import json
import time
import uuid
from json.encoder import encode_basestring
from typing import Any

from local.model_container.generation import Generation
from local.model_container.serde.errors import JsonError
from local.model_container.serde.requests import ChatRequest, GenerateRequest, Grammar, Parameters
from local.model_container.serde.types import Field, compact, debug, read_json, string, structure
from local.model_container.tgi import chat_template, tools
from local.model_container.tgi.errors import ToolError
from local.model_container.tgi.render import sse, usage
from local.model_container.tokens import Token

_CALL = structure("Call", [Field("function", structure("ToolCall", [Field("_name", string)]))])


def to_generate(chat: ChatRequest) -> tuple[GenerateRequest, bool]:
    """Converts a chat request to a generation; also returns whether a tool call is expected.

    Raises:
        ToolError: tools and response_format are combined, or tool_choice is not one of the tools.
    """
    if chat.response_format is not None and chat.tools is not None:
        raise ToolError("Grammar and tools are mutually exclusive")
    usable = tools.allowed_tools(chat.tools, chat.tool_choice) if chat.tools is not None else []
    grammar = Grammar("json", tools.tool_schema(usable)) if usable else chat.response_format
    parameters = Parameters(
        temperature=chat.temperature or None,
        do_sample=chat.temperature != 0,
        repetition_penalty=None if chat.presence_penalty is None else chat.presence_penalty + 2,
        frequency_penalty=chat.frequency_penalty,
        top_p=chat.top_p,
        max_new_tokens=chat.max_tokens,
        stop=chat.stop or [],
        details=True,
        seed=chat.seed,
        top_n_tokens=chat.top_logprobs,
        grammar=grammar,
        adapter_id=None if chat.model == "tgi" else chat.model,
    )
    prompt = chat_template.render(chat.messages, usable or None, chat.tool_prompt)
    return GenerateRequest(prompt, parameters, chat.stream, add_special_tokens=False), bool(usable)


def next_tool_call_id(chat: ChatRequest) -> str:
    """One more than the highest id of the previous calls; a random id if they are not numbers."""
    ids = [call["id"] for message in chat.messages for call in message.get("tool_calls", [])]
    if all(id_.isascii() and id_.isdigit() for id_ in ids):
        return str(max((int(id_) + 1 for id_ in ids), default=0))
    return str(uuid.uuid4())


def parse_call(text: str) -> tuple[str, dict[str, Any]] | None:
    """The name and arguments of a tool call, or None if the text is not a complete call."""
    try:
        call = json.loads(text)
    except ValueError:
        return None
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("_name"), str):
        return None
    return function.pop("_name"), function


def parse_output(text: str) -> list[dict[str, Any]] | None:
    """The tool calls in a generated text; None if the model has chosen no tool.

    Raises:
        ToolError: The text is not a call, for example because it was truncated.
    """
    try:
        read_json(text.encode(), _CALL)
    except JsonError as error:
        error.path = ()
        raise ToolError(f"Failed to parse generated text: {error} {debug(text)}") from error
    parsed = parse_call(text)
    if parsed is None:
        raise ToolError(f"Failed to parse generated text: trailing characters {debug(text)}")
    name, arguments = parsed
    if name == "no_tool":
        return None
    function = {"description": None, "name": name, "arguments": compact(arguments)}
    return [{"id": "0", "type": "function", "function": function}]


def logprobs(tokens: list[Token], top_tokens: list[list[Token]]) -> dict[str, Any]:
    """The `logprobs` of a chat response."""
    content = [
        {
            "token": token.text,
            "logprob": token.logprob,
            "top_logprobs": [
                {"token": top.text, "logprob": top.logprob} for top in (top_tokens[at] if top_tokens else [])
            ],
        }
        for at, token in enumerate(tokens)
    ]
    return {"content": content}


class ChatState:
    """Converts the tokens of a generation to chat chunks.

    If a tool call is expected, nothing is sent until the name of the function is complete; then its arguments follow.

    Args:
        chat: The request.
        model: The model name in the response.
        fingerprint: The system fingerprint.
        using_tools: Whether a tool call is expected.
    """

    def __init__(self, chat: ChatRequest, model: str, fingerprint: str, *, using_tools: bool) -> None:
        self._buffering = using_tools
        self._in_tool = False
        self._text = ""
        self._usage = bool(chat.stream_options["include_usage"])
        self._logprobs = bool(chat.logprobs)
        self._id = encode_basestring(next_tool_call_id(chat))
        self._tail = (
            f'"model":{encode_basestring(model)},"system_fingerprint":{encode_basestring(fingerprint)},"choices":['
        )

    def push(self, generation: Generation, index: int) -> bytes | None:
        """The events of a token; None if the model has chosen no tool."""
        token = generation.tokens[index]
        if self._buffering:
            events = self._name(generation, index, token)
        elif self._in_tool:
            events = self._arguments(generation, index, token)
        else:
            events = self._content(generation, index, token)
        if events is None or index + 1 < len(generation.tokens) or not self._usage:
            return events
        counts = compact(usage(generation.input_length, len(generation.tokens)))
        return events + sse(f'{self._head()}],"usage":{counts}}}')

    def _name(self, generation: Generation, index: int, token: Token) -> bytes | None:
        self._text += token.text
        call = parse_call(self._text.rstrip(" \t\r\n,}") + "}}")
        if call is None:
            return b""
        if call[0] == "no_tool":
            return None
        self._buffering, self._in_tool = False, True
        return self._tool(generation, index, "{", encode_basestring(call[0]))

    def _arguments(self, generation: Generation, index: int, token: Token) -> bytes:
        self._text += token.text
        text = token.text
        if parse_call(self._text) is not None:
            self._buffering, self._in_tool = True, False
            text = text.rstrip().removesuffix("}")
        return self._tool(generation, index, text, "null")

    def _content(self, generation: Generation, index: int, token: Token) -> bytes:
        text = '""' if token.special else encode_basestring(token.text)
        return self._chunk(generation, index, f'{{"role":"assistant","content":{text}}}')

    def _tool(self, generation: Generation, index: int, arguments: str, name: str) -> bytes:
        if generation.tokens[index].special:
            return self._chunk(generation, index, '{"role":"assistant","content":""}')
        function = f'{{"name":{name},"arguments":{encode_basestring(arguments)}}}'
        call = f'{{"index":0,"id":{self._id},"type":"function","function":{function}}}'
        return self._chunk(generation, index, f'{{"role":"assistant","tool_calls":[{call}]}}')

    def _chunk(self, generation: Generation, index: int, delta: str) -> bytes:
        reason = f'"{generation.openai_finish_reason}"' if index + 1 == len(generation.tokens) else "null"
        probabilities = "null"
        if self._logprobs:
            top = generation.top_tokens[index : index + 1]
            probabilities = compact(logprobs([generation.tokens[index]], top))
        choice = f'{{"index":0,"delta":{delta},"logprobs":{probabilities},"finish_reason":{reason}}}'
        return sse(f'{self._head()}{choice}],"usage":null}}')

    def _head(self) -> str:
        return f'{{"object":"chat.completion.chunk","id":"","created":{int(time.time())},{self._tail}'


def completion(
    generation: Generation,
    message: dict[str, Any],
    model: str,
    fingerprint: str,
    prompt_tokens: int,
    *,
    with_logprobs: bool,
) -> dict[str, Any]:
    """The body of a non-streaming chat response."""
    choice = {
        "index": 0,
        "message": message,
        "logprobs": logprobs(generation.tokens, generation.top_tokens) if with_logprobs else None,
        "finish_reason": generation.openai_finish_reason,
    }
    return {
        "object": "chat.completion",
        "id": "",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": fingerprint,
        "choices": [choice],
        "usage": usage(prompt_tokens, len(generation.tokens)),
    }
