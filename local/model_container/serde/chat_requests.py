"""The chat request of TGI 3.3.6 (router/src/lib.rs, ChatRequest and its parts)."""

from __future__ import annotations

from typing import Any

from local.model_container.serde import requests, types
from local.model_container.serde.errors import JsonError
from local.model_container.serde.reader import JsonReader
from local.model_container.serde.requests import COMPAT_GENERATE, COMPLETION, ChatRequest
from local.model_container.serde.types import Field, option, sequence, structure, untagged

_FUNCTION_DEFINITION = structure(
    "FunctionDefinition",
    [
        Field("description", option(types.string), lambda: None),
        Field("name", types.string),
        Field("arguments", types.value, aliases=("parameters",)),
    ],
)
_TOOL = structure("Tool", [Field("type", types.string), Field("function", _FUNCTION_DEFINITION)])
_TOOL_CALL = structure(
    "ToolCall", [Field("id", types.string), Field("type", types.string), Field("function", _FUNCTION_DEFINITION)]
)
_URL = structure("Url", [Field("url", types.string)])


def _message_chunk(reader: JsonReader) -> str:
    """Reads a part of a message, as the text that TGI converts it to."""
    start, path = reader.index, reader.path
    content = reader.value()
    again = JsonReader(reader.data, start, path)
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "text":
        return str(structure("MessageChunk", [Field("text", types.string)])(again)["text"])
    if kind == "image_url":
        return f"![]({structure('MessageChunk', [Field('image_url', _URL)])(again)['image_url']['url']})"
    raise JsonError("no variant of MessageChunk", path)


def _join_content(chunks: dict[str, Any]) -> dict[str, Any]:
    content = chunks["content"]
    return {"content": content if isinstance(content, str) else "".join(content)}


_CONTENT = untagged("MessageContent", [types.string, sequence(_message_chunk)])
_BODY = [
    structure("MessageBody", [Field("content", _CONTENT)], _join_content),
    structure("MessageBody", [Field("tool_calls", sequence(_TOOL_CALL))]),
]
_HEAD = structure("Message", [Field("role", types.string), Field("name", option(types.string), lambda: None)])


def _message(reader: JsonReader) -> dict[str, Any]:
    """Reads a struct with a flattened untagged body: `content` or `tool_calls`."""
    if reader.peek() != ord("{"):
        raise types.invalid_type(reader, "struct Message")
    start, path = reader.index, reader.path
    head: dict[str, Any] = _HEAD(reader)
    for body in _BODY:
        try:
            return {"role": head["role"], **body(JsonReader(reader.data, start, path))}
        except JsonError:
            continue
    raise reader.data_error("data did not match any variant of untagged enum MessageBody")


def _typed_choice(reader: JsonReader) -> str:
    name = structure("FunctionName", [Field("name", types.string)])
    found = structure("TypedChoice", [Field("type", types.string), Field("function", name)])(reader)
    if found["type"] != "function":
        raise JsonError(f"unknown variant `{found['type']}`, expected `function`", reader.path)
    return f"function:{found['function']['name']}"


def _named_choice(reader: JsonReader) -> str:
    name = types.string(reader)
    return name if name in ("none", "auto", "required") else f"function:{name}"


def _no_choice(reader: JsonReader) -> str:
    types.null(reader)
    return "auto"


CHAT = structure(
    "ChatRequest",
    [
        Field("model", option(types.string), lambda: None, positional=False),
        Field("messages", sequence(_message)),
        Field("frequency_penalty", option(types.float32), lambda: None),
        Field("logit_bias", option(sequence(types.float32)), lambda: None),
        Field("logprobs", option(types.boolean), lambda: None),
        Field("top_logprobs", option(types.U32), lambda: None),
        Field("max_tokens", option(types.U32), lambda: None, aliases=("max_completion_tokens",)),
        Field("n", option(types.U32), lambda: None),
        Field("presence_penalty", option(types.float32), lambda: None),
        Field("stop", option(sequence(types.string)), lambda: None),
        Field("stream", types.boolean, bool),
        Field("seed", option(types.U64), lambda: None, positional=False),
        Field("temperature", option(types.float32), lambda: None),
        Field("top_p", option(types.float32), lambda: None),
        Field("tools", option(sequence(_TOOL)), lambda: None),
        Field("tool_prompt", option(types.string), lambda: None),
        Field(
            "tool_choice",
            untagged("ToolTypeDeserializer", [_no_choice, _named_choice, _typed_choice]),
            lambda: "auto",
        ),
        Field("response_format", option(requests.grammar), lambda: None),
        Field(
            "stream_options",
            structure("StreamOptions", [Field("include_usage", types.boolean, bool)]),
            lambda: {"include_usage": False},
        ),
    ],
    lambda found: ChatRequest(**found),
)

SAGEMAKER = untagged("SagemakerRequest", [COMPAT_GENERATE, CHAT, COMPLETION])
"""The body of /invocations: the first of generate, chat and completion that matches."""
