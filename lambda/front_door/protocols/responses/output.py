"""The items of a response's output while the model writes them, and their events."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from front_door.http.json import compact


class Event(NamedTuple):
    """An event of a stream: its type, and its other members but the sequence number, as JSON after a comma."""

    type: str
    members: bytes


class Item:
    """One item; its text is kept as JSON, as the events have it, and joined at the end.

    Args:
        response_id: The id of its response.
        index: Its index in the output.

    Attributes:
        delta_type: The type of the events that have the pieces of its text.
        before: The members of such an event up to the text.
        after: Those behind it.
        if_empty: The text of an item that has ended without one, as JSON.
    """

    prefix = ""
    delta_type = ""
    after = b'"'
    if_empty = b""

    def __init__(self, response_id: str, index: int) -> None:
        self.id = f"{self.prefix}_{response_id}_{index}"
        self._index = index
        self._texts: list[bytes] = []
        self._place = b',"item_id":%b,"output_index":%d' % (compact(self.id), index)

    @property
    def before(self) -> bytes:
        """See above."""
        return self._place + b',"delta":"'

    @property
    def is_empty(self) -> bool:
        """Whether it has no text so far."""
        return not self._texts

    def add(self, texts: Iterable[bytes]) -> None:
        """Add pieces of the text: JSON without its quotation marks."""
        self._texts += texts

    def begin(self) -> list[Event]:
        """The events before its text."""
        return [self._item_event("added", self.as_json("in_progress"))]

    def end(self, item: bytes) -> list[Event]:
        """The events after its text; `item` is its final JSON."""
        return [self._item_event("done", item)]

    def as_json(self, status: str) -> bytes:
        """The item with the text that it has so far."""
        raise NotImplementedError

    def _text(self) -> bytes:
        return b'"' + b"".join(self._texts) + b'"'

    def _item_event(self, what: str, item: bytes) -> Event:
        return Event(f"response.output_item.{what}", b',"output_index":%d,"item":%b' % (self._index, item))


class TextItem(Item):
    """An item whose text is its only part.

    Attributes:
        done_type: The type of the event that has the whole text.
        part_type: The type of the part.
    """

    done_type = ""
    part_type = b""

    def __init__(self, response_id: str, index: int) -> None:
        super().__init__(response_id, index)
        self._place += b',"content_index":0'

    def begin(self) -> list[Event]:
        """See `Item`."""
        return [*super().begin(), self._part_event("added")]

    def end(self, item: bytes) -> list[Event]:
        """See `Item`."""
        text = Event(self.done_type, self._place + b',"text":' + self._text() + self._logprobs())
        return [text, self._part_event("done"), *super().end(item)]

    def as_json(self, status: str) -> bytes:
        """See `Item`."""
        content = b"" if status == "in_progress" else self._part()
        return compact({"id": self.id, **self._members(), "status": status})[:-1] + b',"content":[%b]}' % content

    def _members(self) -> dict[str, Any]:
        raise NotImplementedError

    def _part(self) -> bytes:
        return b'{"type":"%b","text":%b%b}' % (self.part_type, self._text(), self._logprobs())

    def _logprobs(self) -> bytes:
        return b""

    def _part_event(self, what: str) -> Event:
        return Event(f"response.content_part.{what}", self._place + b',"part":' + self._part())


class Message(TextItem):
    """Text for the user."""

    prefix = "msg"
    delta_type = "response.output_text.delta"
    done_type = "response.output_text.done"
    part_type = b"output_text"
    after = b'","logprobs":[]'

    def __init__(self, response_id: str, index: int) -> None:
        super().__init__(response_id, index)
        self._entries: list[dict[str, Any]] = []

    def add_with_logprobs(self, text: bytes, logprobs: Iterable[Mapping[str, Any]]) -> Event:
        """Add a piece of the text with the log probabilities of its tokens, in the form of a chat's."""
        entries = [_entry(each) for each in logprobs]
        self.add([text])
        self._entries += entries
        return Event(self.delta_type, self.before + text + b'","logprobs":' + compact(entries))

    def _members(self) -> dict[str, Any]:
        return {"type": "message", "role": "assistant"}

    def _part(self) -> bytes:
        return super()._part()[:-1] + b',"annotations":[]}'

    def _logprobs(self) -> bytes:
        return b',"logprobs":' + compact(self._entries)


class Reasoning(TextItem):
    """What the model thinks before its answer."""

    prefix = "rs"
    delta_type = "response.reasoning_text.delta"
    done_type = "response.reasoning_text.done"
    part_type = b"reasoning_text"

    def _members(self) -> dict[str, Any]:
        return {"type": "reasoning", "summary": [], "encrypted_content": None}


class Call(Item):
    """The call of a function; its text is the arguments."""

    prefix = "fc"
    delta_type = "response.function_call_arguments.delta"
    if_empty = b"{}"

    def __init__(self, response_id: str, index: int, name: str, call_id: str | None) -> None:
        super().__init__(response_id, index)
        self._name = name
        self._call_id = call_id or f"call_{response_id}_{index}"

    def end(self, item: bytes) -> list[Event]:
        """See `Item`."""
        members = self._place + b',"name":%b,"arguments":%b' % (compact(self._name), self._text())
        return [Event("response.function_call_arguments.done", members), *super().end(item)]

    def as_json(self, status: str) -> bytes:
        """See `Item`."""
        call = {"id": self.id, "type": "function_call", "status": status, "call_id": self._call_id, "name": self._name}
        return compact(call)[:-1] + b',"arguments":%b}' % self._text()


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The log probability of a token and its alternatives."""
    return {**_token(entry), "top_logprobs": [_token(each) for each in entry.get("top_logprobs") or ()]}


def _token(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A chat may have null for the bytes of a token, a response has not."""
    token, found = entry["token"], entry.get("bytes")
    return {"token": token, "bytes": list(token.encode()) if found is None else found, "logprob": entry["logprob"]}
