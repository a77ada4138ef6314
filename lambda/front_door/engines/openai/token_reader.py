"""Tokens from completions that vLLM, or a server with its members, returns to a body of `generate_body`.

Sources: vllm/entrypoints/openai/completion (serving.py, protocol.py) and vllm/v1/engine (detokenizer.py, logprobs.py,
parallel_sampling.py), 0.30.0.
"""

import re
from functools import partial
from typing import Any

from front_door.engines.openai.errors import is_error, stream_error
from front_door.engines.openai.token_texts import separate_texts, split_text
from front_door.errors import ApiError
from front_door.generation.generate_request import GenerateRequest
from front_door.generation.tokens import Sequence, Token
from front_door.http.json import compact, parse_object
from front_door.http.json_schema import NUMBER, STRING, Field, array, integer, struct
from front_door.http.sse import event_data

# What most events are: one token whose text is what it adds, as pydantic writes it. They are not parsed.
# No group is possessive, as Python before 3.11.5 has a defect there.
_ONE_TOKEN = re.compile(
    rb'"choices":\[\{"index":0,"text":"([^"\\]*+(?:\\["\\bfnrt][^"\\]*+){0,1000})","logprobs":\{"text_offset":\[\d++\],'
    rb'"token_logprobs":\[(-?\d{1,30}+(?:\.\d++)?(?:e-\d++)?)\],"tokens":\["\1"\],"top_logprobs":\[\{"\1":\2\}\]\},'
    rb'"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":\[(\d{1,15}+)\]\}\]()'
)
_as_token = partial(tuple.__new__, Token)  # of the groups, without a call of Python's
_COUNT = integer(0, 2**53, "a count")
_IDS = array(_COUNT, "an array")
_LOGPROBS = struct(
    {
        "tokens": Field(array(STRING, "an array"), is_required=True),
        "token_logprobs": Field(
            array(lambda value, path: () if value is None else NUMBER(value, path), "an array"), is_required=True
        ),
    }
)
_CHOICE = struct(
    {
        "index": Field(_COUNT),
        "text": Field(STRING, is_required=True),
        "logprobs": Field(_LOGPROBS),
        "finish_reason": Field(STRING),
        "token_ids": Field(_IDS),
        "prompt_token_ids": Field(_IDS),
    }
)
_USAGE = struct({"prompt_tokens": Field(_COUNT, is_required=True), "completion_tokens": Field(_COUNT)})
_EVENT = struct({"choices": Field(array(_CHOICE, "an array"), is_required=True), "usage": Field(_USAGE)})
"""Everything that is read of an event, and of a response that is not streamed."""

_NO_TOKENS = (
    "The model's container does not report the ids and log probabilities of tokens, which TGI's streams, `details` and"
    " `best_of` need: leave them out, or use /v1/completions."
)
_TOO_LARGE = 2.0**127
_FAILED = ("abort", "error")


class OpenAiTokenReader:
    """A `TokenReader` of such a response.

    Args:
        request: The client's request.
        max_tokens: What the container was asked for.
    """

    def __init__(self, request: GenerateRequest, max_tokens: int) -> None:
        # Without sampling all texts are the same, and one was asked for.
        self._texts = [_Text(request, max_tokens, index) for index in range(request.best_of if request.samples else 1)]
        self._needs_tokens = request.stream or request.details or request.decoder_input_details or request.best_of > 1
        self.sequences = [self._texts[at % len(self._texts)].sequence for at in range(request.best_of)]
        self.input_length: int | None = None
        self.usage: dict[str, int] = {}
        self.error: ApiError | None = None

    def read(self, events: bytes) -> list[Token]:
        """See `TokenReader`."""
        if self._may_be_plain:
            found = _ONE_TOKEN.findall(events)
            if found and 2 * len(found) == events.count(b"\n"):  # of each a line, and an empty one
                return self._texts[0].add_plain(list(map(_as_token, found)))
        return [token for event in events.split(b"\n\n") for token in self._read_lines(event)]

    @property
    def _may_be_plain(self) -> bool:
        return len(self._texts) == 1 and self.error is None and self.sequences[0].finish_reason is None

    def _read_lines(self, event: bytes) -> list[Token]:
        """The tokens of an event, or of several whose lines end with CRLF."""
        if b"\n" not in event and self._may_be_plain and (found := _ONE_TOKEN.findall(event)):
            return self._texts[0].add_plain(list(map(_as_token, found)))
        return [token for data in event_data(event) if data != b"[DONE]" for token in self._read_event(data)]

    def read_buffered(self, body: bytes) -> None:
        """See `TokenReader`."""
        self._read_event(body)

    def _read_event(self, data: bytes) -> list[Token]:
        if self.error is not None:
            return []
        event = parse_object(data)
        if event is not None and is_error(event):
            self.error = stream_error(event)
            return []
        if event is None or _EVENT(event, ""):
            self.error = _unknown_form()
            return []
        self._read_counts(event)
        tokens: list[Token] = []
        for choice in event["choices"]:
            index = choice.get("index") or 0
            try:
                found = self._read_choice(index, choice)
            except (ValueError, IndexError):
                self.error = _unknown_form()
                break
            except ApiError as error:
                self.error = error
                break
            tokens += found if index == 0 else []
        return tokens

    def _read_counts(self, event: dict[str, Any]) -> None:
        if event.get("usage") is not None:
            self.usage = event["usage"]
            self.input_length = self.usage["prompt_tokens"]
        elif self.input_length is None:
            ids = next(
                (choice["prompt_token_ids"] for choice in event["choices"] if choice.get("prompt_token_ids")), ()
            )
            self.input_length = len(ids) or None

    def _read_choice(self, index: int, choice: dict[str, Any]) -> list[Token]:
        """The tokens of a choice; raises ValueError or IndexError if its form is unknown, ApiError if it has failed."""
        if choice.get("finish_reason") in _FAILED:
            detail = f"finish reason {choice['finish_reason']}"
            raise ApiError("incomplete_generation", "Incomplete generation", log_detail=detail)
        text = self._texts[index]
        if text.sequence.finish_reason is not None:
            return []
        if choice.get("token_ids") is not None and choice.get("logprobs") is not None:
            tokens = text.add(choice)
        elif self._needs_tokens and (choice["text"] or choice.get("finish_reason")):
            raise ApiError("engine_cannot", _NO_TOKENS, status=501, log_detail="no token ids")
        else:
            text.add_text(choice["text"])
            tokens = []
        if choice.get("finish_reason") is not None:
            text.finish(choice["finish_reason"], choice.get("stop_reason"))
        return tokens


class _Text:
    """Reads one text; several choices of a response are numbered."""

    def __init__(self, request: GenerateRequest, max_tokens: int, index: int) -> None:
        # vLLM adds the number of the choice to the seed.
        self.sequence = Sequence(None if request.seed is None else request.seed + index)
        self._max_tokens = max_tokens
        self._stops_at_once = "" in request.stop
        self._keeps_prompt = request.decoder_input_details
        self._keeps_tokens = not request.stream and (request.details or self._keeps_prompt or request.best_of > 1)
        self._pieces: list[bytes] = []
        self._ends_inside = False

    def add_plain(self, tokens: list[Token]) -> list[Token]:
        """Add tokens of which each is text; returns them."""
        self._pieces.append(b"".join([token.text for token in tokens]))
        self._ends_inside = not tokens[-1].text
        return self._keep(tokens)

    def add(self, choice: dict[str, Any]) -> list[Token]:
        """Add the tokens of a choice and return them; raises ValueError if its lists do not belong together."""
        ids, texts, logprobs = choice["token_ids"], choice["logprobs"]["tokens"], choice["logprobs"]["token_logprobs"]
        echoed = len(texts) - len(ids)  # an echo begins with the prompt
        if echoed < 0 or len(logprobs) != len(texts) or not all(map(_is_logprob, logprobs[echoed:])):
            raise ValueError
        if self._keeps_prompt and echoed:
            prompt = zip(separate_texts(texts[:echoed]), logprobs, choice.get("prompt_token_ids") or (), strict=False)
            self.sequence.prefill = [_token(*each) for each in prompt]
        is_cut = choice.get("finish_reason") == "stop" and isinstance(choice.get("stop_reason"), str)
        parts = split_text(choice["text"], texts[echoed:], is_cut=is_cut)
        # Behind a stop string there may be more tokens than parts.
        numbers = zip(parts, logprobs[echoed:], ids, strict=False)
        tokens = [_token(part, logprob, token_id, special=special) for (part, special), logprob, token_id in numbers]
        self.add_text(choice["text"])
        of_text = [token for token in tokens if not token.special]
        if of_text:
            self._ends_inside = not of_text[-1].text
        return self._keep(tokens)

    def add_text(self, text: str) -> None:
        """Add text whose tokens are unknown."""
        self._pieces.append(compact(text)[1:-1])

    def finish(self, reason: str, stop_reason: object) -> None:
        """Set the ending."""
        if reason != "length":
            reason = "stop_sequence" if reason == "stop" and isinstance(stop_reason, str) else "eos_token"
        elif self._stops_at_once:
            reason = "stop_sequence"
        # TGI looks at the number of tokens first. It returns no text if the last token ends inside a character.
        if self.sequence.generated_tokens >= self._max_tokens:
            reason = "length"
        self.sequence.text = b"" if self._ends_inside else b"".join(self._pieces)
        self.sequence.finish_reason = reason

    def _keep(self, tokens: list[Token]) -> list[Token]:
        self.sequence.generated_tokens += len(tokens)
        if self._keeps_tokens:
            self.sequence.tokens += tokens
        return tokens


def _is_logprob(value: float | None) -> bool:
    """Whether it can be a number of 32 bits."""
    return value is not None and abs(value) < _TOO_LARGE


def _token(text: str, logprob: float | None, token_id: int, *, special: bool = False) -> Token:
    return Token(compact(text)[1:-1], compact(logprob), compact(token_id), b"true" if special else b"")


def _unknown_form() -> ApiError:
    return ApiError("upstream", "The model sent an event of an unknown form.", log_detail="form of an event")
