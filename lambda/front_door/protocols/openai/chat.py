"""OpenAI's chat completions (https://platform.openai.com/docs/api-reference/chat/create)."""

import json
from collections.abc import Mapping
from typing import Any

from front_door.context import RequestContext
from front_door.generation.choice import Choice
from front_door.generation.events import Delta
from front_door.generation.request import GenerationRequest, Problems, ResponseFormat, some_of
from front_door.http.json import compact
from front_door.http.response import Response
from front_door.protocols.openai.chunks import Chunks
from front_door.protocols.openai.responses import EndpointShape, respond
from front_door.protocols.openai.schema import CHAT
from front_door.protocols.openai.validation import common_members, validate

SCHEMA_MEMBERS = ("json_schema", "value", "schema")
"""Where a response format has its schema: the first of them that is not null."""


def chat_completions(ctx: RequestContext) -> Response:
    """`POST /v1/chat/completions`, buffered or streamed."""
    body = ctx.request.json_object()
    return respond(ctx, body, _SHAPE)


def invoke_chat(ctx: RequestContext) -> Response:
    """A body with `messages` on a route of TGI's: unknown names are ignored, as TGI does."""
    body = ctx.request.json_object()
    return respond(ctx, body, _SHAPE, strict=False)


def parse_chat(body: Mapping[str, Any], problems: Problems, strict: bool) -> GenerationRequest:
    """Validate a chat; if `strict`, an unknown name is a problem."""
    valid = validate(body, CHAT, problems, strict=strict)
    return GenerationRequest(
        messages=valid.get("messages", []),
        **common_members(valid, 1, problems),
        max_tokens=_max_tokens(valid, problems),
        logprobs=bool(valid.get("logprobs")),
        top_logprobs=_top_logprobs(valid, problems),
        **read_tools(valid, problems),
        tool_prompt=valid.get("tool_prompt"),
        response_format=read_response_format(valid.get("response_format")),
    )


def _max_tokens(valid: Mapping[str, Any], problems: Problems) -> int | None:
    max_tokens: int | None = valid.get("max_completion_tokens", valid.get("max_tokens"))
    if max_tokens != valid.get("max_tokens", max_tokens):
        sentence = "max_tokens and max_completion_tokens are the same parameter and differ: set one of them"
        problems.add("max_tokens", sentence)
    return max_tokens


def _top_logprobs(valid: Mapping[str, Any], problems: Problems) -> int | None:
    top: int | None = valid.get("top_logprobs")
    if top is not None and not valid.get("logprobs"):
        problems.add("top_logprobs", "top_logprobs is allowed with logprobs only: set `logprobs` to true")
    return top


def read_tools(valid: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The tools, how the model is to choose among them, and the names of those that it may call."""
    if problems.is_about("tools") or problems.is_about("tool_choice"):
        return {}
    tools: list[dict[str, Any]] = valid.get("tools") or []
    names = [tool["function"]["name"] for tool in tools]
    choice = valid.get("tool_choice", "auto")
    allowed = names
    if isinstance(choice, dict) and choice["type"] == "allowed_tools":
        allowed = [tool["function"]["name"] for tool in choice["allowed_tools"]["tools"]]
        choice = choice["allowed_tools"]["mode"]
    elif isinstance(choice, dict):
        allowed = [choice["function"]["name"]]
    elif choice not in ("auto", "none", "required"):
        allowed = [choice]
    if not tools and choice not in ("auto", "none"):
        problems.add("tool_choice", "tool_choice is allowed with tools only: give `tools` or leave it out")
    elif tools and choice == "required" and not allowed:
        problems.add("tool_choice", "tool_choice requires a call but allows no tool: name one in `allowed_tools.tools`")
    elif not set(allowed) <= set(names):
        problems.add("tool_choice", f"tool_choice names a function that is not among the tools: {some_of(names)}")
    return {"tools": tools, "tool_choice": choice, "allowed_tools": allowed}


def read_response_format(requested: Mapping[str, Any] | None) -> ResponseFormat | None:
    """The format in OpenAI's or TGI's form; None if the text is free."""
    if requested is None or requested["type"] == "text":
        return None
    name = next((name for name in SCHEMA_MEMBERS if requested.get(name) is not None), None)
    if name is None:
        return ResponseFormat()
    path, value = f"response_format.{name}", requested[name]
    if requested["type"] == "regex":
        return ResponseFormat(regex=value, path=path)
    if requested["type"] == "json_schema":
        described = {name: value.get(name) for name in ("name", "description")}
        return ResponseFormat(value["schema"], **described, path=f"{path}.schema")
    return ResponseFormat(json.loads(value) if isinstance(value, str) else value, path=path)


class ChatChunks(Chunks):
    """Writes the chunks of a choice of a chat completion; the first one has the role."""

    def __init__(self, choice: Choice, request: GenerationRequest, index: int, head: dict[str, Any]) -> None:
        super().__init__(choice, request, index, head)
        self._first: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}

    def translate_deltas(self, deltas: list[Delta]) -> list[bytes]:
        """The chunks for some deltas."""
        return [self._translate(delta) for delta in deltas]

    def last_chunk(self) -> bytes:
        """The chunk that says why the text ended."""
        return self.chunk({"delta": self._take_role()}, finish_reason=self.choice.finish_reason)

    def text_members(self, text: object) -> dict[str, Any]:
        """The members of a choice that has nothing but text."""
        return {"delta": {"content": text}}

    def _take_role(self) -> dict[str, Any]:
        first, self._first = self._first, {}
        return first

    def _translate(self, delta: Delta) -> bytes:
        if delta.arguments is None:
            logprobs = {"content": delta.logprobs, "refusal": None} if delta.logprobs else None
            return self.chunk({"delta": self._take_role() | {"content": delta.text}}, logprobs=logprobs)
        call: dict[str, Any] = {"index": 0, "function": {"arguments": delta.arguments}}
        if delta.tool_name is None:
            return self.chunk({"delta": {"tool_calls": [call]}})
        call = {"index": 0, "id": delta.call_id, "type": "function"}
        call["function"] = {"name": delta.tool_name, "arguments": delta.arguments}
        return self.chunk({"delta": self._take_role() | {"content": None, "tool_calls": [call]}})


def chat_members(deltas: list[Delta], request: GenerationRequest, _index: int) -> dict[str, Any]:
    """The members of a choice of a buffered response."""
    text = "".join(delta.text for delta in deltas)
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    call = next((delta for delta in deltas if delta.tool_name is not None), None)
    if call is not None:
        arguments = "".join(delta.arguments or "" for delta in deltas)
        function = {"name": call.tool_name, "arguments": _normalize_arguments(arguments)}
        message["content"] = text or None
        message["tool_calls"] = [{"id": call.call_id, "type": "function", "function": function}]
    entries = [entry for delta in deltas for entry in delta.logprobs]
    logprobs = {"content": entries, "refusal": None} if request.logprobs and call is None else None
    return {"message": message, "logprobs": logprobs}


def _normalize_arguments(arguments: str) -> str:
    """Arguments as TGI's buffered route writes them; unchanged if they were cut off."""
    try:
        return compact(json.loads(arguments)).decode()
    except (ValueError, RecursionError):
        return arguments


_SHAPE = EndpointShape(
    "chat",
    "/v1/chat/completions",
    "chatcmpl-",
    "chat.completion",
    "chat.completion.chunk",
    parse_chat,
    ChatChunks,
    chat_members,
)
