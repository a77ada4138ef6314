"""The `logprobs` of a completion, which OpenAI gives another form than those of a chat."""

from collections.abc import Sequence
from typing import Any

from front_door.generation.events import Delta


def completion_logprobs(deltas: Sequence[Delta], start: int = 0) -> dict[str, list[Any]]:
    """The tokens of some deltas in OpenAI's `Logprobs`.

    Args:
        deltas: Deltas with the log probabilities of their tokens.
        start: Where their text begins in the choice's text, in characters.
    """
    entries = []
    for delta in deltas:
        end, at = start + len(delta.text), start
        for entry in delta.logprobs:
            entries.append((entry, min(at, end)))
            at += len(entry["token"])
        start = end
    return {
        "tokens": [entry["token"] for entry, _ in entries],
        "token_logprobs": [entry["logprob"] for entry, _ in entries],
        "top_logprobs": [_by_token(entry) for entry, _ in entries],
        "text_offset": [at for _, at in entries],
    }


def _by_token(entry: dict[str, Any]) -> dict[str, float] | None:
    """The token and its alternatives; of those with the same text, such as parts of characters, the first counts."""
    if entry["logprob"] is None:
        return None
    return {each["token"]: each["logprob"] for each in reversed(entry["top_logprobs"])}
