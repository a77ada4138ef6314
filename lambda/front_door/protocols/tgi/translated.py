"""The answers of TGI's routes from a container that does not speak TGI; `exchange.py` sends the request."""

from typing import TYPE_CHECKING

from front_door.context import RequestContext
from front_door.delivery import EVENT_STREAM, ResponseBuilder, buffered_response, stream_response
from front_door.errors import ApiError
from front_door.generation.tokens import Sequence, Token
from front_door.http.json import compact, parse_object
from front_door.http.response import JSON, Response
from front_door.http.sse import KeptEvents, event_data
from front_door.protocols.tgi import rendering
from front_door.protocols.tgi.errors import TGI
from front_door.request_log import RequestLog

if TYPE_CHECKING:
    from front_door.protocols.tgi.exchange import Exchange


def stream(ctx: RequestContext, exchange: "Exchange") -> Response:
    """A stream of tokens, or of an error of TGI's.

    Raises:
        ApiError: The response begins with another error.
    """
    answer = Answer(exchange)
    try:
        return stream_response(
            ctx,
            exchange.open(),
            TGI,
            translate=answer.translate,
            check_first=answer.check_first,
            check_last=lambda _events, log: answer.check_last(log),
        )
    except ApiError as error:
        return refused(ctx, error)


def refused(ctx: RequestContext, error: ApiError) -> Response:
    """The stream by which TGI refuses a request: it sends the status first.

    Raises:
        ApiError: The error is none of a request that TGI has read, or another endpoint's is the client's.
    """
    is_others = ctx.attempts is not None and ctx.attempts.is_unread(error)
    if is_others or error.kind not in ("validation", "generation"):
        raise error
    ctx.log.add(streamed=True)
    ctx.log.add_error(error)
    return Response(200, dict(EVENT_STREAM), [TGI.error_event(error)])


def respond(ctx: RequestContext, exchange: "Exchange", *, as_array: bool) -> Response:
    """One generation, or an array of it.

    Raises:
        ApiError: There is none.
    """
    return buffered_response(ctx, _build_response(ctx, exchange, as_array=as_array), TGI)


def _build_response(ctx: RequestContext, exchange: "Exchange", *, as_array: bool) -> ResponseBuilder:
    """The generation from a stream, also the best of several: that has no limit of 60 seconds."""
    answer, reader = Answer(exchange), exchange.reader
    source = exchange.open()
    parts = iter(source)
    has_begun, kept = False, KeptEvents()
    for part in parts:
        yield b""
        kept.add(part)
        if part and not source.is_event_stream:
            body = part + b"".join(parts)
            exchange.check(parse_object(body) or {})
            reader.read_buffered(body)
        elif part:
            if not has_begun:
                exchange.check_first(part)
                has_begun = bool(event_data(part))
            reader.read(part)
        if reader.error is not None:
            break
    answer.raise_unless_complete("incomplete_generation", "Incomplete generation")
    answer.log(ctx.log)
    content = answer.generation()
    return Response(200, JSON | answer.counts(), [b"[" + content + b"]" if as_array else content])


class Answer:
    """What a response has said so far, in TGI's JSON."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange
        self._reader, self._request = exchange.reader, exchange.request
        self._has_details = self._request.details or self._request.decoder_input_details
        self._first: bytes | None = None
        self._latest: Token | None = None
        self._is_over = False

    def check_first(self, events: bytes) -> None:
        """Check the first events of a stream, which are translated for it; raises ApiError."""
        self._exchange.check_first(events)
        self._first = self.translate(events)

    def translate(self, events: bytes) -> bytes:
        """The events of a stream for some complete events of the container; nothing after its end.

        Raises:
            ApiError: The container has failed, and what it has generated before is returned.
        """
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._is_over:
            return b""
        rendered = self._translate(events) if self._reader.error is None else b""
        if self._reader.error is not None and not rendered:
            raise self._exchange.in_tgi_words(self._reader.error)
        return rendered

    def _translate(self, events: bytes) -> bytes:
        sequence = self._reader.sequences[0]
        first = sequence.generated_tokens + 1
        tokens = self._reader.read(events)
        if sequence.finish_reason is None:
            self._latest = tokens[-1] if tokens else self._latest
            return rendering.token_events(tokens, first)
        self._is_over = True
        last = tokens.pop() if tokens else self._last_again()
        details = b"null"
        if self._has_details:
            details = rendering.stream_details(sequence, self._reader.input_length or 0)
        ending = rendering.last_event(last, sequence.generated_tokens, self._full_text(sequence), details)
        return rendering.token_events(tokens, first) + ending

    def check_last(self, log: RequestLog) -> None:
        """Log what the container reports; raises ApiError if it has failed or its stream has no end."""
        self.raise_unless_complete("incomplete_generation_stream", "Incomplete generation stream")
        self.log(log)

    def raise_unless_complete(self, kind: str, message: str) -> None:
        """Raise the error of the container, or one of this kind if a text has no end."""
        if self._reader.error is not None:
            raise self._exchange.in_tgi_words(self._reader.error)
        if any(sequence.finish_reason is None for sequence in self._reader.sequences):
            raise ApiError(kind, message, log_detail="no end")

    def log(self, log: RequestLog) -> None:
        """Log the token counts, and why the text ended."""
        generated = sum(sequence.generated_tokens for sequence in self._reader.sequences)
        generated = self._reader.usage.get("completion_tokens") or generated
        log.add_tokens(prompt=self._reader.input_length, generated=generated)
        log.add_cached_tokens(self._reader.usage)
        log.add(finish_reason=self._reader.sequences[0].finish_reason)

    def counts(self) -> dict[str, str]:
        """The headers with the numbers of tokens, as far as they are known."""
        generated = self._ordered()[0].generated_tokens or self._reader.usage.get("completion_tokens")
        counts = {"x-prompt-tokens": self._reader.input_length, "x-generated-tokens": generated}
        return {name: str(count) for name, count in counts.items() if count is not None}

    def generation(self) -> bytes:
        """The generation that is not streamed."""
        best, *others = self._ordered()
        details = None
        if self._has_details:
            sequences = [rendering.best_of_sequence(self._full_text(each), each) for each in others]
            details = rendering.details(best, sequences)
        return rendering.generation(self._full_text(best), details)

    def _ordered(self) -> list[Sequence]:
        """The likeliest text by the mean log probability of its tokens, and then the others."""
        sequences = list(self._reader.sequences)
        if len(sequences) > 1:
            best = max(range(len(sequences)), key=lambda at: sequences[at].mean_logprob())
            sequences.insert(0, sequences.pop(best))
        return sequences

    def _full_text(self, sequence: Sequence) -> bytes:
        before = compact(self._request.inputs)[1:-1] if self._request.return_full_text else b""
        return before + sequence.text

    def _last_again(self) -> Token:
        """The last token again, without its text: vLLM ends a text with a token, other servers may end it later."""
        if self._latest is None:
            raise ApiError("upstream", "The model's response has no token.", log_detail="no token")
        return Token(b"", self._latest.logprob, self._latest.id, special=b"true")
