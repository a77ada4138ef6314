"""Prompts: from messages or texts to tokens, within the length of the model (renderers/params.py of vLLM 0.30)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from local.model_container import tokenizer
from local.model_container.conversation import GENERATION_PROMPT, render_turns
from local.model_container.openai.errors import ApiError, ParameterError
from local.model_container.openai.messages import has_media, text_of
from local.model_container.openai.requests import ChatRequest, CompletionRequest, Tool
from local.model_container.openai.settings import Settings
from local.model_container.serde.types import compact
from local.model_container.tokenizer import Piece

_CHARACTERS_PER_TOKEN = 20  # of the longest token of a vocabulary
_VOCABULARY = 128_256


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and its tokens."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def ids(self) -> list[int]:
        """The ids of its tokens."""
        return [piece.id for piece in self.pieces]


def render_chat(request: ChatRequest, settings: Settings, tools: list[Tool]) -> str:
    """The text of a conversation.

    Raises:
        ApiError: There is no conversation, or the model cannot read it.
    """
    messages = request.turns
    if request.chat_template is not None and not settings.trusts_templates:
        raise ApiError(
            "Chat template is passed with request, but --trust-request-chat-template is not set. Refused request with "
            "untrusted chat template."
        )
    if not messages:
        raise ApiError("Cannot apply chat template to an empty conversation. Provide at least one message.")
    if any(map(has_media, messages)):
        raise ApiError(f"{settings.model} is not a multimodal model")
    if request.chat_template is not None:
        return "".join(map(text_of, messages))  # the toy knows no Jinja: a template of contents alone
    turns = [(str(message.get("role")), _text(message)) for message in messages]
    if tools:
        turns.insert(0, ("system", "\n".join(compact(tool.model_dump(exclude_unset=True)) for tool in tools)))
    if request.continue_final_message:
        *turns, (role, text) = turns
        return f"{render_turns(turns)}<|start_header_id|>{role}<|end_header_id|>\n\n{text.rstrip()}"
    return render_turns(turns) + (GENERATION_PROMPT if request.add_generation_prompt else "")


def _text(message: dict[str, object]) -> str:
    calls = message.get("tool_calls")
    return text_of(message) or (compact(calls) if calls else "")


def tokenize(text: str, *, add_special_tokens: bool) -> Prompt:
    """The tokens of a text."""
    return Prompt(text, tuple(tokenizer.tokenize(text, add_special_tokens=add_special_tokens)))


def read_prompts(request: CompletionRequest) -> list[Prompt]:
    """The prompts of a request, which may have them as tokens.

    Raises:
        ApiError: There is none, or a token is not in the vocabulary.
    """
    given = request.prompt
    if not given:
        raise ApiError("You must pass at least one prompt")
    is_one = isinstance(given, str) or isinstance(given[0], int)
    prompts: list[Any] = [given] if is_one else list(given)
    return [
        tokenize(each, add_special_tokens=request.add_special_tokens) if isinstance(each, str) else from_ids(each)
        for each in prompts
    ]


def from_ids(ids: list[int]) -> Prompt:
    """The prompt of tokens.

    Raises:
        ApiError: One of them is not in the vocabulary.
    """
    for id_ in ids:
        if not 0 <= id_ < _VOCABULARY:
            raise ApiError(f"Token id {id_} is out of vocabulary")
    pieces = tuple(tokenizer.decode(ids))
    return Prompt("".join(piece.text for piece in pieces if not piece.special), pieces)


def fit(prompt: Prompt, request: ChatRequest | CompletionRequest, settings: Settings) -> tuple[Prompt, int]:
    """Truncates a prompt as requested; also returns how many tokens its answer may have.

    Raises:
        ApiError: It is too long.
    """
    length, name, wanted = settings.max_model_len, *_wanted(request)
    if wanted is not None and wanted > length:
        limit = length if settings.clamps_max_tokens else f"max_total_tokens={length}"
        raise ParameterError(
            f"{name}={wanted} cannot be greater than max_model_len={limit}. Please request fewer output tokens.",
            name,
            wanted,
        )
    room = length if settings.clamps_max_tokens else length - (wanted or 0)
    prompt = _truncate(prompt, request, settings, room)
    if request.truncate_prompt_tokens is None:
        _check_length(prompt, settings, wanted or 0, room)
    left = length - len(prompt.pieces)
    return prompt, left if wanted is None else min(left, wanted)


def _wanted(request: ChatRequest | CompletionRequest) -> tuple[str, int | None]:
    if isinstance(request, ChatRequest) and request.max_completion_tokens is not None:
        return "max_completion_tokens", request.max_completion_tokens
    if isinstance(request, CompletionRequest) and request.echo and request.max_tokens == 0:
        return "max_tokens", 1
    return "max_tokens", request.max_tokens


def _truncate(prompt: Prompt, request: ChatRequest | CompletionRequest, settings: Settings, room: int) -> Prompt:
    keep = request.truncate_prompt_tokens
    if keep is None:
        return prompt
    if keep > room:
        other = "max_model_len" if settings.clamps_max_tokens else f"max_model_len - {_wanted(request)[0]}"
        raise ParameterError(
            f"truncate_prompt_tokens={keep} cannot be greater than {other} = {room}. Please request a smaller "
            "truncation size.",
            "truncate_prompt_tokens",
            keep,
        )
    if keep == -1:
        keep = room - 1 if settings.clamps_max_tokens else room
    if len(prompt.pieces) <= keep:
        return prompt
    first, *others = prompt.pieces
    kept = prompt.pieces[:keep]
    if request.truncation_side != "right":
        head = (first,) if first.special else ()
        rest = keep - len(head)
        kept = (*head, *others[len(others) - rest :])
    return replace(prompt, text="".join(piece.text for piece in kept), pieces=kept)


def _check_length(prompt: Prompt, settings: Settings, wanted: int, room: int) -> None:
    begin = f"This model's maximum context length is {settings.max_model_len} tokens. However, "
    most, characters, tokens = room * _CHARACTERS_PER_TOKEN, len(prompt.text), len(prompt.pieces)
    end = "Please reduce the length of the input prompt or the number of requested output tokens."
    asks = f"you requested {wanted} output tokens and your prompt contains"
    if settings.clamps_max_tokens:
        asks, end = "your prompt contains", "Please reduce the length of the input prompt."
    if characters > most:
        raise ParameterError(
            f"{begin}{asks} {characters} characters (more than {most} characters, which is the upper bound for {room} "
            f"input tokens). {end}",
            "input_text",
            characters,
        )
    if tokens > room:
        # The tokenizer stops behind the first token too many.
        tokens = room + 1
        total = f", for a total of at least {tokens + wanted} tokens. "
        if settings.clamps_max_tokens:
            total = ", which exceeds this limit even without any output tokens. "
        raise ParameterError(f"{begin}{asks} at least {tokens} input tokens{total}{end}", "input_tokens", tokens)
