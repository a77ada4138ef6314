"""One response from the chunks of a stream, as a container would give it without streaming."""

from typing import Any

_OBJECTS = {"chat.completion.chunk": "chat.completion"}
# The pieces of these are joined; of other texts the last one counts.
_JOINED = ("content", "reasoning_content", "reasoning", "refusal", "text", "arguments")


class _Pieces(list[str]):
    """A text of which more may come: joined at the end, as a long answer has very many pieces."""


class Assembly:
    """Puts the chunks of all choices together, whatever members the container gives them."""

    def __init__(self) -> None:
        self._response: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}

    def add(self, chunk: dict[str, Any]) -> None:
        """Add a chunk."""
        for choice in chunk.get("choices", ()):
            index = choice.get("index", 0)
            _merge(self._choices.setdefault(index, {"index": index}), choice)
        _merge(self._response, {name: value for name, value in chunk.items() if name != "choices"})

    def finish(self) -> dict[str, Any]:
        """The response."""
        kind = self._response.get("object")
        choices = [_finish(_joined(self._choices[index])) for index in sorted(self._choices)]
        usage = {"usage": self._response["usage"]} if "usage" in self._response else {}
        head = {name: value for name, value in self._response.items() if name not in ("object", "usage")}
        return {**head, "object": _OBJECTS.get(str(kind), kind), "choices": choices, **usage}


def _finish(choice: dict[str, Any]) -> dict[str, Any]:
    """A choice whose delta is the message."""
    if "delta" not in choice:
        return choice
    message = {"role": "assistant", "content": None, **choice.pop("delta")}
    calls = message.get("tool_calls")
    if calls:
        message["tool_calls"] = [{name: value for name, value in call.items() if name != "index"} for call in calls]
        message["content"] = message["content"] or None  # the first chunk's is empty, whatever follows
    return {"index": choice.pop("index"), "message": message, **choice}


def _merge(target: dict[str, Any], added: dict[str, Any]) -> None:
    for name, value in added.items():
        known = target.get(name)
        if value is None:
            target.setdefault(name, None)
        elif name == "tool_calls" and isinstance(value, list):
            _merge_calls(target, value)
        elif isinstance(value, dict):
            target[name] = known if isinstance(known, dict) else {}
            _merge(target[name], value)
        elif name in _JOINED and isinstance(value, str):
            target[name] = pieces = known if isinstance(known, _Pieces) else _Pieces()
            pieces.append(value)
        elif isinstance(value, list):
            target[name] = items = known if isinstance(known, list) else []
            items += value
        else:
            target[name] = value


def _merge_calls(message: dict[str, Any], pieces: list[dict[str, Any]]) -> None:
    """Join the pieces of tool calls, which say by `index` of which call they are."""
    calls: list[dict[str, Any]] = message.get("tool_calls") or []
    message["tool_calls"] = calls
    for piece in pieces:
        index = piece.get("index", len(calls))
        call = next((each for each in calls if each.get("index") == index), None)
        if call is None:
            calls.append(call := {"index": index})
        _merge(call, piece)


def _joined(value: Any) -> Any:
    """The value with each text in one piece."""
    if isinstance(value, _Pieces):
        return "".join(value)
    if isinstance(value, dict):
        return {name: _joined(each) for name, each in value.items()}
    return [_joined(each) for each in value] if isinstance(value, list) else value
