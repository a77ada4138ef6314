"""The messages of a chat, by the names that pydantic's errors have for them (openai.types.chat, openai_harmony)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Required

from pydantic import BaseModel
from typing_extensions import TypedDict

Parts = Iterable[dict[str, Any]]


class ChatCompletionDeveloperMessageParam(TypedDict, total=False):
    """Instructions."""

    content: Required[str | Parts]
    role: Required[Literal["developer"]]
    name: str


class ChatCompletionSystemMessageParam(TypedDict, total=False):
    """Instructions."""

    content: Required[str | Parts]
    role: Required[Literal["system"]]
    name: str


class ChatCompletionUserMessageParam(TypedDict, total=False):
    """A question."""

    content: Required[str | Parts]
    role: Required[Literal["user"]]
    name: str


class ChatCompletionAssistantMessageParam(TypedDict, total=False):
    """An answer, or calls of tools."""

    role: Required[Literal["assistant"]]
    content: str | Parts | None
    name: str
    refusal: str | None
    tool_calls: Iterable[dict[str, Any]]


class ChatCompletionToolMessageParam(TypedDict, total=False):
    """The result of a call."""

    content: Required[str | Parts]
    role: Required[Literal["tool"]]
    tool_call_id: Required[str]


class ChatCompletionFunctionMessageParam(TypedDict, total=False):
    """The result of a call, as it was before there were tools."""

    content: Required[str | None]
    name: Required[str]
    role: Required[Literal["function"]]


class CustomChatCompletionMessageParam(TypedDict, total=False):
    """A message with any role."""

    role: Required[str]
    content: str | list[dict[str, Any]]
    name: str
    tool_call_id: str | None
    tool_calls: Iterable[dict[str, Any]] | None
    reasoning: str | None
    tools: list[dict[str, Any]] | None


class Message(BaseModel):
    """A message of Harmony."""

    author: dict[str, Any]
    content: list[dict[str, Any]] = []


AnyMessage = (
    ChatCompletionDeveloperMessageParam
    | ChatCompletionSystemMessageParam
    | ChatCompletionUserMessageParam
    | ChatCompletionAssistantMessageParam
    | ChatCompletionToolMessageParam
    | ChatCompletionFunctionMessageParam
    | CustomChatCompletionMessageParam
    | Message
)


def text_of(message: dict[str, Any]) -> str:
    """The texts of a message's parts, one a line; none if it has no content."""
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in content)
    return "" if content is None else str(content)


def has_media(message: dict[str, Any]) -> bool:
    """Whether a message has a part that is not text."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    kinds = [part.get("type", "text") for part in parts if isinstance(part, dict)]
    return any(kind not in ("text", "refusal", "thinking") for kind in kinds)
