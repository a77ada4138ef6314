"""The items of `input` as the messages of a chat."""

from collections.abc import Iterable
from typing import Any

from front_door.protocols.responses.schema import item_type


class Messages:
    """The messages of a chat, from valid items.

    Attributes:
        messages: The messages.
        names: Where each of them is in the client's request.
    """

    def __init__(self, instructions: str | None, items: str | list[dict[str, Any]]) -> None:
        self.messages: list[dict[str, Any]] = []
        self.names: dict[str, str] = {}
        if instructions is not None:
            self._add({"role": "system", "content": instructions}, "instructions")
        if isinstance(items, str):
            self._add({"role": "user", "content": items}, "input")
            return
        for at, item in enumerate(items):
            self._read(item, item_type(item), f"input[{at}]")

    def _read(self, item: dict[str, Any], kind: object, path: str) -> None:
        if kind == "message":
            self._read_message(item, path)
        elif kind == "function_call":
            self._read_call(item, path)
        elif kind == "function_call_output":
            content = _content(item["output"])
            self._add({"role": "tool", "tool_call_id": item["call_id"], "content": content}, path)
            self.names[f"messages[{len(self.messages) - 1}].content"] = f"{path}.output"

    def _read_message(self, item: dict[str, Any], path: str) -> None:
        role, last = item["role"], self.messages[-1] if self.messages else {}
        if role == "user":
            self._read_user(_content(item["content"]), path)
        elif role == "assistant":
            text = _text(item["content"], "")
            if last.get("tool_calls"):
                last["content"] = (last.get("content") or "") + text  # still the turn that called the tools
            else:
                self._add({"role": "assistant", "content": text}, path)
        elif last.get("role") == "system":
            # Many chat templates have one system message, before all others.
            last["content"] += "\n\n" + _text(item["content"], "\n")
        else:
            self._add({"role": "system", "content": _text(item["content"], "\n")}, path)

    def _read_user(self, content: str | list[dict[str, Any]], path: str) -> None:
        """Messages of users that follow each other are one: many chat templates have users and assistants in turn."""
        if not self.messages or self.messages[-1]["role"] != "user":
            self._add({"role": "user", "content": content}, path)
            return
        before = self.messages[-1]["content"]
        if isinstance(before, str) and isinstance(content, str):
            self.messages[-1]["content"] = f"{before}\n\n{content}"
            return
        parts = _as_parts(before)
        for at, part in enumerate(_as_parts(content)):
            self.names[f"messages[{len(self.messages) - 1}].content[{len(parts)}]"] = f"{path}.content[{at}]"
            parts.append(part)
        self.messages[-1]["content"] = parts

    def _read_call(self, item: dict[str, Any], path: str) -> None:
        """Calls that follow each other, and the text before them, are one message."""
        if not self.messages or self.messages[-1]["role"] != "assistant":
            self._add({"role": "assistant", "content": None}, path)
        function = {"name": item["name"], "arguments": item["arguments"]}
        call = {"id": item["call_id"], "type": "function", "function": function}
        self.messages[-1].setdefault("tool_calls", []).append(call)

    def _add(self, message: dict[str, Any], path: str) -> None:
        self.names[f"messages[{len(self.messages)}]"] = path
        self.messages.append(message)


def _content(content: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Text, or the parts of a chat message if there are images."""
    if isinstance(content, str) or not any(part["type"] == "input_image" for part in content):
        return _text(content, "\n")
    return [_part(part) for part in content]


def _as_parts(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else [*content]


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] != "input_image":
        return {"type": "text", "text": _text([part], "")}
    detail = {} if part.get("detail") is None else {"detail": part["detail"]}
    return {"type": "image_url", "image_url": {"url": part["image_url"], **detail}}


def _text(content: str | Iterable[dict[str, Any]], separator: str) -> str:
    if isinstance(content, str):
        return content
    return separator.join(part["refusal" if part["type"] == "refusal" else "text"] for part in content)
