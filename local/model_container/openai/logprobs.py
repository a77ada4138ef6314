"""Log probabilities in the forms of OpenAI's routes, and of the prompt in vLLM's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from local.model_container.openai.prompt import Prompt
from local.model_container.tokenizer import BOS
from local.model_container.tokens import Token, most_likely, token_of


def _name(token: Token, *, as_ids: bool) -> str:
    return f"token_id:{token.id}" if as_ids else token.text


def chat_logprobs(tokens: Iterable[Token], top: int, *, as_ids: bool) -> dict[str, Any]:
    """The `logprobs` of a choice of a chat."""

    def entry(token: Token, encoded: str) -> dict[str, Any]:
        return {"token": _name(token, as_ids=as_ids), "logprob": token.logprob, "bytes": list(encoded.encode())}

    return {
        "content": [
            {
                **entry(token, token.text),
                "top_logprobs": [
                    entry(each, _name(each, as_ids=as_ids)) for each in (most_likely(token, top) if top else [])
                ],
            }
            for token in tokens
        ]
    }


class CompletionLogprobs:
    """The `logprobs` of a choice of a completion; an event of a stream goes on where the one before it ended.

    Args:
        top: The most likely tokens per position.
        as_ids: Whether tokens are given as `token_id:…`.
    """

    def __init__(self, top: int, *, as_ids: bool) -> None:
        self._top = top
        self._as_ids = as_ids
        self._offset = 0

    def render(self, tokens: Iterable[Token], prompt: Sequence[Token] = ()) -> dict[str, Any]:
        """The log probabilities of tokens behind those of the prompt, if it is echoed."""
        found: dict[str, Any] = {"text_offset": [], "token_logprobs": [], "tokens": [], "top_logprobs": []}
        for at, token in enumerate([*prompt, *tokens]):
            name = _name(token, as_ids=self._as_ids)
            is_first = bool(prompt) and at == 0  # nothing is before it
            likely = most_likely(token, max(self._top, 1))
            found["text_offset"].append(self._offset)
            found["token_logprobs"].append(None if is_first else token.logprob)
            found["tokens"].append(name)
            found["top_logprobs"].append(
                None if is_first else {_name(each, as_ids=self._as_ids): each.logprob for each in likely}
            )
            self._offset += len(name)
        return found


def prompt_tokens(prompt: Prompt) -> list[Token]:
    """The tokens of a prompt, each with its text; half a character has none."""
    pieces = (piece._replace(text=BOS) if piece.special and not piece.text else piece for piece in prompt.pieces)
    return [token_of(piece, at) for at, piece in enumerate(pieces)]


def prompt_logprobs(prompt: Prompt, top: int) -> list[dict[str, Any] | None]:
    """The `prompt_logprobs` of an answer."""
    first, *others = prompt_tokens(prompt)
    del first  # nothing is before it
    return [None, *({str(each.id): _ranked(rank, each) for rank, each in _likely(token, top)} for token in others)]


def _likely(token: Token, top: int) -> Iterable[tuple[int, Token]]:
    return enumerate(most_likely(token, max(top, 1)), 1)


def _ranked(rank: int, token: Token) -> dict[str, Any]:
    return {"logprob": token.logprob, "rank": rank, "decoded_token": token.text}
