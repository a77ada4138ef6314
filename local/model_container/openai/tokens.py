"""/tokenize and /detokenize."""

from __future__ import annotations

from typing import Any

from local.model_container import tokenizer
from local.model_container.openai.engine import Engine
from local.model_container.openai.errors import validation_error
from local.model_container.openai.prompt import Prompt, render_chat
from local.model_container.openai.prompt import tokenize as tokens_of
from local.model_container.openai.requests import ChatRequest, read_request


def tokenize(engine: Engine, body: dict[str, Any]) -> dict[str, Any]:
    """The tokens of a prompt or a chat.

    Raises:
        ApiError: The body has neither.
    """
    settings = engine.settings
    if "prompt" in body:
        prompt = tokens_of(body["prompt"], add_special_tokens=body.get("add_special_tokens", True))
    elif "messages" in body:
        chat = read_request(ChatRequest, body)
        prompt = tokens_of(render_chat(chat, settings, []), add_special_tokens=chat.add_special_tokens)
    else:
        missing = [("body", name) for name in ("prompt", "messages")]
        raise validation_error(
            [{"type": "missing", "loc": loc, "msg": "Field required", "input": body} for loc in missing]
        )
    strings = [piece.text.replace(" ", "Ġ") for piece in prompt.pieces] if body.get("return_token_strs") else None
    return _answer(prompt, settings.max_model_len, strings)


def _answer(prompt: Prompt, max_model_len: int, strings: list[str] | None) -> dict[str, Any]:
    ids = prompt.ids
    return {"count": len(ids), "max_model_len": max_model_len, "tokens": ids, "token_strs": strings}


def detokenize(body: dict[str, Any]) -> dict[str, Any]:
    """The text of tokens."""
    return {"prompt": "".join(piece.text for piece in tokenizer.decode(body["tokens"]))}
