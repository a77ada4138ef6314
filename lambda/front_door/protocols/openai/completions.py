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
from front_door.protocols.openai.validation import common_members, model_of, validate


def completions(ctx: RequestContext) -> Response:
    """`POST /v1/completions`, buffered or streamed."""
    body = ctx.request.json_object()
    return respond(ctx, model_of(ctx, body), body, _SHAPE)


def invoke_completion(ctx: RequestContext) -> Response:
    """A body with `prompt` on a route of TGI's: unknown names are ignored, as TGI does."""
    body = ctx.request.json_object()
    return respond(ctx, model_of(ctx, body), body, _SHAPE, strict=False)


def parse_completion(body: Mapping[str, Any], problems: Problems, strict: bool) -> GenerationRequest:
    """Validate a completion; if `strict`, an unknown name is a problem."""
    valid = validate(body, COMPLETION, problems, strict=strict)
    prompts = valid.get("prompt", [])
    prompts = [prompts] if isinstance(prompts, str) else prompts
    return GenerationRequest(
        prompts=prompts,
        **common_members(valid, len(prompts), problems),
        max_tokens=valid.get("max_tokens"),
        logprobs=valid.get("logprobs"),
        best_of=valid.get("best_of"),
        suffix=valid.get("suffix"),
        echo=bool(valid.get("echo")),
    )


class CompletionChunks(Chunks):
    """Writes the chunks of a choice of a completion; if the prompt is echoed, it is the first one."""

    def __init__(self, choice: Choice, request: GenerationRequest, index: int, head: dict[str, Any]) -> None:
        super().__init__(choice, request, index, head)
        self._echo = request.echoed(index)

    def translate_deltas(self, deltas: list[Delta]) -> list[bytes]:
        """The chunks for some deltas."""
        if self._echo and self.choice.error is None:
            deltas = [Delta(self._echo), *deltas]
            self._echo = ""
        return [self.chunk(self.text_members(delta.text)) for delta in deltas]

    def last_chunk(self) -> bytes:
        """The chunk that says why the text ended."""
        return self.chunk(self.text_members(""), finish_reason=self.choice.finish_reason)

    def text_members(self, text: object) -> dict[str, Any]:
        """The members of a choice that has nothing but text."""
        return {"text": text}


def completion_members(deltas: list[Delta], request: GenerationRequest, index: int) -> dict[str, Any]:
    """The members of a choice of a buffered response."""
    return {"text": request.echoed(index) + "".join(delta.text for delta in deltas), "logprobs": None}


_SHAPE = EndpointShape(
    "cmpl-", "text_completion", "text_completion", parse_completion, CompletionChunks, completion_members
)
