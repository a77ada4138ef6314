"""/tokenize and /detokenize."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from local.model_container import tokenizer
from local.model_container.openai.engine import Engine
from local.model_container.openai.errors import validation_error
from local.model_container.openai.prompt import Prompt, render_chat
from local.model_container.openai.prompt import tokenize as tokens_of
from local.model_container.openai.requests import ChatRequest, read_body


class _TokenizeRequest(BaseModel):
    prompt: str
    add_special_tokens: bool = True


class _DetokenizeRequest(BaseModel):
    tokens: list[int]


def tokenize(engine: Engine, body: Any) -> dict[str, Any]:
    """The tokens of a prompt or a chat.

    Raises:
        ApiError: The body has neither.
        InvalidBodyError: One of them has another shape.
    """
    settings = engine.settings
    given = body if isinstance(body, dict) else {}
    if "prompt" in given:
        request = read_body(_TokenizeRequest, body)
        prompt = tokens_of(request.prompt, add_special_tokens=request.add_special_tokens)
    elif "messages" in given:
        chat = read_body(ChatRequest, body)
        prompt = tokens_of(render_chat(chat, settings, []), add_special_tokens=chat.add_special_tokens)
    else:
        missing = {"type": "missing", "msg": "Field required", "input": body}
        raise validation_error([{**missing, "loc": ("body", name)} for name in ("prompt", "messages")])
    strings = [piece.text.replace(" ", "Ġ") for piece in prompt.pieces] if given.get("return_token_strs") else None
    return _answer(prompt, settings.max_model_len, strings)


def _answer(prompt: Prompt, max_model_len: int, strings: list[str] | None) -> dict[str, Any]:
    ids = prompt.ids
    return {"count": len(ids), "max_model_len": max_model_len, "tokens": ids, "token_strs": strings}


def detokenize(body: Any) -> dict[str, Any]:
    """The text of tokens.

    Raises:
        InvalidBodyError: The body has none.
    """
    request = read_body(_DetokenizeRequest, body)
    return {"prompt": "".join(piece.text for piece in tokenizer.decode(request.tokens))}
