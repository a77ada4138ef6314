"""What each route does and answers where nothing goes wrong, by the function that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scripts.openapi.schema import Schema, array, record, ref, text

_ONE = array(ref("GenerateResponse"), minItems=1, maxItems=1)
_TEXT = "Deep Learning is a subset of Machine Learning."
_EVENTS = "Server-sent events: each `data:` line is one such object. A failure on the way is the last event."
_DONE = f"{_EVENTS} `data: [DONE]` ends the stream."


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Args:
        id: Its operationId; with a model in the path `OfModel` is added.
        tag: Whose API it belongs to.
        summary: What it is for.
        answer: Schema of its JSON answer. None: it only streams.
        events: Schema of its events. None: it does not stream.
        example: An answer.
        description: What else the caller must know.
        answer_type: The answer's content type.
    """

    id: str
    tag: str
    summary: str
    answer: Schema | None = None
    events: Schema | None = None
    example: Any = None
    description: str = ""
    ends_with_done: bool = False

    def success(self) -> dict[str, Any]:
        """The answer with status 200."""
        content: dict[str, Any] = {}
        if self.answer is not None:
            example = {} if self.example is None else {"example": self.example}
            content["application/json"] = {"schema": self.answer, **example}
        if self.events is not None:
            content["text/event-stream"] = {"schema": self.events}
        description = "" if self.events is None else _DONE if self.ends_with_done else _EVENTS
        return {"description": description or "The answer.", "content": content}


_MODEL = {"id": "llama", "object": "model", "created": 0, "owned_by": "meta-llama/Llama-3.1-8B-Instruct"}

OPERATIONS: dict[str, Operation] = {
    "tgi.compat_generate": Operation(
        "compatGenerate",
        "TGI",
        "Generate text, in one piece or streamed",
        _ONE,
        ref("StreamResponse"),
        [{"generated_text": _TEXT}],
    ),
    "tgi.generate": Operation(
        "generate", "TGI", "Generate text", ref("GenerateResponse"), example={"generated_text": _TEXT}
    ),
    "tgi.generate_stream": Operation("generateStream", "TGI", "Generate text, streamed", events=ref("StreamResponse")),
    "service.invocations": Operation(
        "invocations",
        "TGI",
        "What SageMaker's `/invocations` takes",
        ref("InvocationsResponse"),
        ref("InvocationsStream"),
        [{"generated_text": _TEXT}],
    ),
    "chat.chat_completions": Operation(
        "createChatCompletion",
        "OpenAI",
        "Answer a conversation",
        ref("ChatCompletion"),
        ref("ChatCompletionChunk"),
        ends_with_done=True,
    ),
    "completions.completions": Operation(
        "createCompletion", "OpenAI", "Complete a text", ref("Completion"), ref("CompletionChunk"), ends_with_done=True
    ),
    "service.models": Operation(
        "listModels", "OpenAI", "The models of this API", ref("ModelList"), example={"object": "list", "data": [_MODEL]}
    ),
    "service.model": Operation("retrieveModel", "OpenAI", "One model", ref("Model"), example=_MODEL),
    "service.info": Operation("info", "TGI", "The model and its limits", {"type": "object"}),
    "service.health": Operation("health", "TGI", "Whether the endpoints serve", {"type": "object"}, example={}),
    "service.root": Operation(
        "root", "TGI", "Whether the endpoints serve, as `/health`", {"type": "object"}, example={}
    ),
    "service.openapi": Operation(
        "openapi", "API", "This description", record({"openapi": text()}, required=("openapi",))
    ),
}
