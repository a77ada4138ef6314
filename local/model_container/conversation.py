"""The toy's chat template, which is similar to Llama 3's."""

from __future__ import annotations

import re
from collections.abc import Iterable

from local.model_container.tokenizer import BOS

GENERATION_PROMPT = "<|start_header_id|>assistant<|end_header_id|>\n\n"
_TURN = re.compile(
    r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\n\n(.*?)(?:<\|eot_id\|>|(?=<\|start_header_id\|>)|\Z)", re.DOTALL
)


def render_turns(turns: Iterable[tuple[str, str]]) -> str:
    """The prompt of a conversation of roles and texts, without what makes the model answer."""
    return BOS + "".join(
        f"<|start_header_id|>{role}<|end_header_id|>\n\n{text.strip()}<|eot_id|>" for role, text in turns
    )


def last_user_text(prompt: str) -> str:
    """The last user message in a rendered conversation, or the complete text if it is not one."""
    turns = [(role, text) for role, text in _TURN.findall(prompt) if role not in ("assistant", "system")]
    return turns[-1][1].split("\n---\n", 1)[0] if turns else prompt


def last_role(prompt: str) -> str | None:
    """The role of the last message in a rendered conversation; None if it is not one."""
    turns: list[tuple[str, str]] = _TURN.findall(prompt)
    if turns[-1:] == [("assistant", "")]:
        turns.pop()  # the response that is to follow
    return turns[-1][0] if turns else None
