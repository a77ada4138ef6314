"""Completions as TGI's own requests, and choices from its responses: what its OpenAI route cannot do.

Sources: router/src/lib.rs (GenerateParameters, GenerateResponse, StreamResponse) and router/src/validation.rs, 3.3.6.
"""

from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

from front_door.engines.tgi.errors import stream_error
from front_door.engines.tgi.events import FINISH_REASONS, VERY_UNLIKELY, unknown_form
from front_door.errors import ApiError
from front_door.generation.choice import Choice
from front_door.generation.events import Delta
from front_door.generation.prompt_tokens import split_prompt
from front_door.generation.request import GenerationRequest, Problems
from front_door.http.json import parse
from front_door.http.json_schema import BOOLEAN, NUMBER, STRING, Field, Type, array, instance, struct

_NO_PREFILL = (
    "logprobs with echo needs a model that is deployed with enable_prefill_logprobs=True: leave `echo` out, or ask for"
    " that"
)
_OF_SAMPLING = ("temperature", "top_k", "typical_p")
_INTEGER = instance(int, "an integer")
_TOKEN = struct(
    {
        "id": Field(_INTEGER, is_required=True),
        "text": Field(STRING, is_required=True),
        "logprob": Field(NUMBER),
        "special": Field(BOOLEAN),
    }
)
_TOKENS = array(_TOKEN, "an array")
_COUNTED = {
    "finish_reason": Field(STRING, is_required=True),
    "generated_tokens": Field(_INTEGER, is_required=True),
}
_EVENT = struct(
    {
        "token": Field(_TOKEN, is_required=True),
        "top_tokens": Field(_TOKENS),
        "generated_text": Field(STRING),
        "details": Field(struct({**_COUNTED, "input_length": Field(_INTEGER, is_required=True)})),
    }
)
_DETAILS = {
    **_COUNTED,
    "prefill": Field(_TOKENS, is_required=True),
    "tokens": Field(_TOKENS, is_required=True),
    "top_tokens": Field(array(_TOKENS, "an array")),
}
_WHOLE = struct({"generated_text": Field(STRING, is_required=True), "details": Field(struct(_DETAILS), True)})
"""Everything that is read of a response that was not streamed."""


def generate_parameters(
    sampling: dict[str, Any], request: GenerationRequest, facts: Mapping[str, Any], problems: Problems
) -> dict[str, Any]:
    """The parameters of a completion, from those of TGI's OpenAI route; see `Engine.build_bodies`."""
    samples = sampling.get("temperature") != 0
    parameters = {**sampling, **request.tgi_parameters}
    if request.adapter is not None:
        parameters["adapter_id"] = request.adapter
    if not samples:
        # TGI would sample: it rejects a temperature of 0, and any of the others makes it.
        parameters = {name: value for name, value in parameters.items() if name not in _OF_SAMPLING}
    parameters |= {"do_sample": samples, "details": True, "return_full_text": False}
    return parameters | _logprobs(request, facts, problems)


def _logprobs(request: GenerationRequest, facts: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    top, limit = request.logprobs, facts.get("max_top_n_tokens")
    if top and isinstance(limit, int) and top > limit:
        problems.add("logprobs", f"logprobs is {top}, this model returns at most {limit} alternatives")
    alternatives = {"top_n_tokens": top} if top else {}
    if not request.wants_prompt_logprobs:
        return alternatives
    if facts.get("enable_prefill_logprobs") is False:
        problems.add("logprobs", _NO_PREFILL)
    if request.stream:
        problems.add("logprobs", "logprobs with echo cannot be streamed by this model's server: set `stream` to false")
    if "truncate" in request.tgi_parameters:
        problems.add("truncate", "truncate is allowed without logprobs of the echoed prompt only: leave one out")
    return {**alternatives, "decoder_input_details": True}


class GenerateChoice(Choice):
    """Reads a completion of a prompt from `/generate_stream`'s events or `/generate`'s response."""

    def __init__(self, request: GenerationRequest, max_tokens: int, prompt: str) -> None:
        super().__init__(request, max_tokens)
        self._prompt = prompt
        self._request = request
        self._total = 0.0
        self._has_ended = False

    def read(self, events: bytes) -> list[Delta]:
        """Read complete events; the last one has the whole text, nothing follows it."""
        deltas = super().read(events)
        if not self._has_ended or self.is_done or self.error is not None:
            return deltas
        return deltas + self.finish()

    def read_event(self, data: bytes) -> list[Delta]:
        """Read one event's data, or set `error`."""
        event = parse(data)
        if isinstance(event, dict) and "error" in event:
            self.error = stream_error(event)
        elif (event := self._checked(event, _EVENT)) is not None:
            if event.get("generated_text") is not None:
                self._read_end(event.get("details") or {}, (event.get("details") or {}).get("input_length"))
            return self._read_token(event["token"], event.get("top_tokens") or ())
        return []

    def read_buffered(self, body: bytes) -> list[Delta]:
        """Read a response that was not streamed; the prompt comes first, if it is wanted."""
        response = parse(body)
        if isinstance(response, list) and len(response) == 1:
            response = response[0]
        if (response := self._checked(response, _WHOLE)) is None:
            return []
        details = response["details"]
        self._read_end(details, len(details["prefill"]))
        deltas = self._read_prompt(details["prefill"]) if self._request.wants_prompt_logprobs else []
        tokens, top = details["tokens"], details.get("top_tokens") or ()
        generated: list[Delta] = []
        for at, token in enumerate(tokens):
            generated += self._filter(self._read_token(token, top[at] if at < len(top) else ()))
        if self.error is not None:
            return []
        generated += self.finish()
        return deltas + generated if self._keeps_text else deltas

    def _checked(self, value: Any, type_: Type) -> dict[str, Any] | None:
        if isinstance(value, dict) and not type_(value, ""):
            return value
        self.error = unknown_form()
        return None

    def _read_end(self, details: dict[str, Any], prompt_tokens: int | None) -> None:
        self._has_ended = True
        count, reason = details.get("generated_tokens"), details.get("finish_reason")
        if count is not None and prompt_tokens is not None:
            self.usage = {"prompt_tokens": prompt_tokens, "completion_tokens": count}
        self.finish_reason = FINISH_REASONS.get(str(reason), reason)

    def _read_token(self, token: dict[str, Any], top: Any) -> list[Delta]:
        value = token.get("logprob")
        value = VERY_UNLIKELY if value is None else value
        self._total += value
        if self.usage is not None:
            self.mean_logprob = self._total / max(1, self.usage["completion_tokens"])
        text = "" if token.get("special") else token["text"]
        if self._request.logprobs is None:
            return [Delta(text)] if text else []
        others = (each for each in top if each["id"] != token["id"] and each.get("logprob") is not None)
        likely = [{"token": each["text"], "logprob": each["logprob"]} for each in others]
        entry = {"token": token["text"], "logprob": value}
        return [Delta(text, ({**entry, "top_logprobs": [entry, *likely]},))]

    def _read_prompt(self, prefill: list[dict[str, Any]]) -> list[Delta]:
        """The prompt, whose first token has no probability; the others have no alternatives."""
        texts = [each["text"] for each in prefill]
        parts = split_prompt(self._prompt, texts)
        self.differences = ("top_logprobs",)
        if parts is None:
            parts = texts[1:] if _is_added(texts, self._prompt) else texts
            self.differences = ("top_logprobs", "text_offset")
        if not parts:
            self.error = ApiError("bad_request", _NO_PREFILL, param="logprobs", log_detail="no prefill")
            return []
        entries: list[dict[str, Any]] = []
        for part, token in zip(parts, prefill[len(prefill) - len(parts) :], strict=True):
            entry = {"token": part, "logprob": token.get("logprob") if entries else None}
            entries.append({**entry, "top_logprobs": [entry]})
        return [Delta(self._prompt, tuple(entries))]


def _is_added(texts: list[str], prompt: str) -> bool:
    """Whether the first token is not of a prompt, as far as a tokenizer that changes the text lets one see."""
    first, whole = (normalize("NFKC", text).strip().casefold() for text in ("".join(texts[:1]), prompt))
    return not whole.startswith(first)
