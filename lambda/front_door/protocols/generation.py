"""The generation of a response by a model, whatever the client's protocol and the model's engine."""

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import Any

from front_door.config import Model
from front_door.context import RequestContext
from front_door.generation.choice import Choice, log_choices, raise_incomplete
from front_door.generation.events import Delta
from front_door.generation.request import GenerationRequest, Problems
from front_door.http.sse import KeptEvents
from front_door.request_log import RequestLog
from front_door.sagemaker.invocation import ModelStream


class Generation:
    """A request to a model, with the choices that are read from its responses.

    Args:
        ctx: The request's context.
        model: The model.
        request: The validated request.
        problems: What was found in it, to which the engine adds.

    Attributes:
        request: The request as the engine gets it.
        choices: One per request to the container.

    Raises:
        ApiError: There is a problem, or the caller may not use as many tokens.
    """

    def __init__(self, ctx: RequestContext, model: Model, request: GenerationRequest, problems: Problems) -> None:
        engine = ctx.translator_of(model)
        if request.tools and request.response_format is not None:
            from front_door.generation.final_answer import with_final_answer

            request = with_final_answer(request, problems)
        bodies = engine.build_bodies(request, model.facts, problems)
        if model.facts.get("reads_images") is False:
            refuse_images(request.messages or (), model, problems)
        problems.raise_if_any()
        max_tokens = ctx.max_tokens(model, request.max_tokens)
        ctx.reserve(model, (request.messages, request.prompts, request.tools), max_tokens, len(bodies))
        self._ctx, self._model, self._engine, self._max_tokens = ctx, model, engine, max_tokens
        # Choices that ask for the same share one body, which is then written once.
        limited = {id(body): engine.with_max_tokens(body, max_tokens) for body in bodies}
        self._bodies = [limited[id(body)] for body in bodies]
        self.request = request
        self.choices = [engine.create_choice(request, max_tokens, body) for body in bodies]

    def open(self, index: int = 0) -> ModelStream:
        """Invoke the model for one choice."""
        may_lower_tokens = self.request.max_tokens is None
        return self._ctx.stream(self._model, self._bodies[index], may_lower_tokens=may_lower_tokens)

    def raise_first_error(self, events: bytes) -> None:
        """Raise the error that some events begin with, if any, so that it becomes the response's status."""
        error = self._engine.first_error(events)
        if error is not None:
            raise error

    def merged_events(self) -> Iterator[tuple[int, bytes]]:
        """The events of all choices as they arrive, each with its choice's index; empty ones are keep-alives."""
        from front_door.generation.fan_out import merge_streams

        return merge_streams([partial(self.open, index) for index in range(len(self._bodies))])

    def deltas(self) -> Iterator[tuple[int, list[Delta]]]:
        """What the events add as they arrive, with the index of the choice."""
        if not self._engine.can_stream(self._bodies[0]):
            yield from self._whole_deltas()
            return
        kept = KeptEvents()
        if len(self.choices) > 1:
            for index, events in self.merged_events():
                kept.add(events)
                yield index, self.choices[index].read(events)
            return
        stream = self.open()
        parts = iter(stream)
        for part in parts:
            if part and not stream.is_event_stream:
                yield 0, self.choices[0].read_buffered(part + b"".join(parts))
                return
            kept.add(part)
            yield 0, self.choices[0].read(part)

    def complete(self) -> Generator[bytes, None, list[list[Delta]]]:
        """The whole answer: yields keep-alives, returns the deltas of each choice.

        Raises:
            ApiError: A choice has failed, or has no end.
        """
        deltas: list[list[Delta]] = [[] for _ in self.choices]
        for index, added in self.deltas():
            yield b""
            deltas[index] += added
            if self.choices[index].can_retry_buffered:
                deltas[index] = yield from self.retry_buffered(index)
            elif (error := self.choices[index].error) is not None:
                raise error
        self.check_last(b"", self._ctx.log)
        return deltas

    def check_last(self, _events: bytes, log: RequestLog) -> None:
        """Log the token counts; raises ApiError if a choice has failed or has no end."""
        raise_incomplete(self.choices)
        log_choices(log, self.request, self.choices)

    def _whole_deltas(self) -> Iterator[tuple[int, list[Delta]]]:
        from front_door.generation.fan_out import WholeResponse, merge_streams

        opens = [lambda index=index: WholeResponse(self._invoke(index)) for index in range(len(self._bodies))]
        for index, body in merge_streams(opens):
            yield index, self.choices[index].read_buffered(body) if body else []

    def retry_buffered(self, index: int) -> Generator[bytes, None, list[Delta]]:
        """Repeat the request for one choice without streaming; yields keep-alives, returns all of its deltas."""
        choice: Choice = self._engine.create_choice(self.request, self._max_tokens, self._bodies[index])
        self.choices[index] = choice
        return choice.read_buffered((yield from self._invoke(index)))

    def _invoke(self, index: int) -> Generator[bytes, None, bytes]:
        return self._ctx.invoke(self._model, self._engine.without_streaming(self._bodies[index]))


def refuse_images(messages: Sequence[dict[str, Any]], model: Model, problems: Problems) -> None:
    """Add each image; a model that does not see them would read the URL, or the whole image in base64, as text."""
    for at, message in enumerate(messages):
        content = message.get("content")
        for index, part in enumerate(content if isinstance(content, list) else ()):
            if part["type"] == "image_url":
                path = f"messages[{at}].content[{index}].image_url"
                problems.add(path, f"{path}: `{model.name}` does not read images, send it text only")
