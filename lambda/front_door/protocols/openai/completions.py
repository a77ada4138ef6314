"""OpenAI's completions (https://platform.openai.com/docs/api-reference/completions/create)."""

from collections.abc import Mapping
from typing import Any

from front_door.context import RequestContext
from front_door.generation.choice import Choice
from front_door.generation.events import Delta
from front_door.generation.request import GenerationRequest, Problems
from front_door.http.response import Response
from front_door.protocols.openai.chunks import Chunks
from front_door.protocols.openai.responses import EndpointShape, respond
from front_door.protocols.openai.schema import COMPLETION
from front_door.protocols.openai.validation import MAX_CHOICES, common_members, validate


def completions(ctx: RequestContext) -> Response:
    """`POST /v1/completions`, buffered or streamed."""
    body = ctx.request.json_object()
    return respond(ctx, body, _SHAPE)


def invoke_completion(ctx: RequestContext) -> Response:
    """A body with `prompt` on a route of TGI's: unknown names are ignored, as TGI does."""
    body = ctx.request.json_object()
    return respond(ctx, body, _SHAPE, strict=False)


def parse_completion(body: Mapping[str, Any], problems: Problems, strict: bool) -> GenerationRequest:
    """Validate a completion; if `strict`, an unknown name is a problem."""
    valid = validate(body, COMPLETION, problems, strict=strict)
    prompts = valid.get("prompt", [])
    prompts = [prompts] if isinstance(prompts, str) else prompts
    common = common_members(valid, len(prompts), problems)
    max_tokens, logprobs = valid.get("max_tokens"), valid.get("logprobs")
    return GenerationRequest(
        prompts=prompts,
        **common,
        # A server generates at least one token; it is dropped.
        max_tokens=max_tokens if max_tokens is None else max(1, max_tokens),
        keeps_text=max_tokens != 0,
        logprobs=None if logprobs is False else logprobs,
        best_of=_best_of(valid, common["n"], len(prompts), problems),
        suffix=valid.get("suffix"),
        echo=bool(valid.get("echo")),
        tgi_parameters=valid.get("tgi_parameters", {}),
    )


def _best_of(valid: Mapping[str, Any], n: int, prompts: int, problems: Problems) -> int | None:
    best_of: int | None = valid.get("best_of")
    if best_of in (None, 1, n):
        return None
    if best_of < n:
        problems.add("best_of", f"best_of ({best_of}) is less than n ({n}): raise it or leave it out")
    elif valid.get("stream"):
        problems.add("best_of", "best_of above n cannot be streamed: leave one of `best_of` and `stream` out")
    elif best_of * prompts > MAX_CHOICES:
        which = f"best_of ({best_of})" + (f" times the number of prompts ({prompts})" if prompts > 1 else "")
        problems.add("best_of", f"{which} is more than the {MAX_CHOICES} texts that one request may generate")
    return min(best_of, MAX_CHOICES)


class CompletionChunks(Chunks):
    """Writes the chunks of a choice of a completion; if the prompt is echoed, it is the first one."""

    def __init__(self, choice: Choice, request: GenerationRequest, index: int, head: dict[str, Any]) -> None:
        super().__init__(choice, request, index, head)
        self._echo = request.echoed(index)
        self._length = 0

    def translate_deltas(self, deltas: list[Delta]) -> list[bytes]:
        """The chunks for some deltas."""
        if self._echo and self.choice.error is None:
            deltas = [Delta(self._echo), *deltas]
            self._echo = ""
        return [self._translate(delta) for delta in deltas]

    def last_chunk(self) -> bytes:
        """The chunk that says why the text ended."""
        return self.chunk(self.text_members(""), finish_reason=self.choice.finish_reason)

    def text_members(self, text: object) -> dict[str, Any]:
        """The members of a choice that has nothing but text."""
        return {"text": text}

    def _translate(self, delta: Delta) -> bytes:
        logprobs = _logprobs([delta], self._length) if delta.logprobs else None
        self._length += len(delta.text)
        return self.chunk(self.text_members(delta.text), logprobs=logprobs)


def completion_members(deltas: list[Delta], request: GenerationRequest, index: int) -> dict[str, Any]:
    """The members of a choice of a buffered response."""
    text = request.echoed(index) + "".join(delta.text for delta in deltas)
    return {"text": text, "logprobs": None if request.logprobs is None else _logprobs(deltas)}


def _logprobs(deltas: list[Delta], start: int = 0) -> dict[str, list[Any]]:
    """The tokens of some deltas in OpenAI's form, which is not that of chats; their text begins at `start`."""
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


_SHAPE = EndpointShape(
    "completions",
    "/v1/completions",
    "cmpl-",
    "text_completion",
    "text_completion",
    parse_completion,
    CompletionChunks,
    completion_members,
)
