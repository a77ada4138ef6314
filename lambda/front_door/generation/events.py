"""What a container's events mean, whatever engine sent them."""

from typing import Any, NamedTuple


class Delta(NamedTuple):
    """What one event adds to a choice: text, or a part of a tool call.

    Attributes:
        text: Text.
        logprobs: The log probability of each of its tokens, in OpenAI's form.
        tool_name: The name of the tool, in the first part of a call.
        call_id: The id of the call, in its first part.
        arguments: A part of the call's arguments, which are JSON once complete; None if it is text.
    """

    text: str = ""
    logprobs: tuple[dict[str, Any], ...] = ()
    tool_name: str | None = None
    call_id: str | None = None
    arguments: str | None = None


class FastPathTemplate(NamedTuple):
    """How a container writes an event that has nothing but text: its beginning, and what is around the text's JSON.

    Quotation marks in a text are escaped, so that no text can contain the last two.
    """

    prefix: bytes
    before_text: bytes
    after_text: bytes
