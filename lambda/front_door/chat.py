"""OpenAI's chat completions, spoken by TGI itself; this side picks the model and assembles buffered answers."""

from typing import Any

from front_door import chat_types
from front_door.call import JSON, Call
from front_door.chat_answer import ChatAnswer
from front_door.config import Config, Model
from front_door.errors import OPENAI, Failure, compact, tgi_failure
from front_door.journal import Journal
from front_door.relay import Steps, collected, relay
from front_door.response import Response
from front_door.sse import data_of, objects

# The container would take a body with these for another protocol, and a model name for a LoRA adapter's.
_NOT_FOR_THE_CONTAINER = ("inputs", "parameters", "prompt", "model")


def chat_completions(call: Call) -> Response:
    """`POST /v1/chat/completions`, buffered or streamed."""
    body = call.request.json_object()
    # A null means the default to OpenAI; TGI takes it for a wrong type where its own default is not null.
    body = {name: value for name, value in body.items() if value is not None}
    chat_types.check(body)
    model = model_named(call.config, body.get("model"))
    body = {name: value for name, value in body.items() if name not in _NOT_FOR_THE_CONTAINER}
    if body.get("stream"):
        return relay(call, call.stream(model, body), OPENAI, first=_first, last=_end)
    if body.get("tools") and body.get("logprobs"):
        # While TGI looks for the tool's name it sends no events, and with them their logprobs are lost.
        return Response(200, dict(JSON), [call.whole(model, body)])
    return collected(call, _buffered(call, model, body), OPENAI)


def model_named(config: Config, name: str | None) -> Model:
    """The model that a request's `model` means.

    Args:
        config: The models.
        name: A name of this door or a hub id; None, "" and "tgi" mean the only model.

    Raises:
        Failure: There is no such model, or none was named where there are several.
    """
    models = config.models
    if name is not None and name in models:
        return models[name]
    if name in (None, "", "tgi") and len(models) == 1:
        return next(iter(models.values()))
    for model in models.values():
        if name and name == model.model_id:
            return model
    names = ", ".join(f"`{known}`" for known in models)
    if not name:
        raise Failure("bad_request", f"'model' must be one of {names}.", param="model")
    raise Failure("model_not_found", f"The model `{name[:100]}` does not exist; there is {names}.", param="model")


def _first(events: bytes) -> None:
    """An error in the place of the first chunk becomes the answer's status, as OpenAI's own API has it."""
    data = data_of(events)
    if data and data[0].startswith(b'{"error"'):
        raise tgi_failure(objects(events)[0])


def _end(tail: bytes, journal: Journal) -> None:
    for event in objects(tail):
        if "error" in event:
            journal.failed(tgi_failure(event))
        _note_usage(journal, event.get("usage"))
    if data_of(tail)[-1:] != [b"[DONE]"]:
        raise Failure("incomplete_generation_stream", "Incomplete generation stream", cause="no end")


def _buffered(call: Call, model: Model, body: dict[str, Any]) -> Steps:
    sent = {**body, "stream": True, "stream_options": {"include_usage": True}}
    stream = call.stream(model, sent)
    answer = ChatAnswer(with_logprobs=bool(body.get("logprobs")))
    parts = iter(stream)
    for part in parts:
        yield
        if part and not stream.is_events:
            return Response(200, {"Content-Type": stream.content_type}, [part + b"".join(parts)])
        for event in objects(part):
            answer.add(event)
    completion = answer.completion()
    call.journal.note(finish_reason=completion["choices"][0]["finish_reason"])
    _note_usage(call.journal, completion["usage"])
    return Response(200, dict(JSON), [compact(completion)])


def _note_usage(journal: Journal, usage: dict[str, Any] | None) -> None:
    if usage:
        journal.tokens(prompt=usage.get("prompt_tokens"), generated=usage.get("completion_tokens"))
