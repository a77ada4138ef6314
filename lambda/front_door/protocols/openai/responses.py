"""Answers of OpenAI's routes."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from front_door.config import Model
from front_door.context import JSON, Call
from front_door.delivery import Steps, collected
from front_door.engines.tgi.chat_choice import LOST_ARGUMENTS
from front_door.errors import OPENAI, compact
from front_door.generation.choice import Choice, Piece, checked, note, usage
from front_door.generation.request import Asked
from front_door.http.response import Response
from front_door.protocols.openai.chunks import Chunks
from front_door.protocols.openai.stream import streamed


class Form(NamedTuple):
    """What tells a chat completion from a completion: its names, and what reads and writes a choice."""

    id_prefix: str
    name: str
    chunk_name: str
    choice: Callable[[Asked, int], Choice]
    chunks: Callable[[Any, Asked, int, dict[str, Any]], Chunks]
    members: Callable[[Any, list[Piece], Asked, int], dict[str, Any]]


def answered(call: Call, model: Model, asked: Asked, form: Form) -> Response:
    """Ask the model, and answer as the request wants it.

    Raises:
        Failure: As the model's answer says, as far as it came before the status was sent.
    """
    most = call.budget(model, asked.bodies[0].get("max_tokens"))
    asked.bodies = [body | {"max_tokens": most} for body in asked.bodies]
    head = {
        "id": form.id_prefix + call.journal.request_id,
        "object": form.chunk_name if asked.is_streamed else form.name,
        "created": int(time.time()),
        "model": model.name,
    }
    if not asked.is_streamed:
        return collected(call, _whole(call, model, asked, form, head, most), OPENAI)
    chunks = [form.chunks(form.choice(asked, most), asked, index, head) for index in range(len(asked.bodies))]
    return streamed(call, model, asked, chunks, head)


def _whole(call: Call, model: Model, asked: Asked, form: Form, head: dict[str, Any], most: int) -> Steps:
    """The answer in one piece, out of the events of each choice."""
    choices = [form.choice(asked, most) for _ in asked.bodies]
    pieces: list[list[Piece]] = [[] for _ in choices]
    for index, read in _events(call, model, asked, choices):
        yield
        pieces[index] += read
        failure = choices[index].failure
        if failure is not None and failure.cause == LOST_ARGUMENTS:
            choices[index] = form.choice(asked, most)
            pieces[index] = choices[index].read_whole(call.whole(model, _unstreamed(asked.bodies[index])))
        elif failure is not None:
            raise failure
    checked(choices)
    note(call.journal, asked, choices)
    told = [
        {"index": index, **form.members(choice, pieces[index], asked, index), "finish_reason": choice.finish_reason}
        for index, choice in enumerate(choices)
    ]
    answer = {**head, "system_fingerprint": choices[0].fingerprint, "choices": told, "usage": usage(asked, choices)}
    return Response(200, dict(JSON), [compact(answer)])


def _events(call: Call, model: Model, asked: Asked, choices: list[Choice]) -> Iterator[tuple[int, list[Piece]]]:
    """What the events add as they come, with the index of the choice."""
    if len(choices) > 1:
        from front_door.generation.fan_out import merged

        for index, events in merged(call, model, asked.bodies):
            yield index, choices[index].read(events)
        return
    stream = call.stream(model, asked.bodies[0])
    parts = iter(stream)
    for part in parts:
        if part and not stream.is_events:
            yield 0, choices[0].read_whole(part + b"".join(parts))
            return
        yield 0, choices[0].read(part)


def _unstreamed(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ("stream", "stream_options")}
