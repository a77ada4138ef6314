"""Anthropic's messages as those of a chat.

Chat templates want a system message first, then users and assistants in turn, and the results of tools right behind
their calls. Anthropic allows more: what follows in the same role is joined, system messages go to the first one.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

# Claude Code sends this one first. It is for Anthropic, and another one in each request: with it in the prompt no
# request could use what a container has cached of the one before.
_ATTRIBUTION = "x-anthropic-billing-header"


class Chat:
    """The messages of a chat, and where they are in the client's request.

    Attributes:
        messages: In OpenAI's form.
        names: From a message or part in the chat to the client's message or block.
    """

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.names: dict[str, str] = {}

    def add_system(self, body: Mapping[str, Any]) -> None:
        """Add all system texts as the first message."""
        contents = [body.get("system") or ""]
        contents += [each["content"] for each in body.get("messages", ()) if each["role"] == "system"]
        texts = [block["text"] for content in contents for block in _blocks(content)]
        texts = [text for text in texts if text and not text.startswith(_ATTRIBUTION)]
        if texts:
            self._add({"role": "system", "content": "\n".join(texts)}, "system")

    def add_turns(self, messages: Iterable[dict[str, Any]]) -> None:
        """Add the messages of users and assistants.

        Raises:
            ValueError: A number is not finite.
            RecursionError: The input of a tool is nested too deeply.
        """
        for at, message in enumerate(messages):
            path = f"messages[{at}].content"
            if message["role"] == "user":
                self._add_user(_blocks(message["content"]), path)
            elif message["role"] == "assistant":
                self._add_assistant(_blocks(message["content"]), path)
        for each in self.messages:
            if each["role"] == "user":
                each["content"] = _simplest(each["content"])

    def _add_user(self, blocks: list[dict[str, Any]], path: str) -> None:
        parts = []
        for at, block in enumerate(blocks):
            if block["type"] == "tool_result":
                parts += self._add_result(block, f"{path}[{at}]")
            else:
                parts += _parts(block, f"{path}[{at}]")
        if not parts:
            return
        if not self.messages or self.messages[-1]["role"] != "user":
            self._add({"role": "user", "content": []}, path.removesuffix(".content"))
        joined, of_last = self.messages[-1]["content"], f"messages[{len(self.messages) - 1}].content"
        for part, name in parts:
            if part["type"] == "text" and joined and joined[-1]["type"] == "text":
                joined[-1] = {"type": "text", "text": f"{joined[-1]['text']}\n{part['text']}"}
            else:
                self.names[f"{of_last}[{len(joined)}]"] = self.names[f"{of_last}[{len(joined)}].image_url"] = name
                joined.append(part)

    def _add_result(self, block: dict[str, Any], path: str) -> list[tuple[dict[str, Any], str]]:
        """Add the text of a result; returns its images, which templates read in messages of users only."""
        parts = [
            part
            for at, each in enumerate(_blocks(block.get("content") or ""))
            for part in _parts(each, f"{path}.content[{at}]")
        ]
        text = "\n".join(part["text"] for part, _ in parts if part["type"] == "text")
        if block.get("is_error"):
            text = f"Error: {text}"
        self._add({"role": "tool", "tool_call_id": block["tool_use_id"], "content": text}, path)
        return [each for each in parts if each[0]["type"] != "text"]

    def _add_assistant(self, blocks: list[dict[str, Any]], path: str) -> None:
        text = "\n".join(block["text"] for block in blocks if block["type"] == "text" and block["text"])
        calls = [_call(block) for block in blocks if block["type"] == "tool_use"]
        last = self.messages[-1] if self.messages else {}
        if not text and not calls:
            return
        if last.get("role") != "assistant":
            last = {"role": "assistant", "content": None}
            self._add(last, path.removesuffix(".content"))
        last["content"] = "\n".join(each for each in (last["content"], text) if each) or None
        if calls:
            last["tool_calls"] = [*last.get("tool_calls", ()), *calls]

    def _add(self, message: dict[str, Any], path: str) -> None:
        self.names[f"messages[{len(self.messages)}]"] = path
        self.messages.append(message)


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _simplest(parts: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Text alone as a string, which every template reads."""
    return str(parts[0]["text"]) if len(parts) == 1 and parts[0]["type"] == "text" else parts


def _call(block: dict[str, Any]) -> dict[str, Any]:
    arguments = json.dumps(block["input"], ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    function = {"name": block["name"], "arguments": arguments}
    return {"id": block["id"], "type": "function", "function": function}


def _parts(block: dict[str, Any], path: str) -> list[tuple[dict[str, Any], str]]:
    """What the model sees of a block, each part with its place in the client's request."""
    if block["type"] == "image":
        source = block["source"]
        is_url = source["type"] == "url"
        url = source["url"] if is_url else f"data:{source['media_type']};base64,{source['data']}"
        return [({"type": "image_url", "image_url": {"url": url}}, path)]
    text = _text(block)
    return [({"type": "text", "text": text}, path)] if text else []


def _text(block: dict[str, Any]) -> str:
    """The text of a block; that of a document or a search result begins with what it is called."""
    if block["type"] == "text":
        return str(block["text"])
    if block["type"] == "tool_reference":
        return str(block["tool_name"])
    source = block["source"]
    if block["type"] == "document":
        content = source["data"] if source["type"] == "text" else source["content"]
        head = [block.get("title"), block.get("context")]
    else:
        content, head = block["content"], [block["title"], source]
    return "\n".join(each for each in (*head, *(text["text"] for text in _blocks(content))) if each)
