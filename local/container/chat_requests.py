"""The chat request's body as serde reads it (router/src/lib.rs, ChatRequest and what it is made of)."""

from __future__ import annotations

from typing import Any

from local.container import requests, serde
from local.container.json_error import JsonError
from local.container.json_reader import JsonReader
from local.container.requests import COMPAT_GENERATE, COMPLETION, ChatRequest
from local.container.serde import Field, option, sequence, structure, untagged

_FUNCTION_DEFINITION = structure(
    "FunctionDefinition",
    [
        Field("description", option(serde.string), lambda: None),
        Field("name", serde.string),
        Field("arguments", serde.value, aliases=("parameters",)),
    ],
)
_TOOL = structure("Tool", [Field("type", serde.string), Field("function", _FUNCTION_DEFINITION)])
_TOOL_CALL = structure(
    "ToolCall", [Field("id", serde.string), Field("type", serde.string), Field("function", _FUNCTION_DEFINITION)]
)
_URL = structure("Url", [Field("url", serde.string)])


def _message_chunk(reader: JsonReader) -> str:
    """One part of a message, as the text that TGI makes of it."""
    start, path = reader.index, reader.path
    content = reader.value()
    again = JsonReader(reader.data, start, path)
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "text":
        return str(structure("MessageChunk", [Field("text", serde.string)])(again)["text"])
    if kind == "image_url":
        return f"![]({structure('MessageChunk', [Field('image_url', _URL)])(again)['image_url']['url']})"
    raise JsonError("no variant of MessageChunk", path)


def _joined(chunks: dict[str, Any]) -> dict[str, Any]:
    content = chunks["content"]
    return {"content": content if isinstance(content, str) else "".join(content)}


_CONTENT = untagged("MessageContent", [serde.string, sequence(_message_chunk)])
_BODY = [
    structure("MessageBody", [Field("content", _CONTENT)], _joined),
    structure("MessageBody", [Field("tool_calls", sequence(_TOOL_CALL))]),
]
_HEAD = structure("Message", [Field("role", serde.string), Field("name", option(serde.string), lambda: None)])


def _message(reader: JsonReader) -> dict[str, Any]:
    """A struct with a flattened untagged body: `content`, or else `tool_calls`."""
    if reader.peek() != ord("{"):
        raise serde.invalid_type(reader, "struct Message")
    start, path = reader.index, reader.path
    head: dict[str, Any] = _HEAD(reader)
    for body in _BODY:
        try:
            return {"role": head["role"], **body(JsonReader(reader.data, start, path))}
        except JsonError:
            continue
    raise reader.data_error("data did not match any variant of untagged enum MessageBody")


def _typed_choice(reader: JsonReader) -> str:
    name = structure("FunctionName", [Field("name", serde.string)])
    found = structure("TypedChoice", [Field("type", serde.string), Field("function", name)])(reader)
    if found["type"] != "function":
        raise JsonError(f"unknown variant `{found['type']}`, expected `function`", reader.path)
    return f"function:{found['function']['name']}"


def _named_choice(reader: JsonReader) -> str:
    name = serde.string(reader)
    return name if name in ("none", "auto", "required") else f"function:{name}"


def _no_choice(reader: JsonReader) -> str:
    serde.null(reader)
    return "auto"


CHAT = structure(
    "ChatRequest",
    [
        Field("model", option(serde.string), lambda: None, positional=False),
        Field("messages", sequence(_message)),
        Field("frequency_penalty", option(serde.float32), lambda: None),
        Field("logit_bias", option(sequence(serde.float32)), lambda: None),
        Field("logprobs", option(serde.boolean), lambda: None),
        Field("top_logprobs", option(serde.U32), lambda: None),
        Field("max_tokens", option(serde.U32), lambda: None, aliases=("max_completion_tokens",)),
        Field("n", option(serde.U32), lambda: None),
        Field("presence_penalty", option(serde.float32), lambda: None),
        Field("stop", option(sequence(serde.string)), lambda: None),
        Field("stream", serde.boolean, bool),
        Field("seed", option(serde.U64), lambda: None, positional=False),
        Field("temperature", option(serde.float32), lambda: None),
        Field("top_p", option(serde.float32), lambda: None),
        Field("tools", option(sequence(_TOOL)), lambda: None),
        Field("tool_prompt", option(serde.string), lambda: None),
        Field(
            "tool_choice",
            untagged("ToolTypeDeserializer", [_no_choice, _named_choice, _typed_choice]),
            lambda: "auto",
        ),
        Field("response_format", option(requests.grammar), lambda: None),
        Field(
            "stream_options",
            structure("StreamOptions", [Field("include_usage", serde.boolean, bool)]),
            lambda: {"include_usage": False},
        ),
    ],
    lambda found: ChatRequest(**found),
)

SAGEMAKER = untagged("SagemakerRequest", [COMPAT_GENERATE, CHAT, COMPLETION])
"""What /invocations takes: the first of generate, chat and completion that fits."""
