"""Renders TGI's responses as JSON, with the key order of its structs and the format of serde_json."""

from __future__ import annotations

import time
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from local.model_container.generation import Generation
from local.model_container.serde.types import compact
from local.model_container.settings import Settings
from local.model_container.tgi.errors import InferError
from local.model_container.tokens import Token

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b":\n\n"


@lru_cache(maxsize=20_000)
def token(each: Token) -> str:
    """A token as JSON."""
    special = "true" if each.special else "false"
    return f'{{"id":{each.id},"text":{encode_basestring(each.text)},"logprob":{each.logprob!r},"special":{special}}}'


def sse(data: str) -> bytes:
    """A server-sent event in axum's format."""
    return f"data: {data}\n\n".encode()


def error(problem: InferError) -> dict[str, str]:
    """TGI's error body."""
    return {"error": str(problem), "error_type": problem.error_type}


def openai_error_event(problem: InferError) -> bytes:
    """An error in an OpenAI stream; TGI always reports 422."""
    return sse(compact({"error": {"message": str(problem), "http_status_code": 422}}))


def stream_response(generation: Generation, index: int, prompt: str | None, *, details: bool) -> bytes:
    """The event of a token of /generate_stream."""
    top = generation.top_tokens[index] if generation.top_tokens else []
    top_json = f'"top_tokens":[{",".join(map(token, top))}],' if top else ""
    head = f'{{"index":{index + 1},"token":{token(generation.tokens[index])},{top_json}"generated_text":'
    if index + 1 < len(generation.tokens):
        return f'data: {head}null,"details":null}}\n\n'.encode()
    final = {
        "finish_reason": generation.finish_reason,
        "generated_tokens": len(generation.tokens),
        "seed": generation.seed,
        "input_length": generation.input_length,
    }
    text = encode_basestring((prompt or "") + generation.generated_text)
    return sse(f'{head}{text},"details":{compact(final) if details else "null"}}}')


def details(generation: Generation) -> dict[str, Any]:
    """The `details` of a response."""
    return {
        "finish_reason": generation.finish_reason,
        "generated_tokens": len(generation.tokens),
        "seed": generation.seed,
        "prefill": [{"id": id_, "text": text, "logprob": logprob} for id_, text, logprob in generation.prefill],
        "tokens": [_token_dict(each) for each in generation.tokens],
    }


def generate_response(
    best: Generation, others: list[Generation] | None, prompt: str | None, *, with_details: bool
) -> dict[str, Any]:
    """The body of /generate."""
    body: dict[str, Any] = {"generated_text": (prompt or "") + best.generated_text}
    if with_details:
        body["details"] = details(best)
        if others is not None:
            body["details"]["best_of_sequences"] = [_sequence(other, prompt) for other in others]
        body["details"].update(_top_tokens(best))
    return body


def _sequence(generation: Generation, prompt: str | None) -> dict[str, Any]:
    return {
        "generated_text": (prompt or "") + generation.generated_text,
        **details(generation),
        **_top_tokens(generation),
    }


def _top_tokens(generation: Generation) -> dict[str, Any]:
    return (
        {"top_tokens": [[_token_dict(t) for t in top] for top in generation.top_tokens]}
        if generation.top_tokens
        else {}
    )


def _token_dict(each: Token) -> dict[str, Any]:
    return {"id": each.id, "text": each.text, "logprob": each.logprob, "special": each.special}


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    """The `usage` of OpenAI responses."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def completion_event(generation: Generation, index: int, choice: int, settings: Settings) -> bytes:
    """The event of a token of a streamed completion; the last text may be the special end token."""
    head = f'{{"object":"text_completion","id":"","created":{int(time.time())},'
    model = encode_basestring(settings.model_id)
    fingerprint = encode_basestring(settings.system_fingerprint)
    last = index + 1 == len(generation.tokens)
    reason = generation.finish_reason if last else ""
    text = encode_basestring(generation.tokens[index].text)
    choices = f'"choices":[{{"index":{choice},"text":{text},"logprobs":null,"finish_reason":"{reason}"}}]'
    if not last:
        return sse(f'{head}{choices},"model":{model},"system_fingerprint":{fingerprint}}}')
    counts = compact(usage(generation.input_length, len(generation.tokens)))
    return sse(f'{head}"model":{model},"system_fingerprint":{fingerprint},{choices},"usage":{counts}}}')


def completion(generations: list[Generation], settings: Settings) -> dict[str, Any]:
    """The body of /v1/completions."""
    choices = [
        {
            "index": at,
            "text": generation.generated_text,
            "logprobs": None,
            "finish_reason": generation.openai_finish_reason,
        }
        for at, generation in enumerate(generations)
    ]
    return {
        "object": "text_completion",
        "id": "",
        "created": int(time.time()),
        "model": settings.model_id,
        "system_fingerprint": settings.system_fingerprint,
        "choices": choices,
        "usage": usage(sum(m.input_length for m in generations), sum(len(m.tokens) for m in generations)),
    }
