"""A request in TGI's words on its way to a container that does not speak them."""

from collections.abc import Iterator
from typing import Any

from front_door.config import Model
from front_door.context import RequestContext
from front_door.errors import ApiError
from front_door.generation.generate_request import GenerateRequest
from front_door.generation.token_server import TokenServer
from front_door.http.json import parse_object
from front_door.http.sse import event_data
from front_door.protocols.tgi.generate_checks import CHUNK, check_lengths, fit, invalid
from front_door.sagemaker.invocation import ModelStream

_NO_ADAPTER = "The model answered without the adapter: its container does not read what names one."


class Exchange:
    """One request, sent as the engine understands it.

    Args:
        ctx: The request's context.
        server: The engine.
        model: The model, with its adapter.
        request: The request, which TGI would accept.

    Attributes:
        request: The request.
        reader: Reads the response.

    Raises:
        ApiError: The engine cannot do what it asks for, or the caller may not use as many tokens.
    """

    def __init__(self, ctx: RequestContext, server: TokenServer, model: Model, request: GenerateRequest) -> None:
        if problems := server.generate_problems(request, model.facts):
            # The log names the parameters, without the client's values.
            raise invalid("; ".join(problems), ", ".join(problem.split("`")[1] for problem in problems))
        max_tokens = ctx.max_tokens(model, request.max_new_tokens)
        sent, tokens = fit(request, max_tokens, model.facts)
        ctx.reserve(model, (sent.inputs,), tokens, request.best_of)
        self._ctx, self._server, self._facts = ctx, server, model.facts
        self._answered_by = server.answered_by(model)
        self._model, completion = server.address(server.generate_body(sent), model, "completions")
        self._body = server.with_max_tokens(completion, tokens)
        self._tokens = tokens
        # Without a number, TGI generates as long as the context allows, and of a long text what fits.
        wanted = request.max_new_tokens
        self._may_be_shorter = "" not in request.stop and (wanted is None or tokens < wanted or wanted > CHUNK)
        self.request = request
        self.reader = server.create_token_reader(request, max_tokens)

    def open(self) -> "Events":
        """Send the request.

        Raises:
            ApiError: It could not be sent.
        """
        may_lower, least = (True, 1) if self.request.max_new_tokens is None else (self._tokens > CHUNK, CHUNK)
        stream = self._ctx.stream(self._model, self._body, may_lower_tokens=may_lower, min_tokens=least)
        return Events(stream, self)

    def check_first(self, events: bytes) -> None:
        """Check the first events.

        Raises:
            ApiError: They begin with an error, or another model answers, or TGI would have refused the prompt.
        """
        for data in event_data(events)[:1]:
            self.check(parse_object(data) or {})

    def check(self, event: dict[str, Any]) -> None:
        """The same for the first event, or a response that is not streamed."""
        if (error := self._server.event_error(event)) is not None:
            raise self.in_tgi_words(error)
        if self._answered_by is not None and event.get("model") not in (None, self._answered_by):
            raise ApiError("upstream", _NO_ADAPTER, log_detail="another model answered")
        prompt_tokens = _prompt_tokens(event)
        if prompt_tokens is None:
            return
        check_lengths(self.request, prompt_tokens, self._facts)
        limit = self._facts.get("max_total_tokens")
        if isinstance(limit, int) and self._tokens == self.request.max_new_tokens:
            self._may_be_shorter = prompt_tokens + self._tokens > limit

    def in_tgi_words(self, error: ApiError) -> ApiError:
        """The error as TGI would report it."""
        return self._server.in_tgi_words(error, self.request)

    def difference_headers(self) -> dict[str, str]:
        """The header that names the parameters by which the answer may not be TGI's; none if there are none.

        A number of tokens of which it is not known whether it fits is among them, until the first event is checked.
        """
        names = self._server.differences(self.request, self._facts)
        if self._may_be_shorter:
            names = (*names, "max_new_tokens")
        if not names:
            return {}
        self._ctx.log.add(differences=list(names))
        return {"x-tgi-difference": ", ".join(names)}


class Events:
    """The complete events of a response; the container's errors are in TGI's words."""

    def __init__(self, stream: ModelStream, exchange: Exchange) -> None:
        self._stream = stream
        self._exchange = exchange

    @property
    def is_event_stream(self) -> bool:
        """See `ModelStream`."""
        return self._stream.is_event_stream

    @property
    def last_event(self) -> bytes:
        """See `ModelStream`."""
        return self._stream.last_event

    def __iter__(self) -> Iterator[bytes]:
        """See `ModelStream`."""
        try:
            yield from self._stream
        except ApiError as error:
            raise self._exchange.in_tgi_words(error) from None


def _prompt_tokens(event: dict[str, Any]) -> int | None:
    """The length of the prompt, if an event has it."""
    usage = event.get("usage")
    count = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return count if type(count) is int else None
