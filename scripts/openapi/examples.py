"""Example responses."""

from __future__ import annotations

from typing import Any

_HUB_ID = "meta-llama/Llama-3.1-8B-Instruct"
_FINGERPRINT = "3.3.6-dev0-sha-9f38d93"
_USAGE = {"prompt_tokens": 41, "completion_tokens": 2, "total_tokens": 43}


def _openai_object(kind: str, choice: dict[str, Any], usage: dict[str, int] | None) -> dict[str, Any]:
    return {
        "object": kind,
        "id": "chatcmpl-6f1c0b2a" if kind.startswith("chat") else "cmpl-6f1c0b2a",
        "created": 1764230400,
        "model": "llama",
        "system_fingerprint": _FINGERPRINT,
        "choices": [{"index": 0, **choice, "logprobs": None}],
        "usage": usage,
    }


GENERATED: dict[str, Any] = {"generated_text": " Deep Learning is a subset of Machine Learning."}
TOKEN_EVENT: dict[str, Any] = {
    "index": 1,
    "token": {"id": 18682, "text": " Deep", "logprob": -0.26, "special": False},
    "generated_text": None,
    "details": None,
}
CHAT = _openai_object(
    "chat.completion",
    {"message": {"role": "assistant", "content": "Hello!", "refusal": None}, "finish_reason": "stop"},
    _USAGE,
)
CHAT_CHUNK = _openai_object("chat.completion.chunk", {"delta": {"content": "Hello"}, "finish_reason": None}, None)
COMPLETION = _openai_object("text_completion", {"text": " a subset", "finish_reason": "length"}, _USAGE)
COMPLETION_CHUNK = _openai_object("text_completion", {"text": " a", "finish_reason": None}, None)
RESPONSE: dict[str, Any] = {
    "id": "resp_6f1c0b2a",
    "object": "response",
    "created_at": 1764230400,
    "status": "completed",
    "model": "llama",
    "output": [
        {
            "id": "msg_6f1c0b2a",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello!", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 41, "output_tokens": 2, "total_tokens": 43},
    "store": False,
}
RESPONSE_EVENT: dict[str, Any] = {
    "type": "response.output_text.delta",
    "sequence_number": 4,
    "item_id": "msg_6f1c0b2a",
    "output_index": 0,
    "content_index": 0,
    "delta": "Hello",
}
MESSAGE: dict[str, Any] = {
    "id": "msg_6f1c0b2a",
    "type": "message",
    "role": "assistant",
    "model": "llama",
    "content": [{"type": "text", "text": "Hello!"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 41, "output_tokens": 2},
}
MESSAGE_EVENT: dict[str, Any] = {
    "type": "content_block_delta",
    "index": 0,
    "delta": {"type": "text_delta", "text": "Hello"},
}
MODEL: dict[str, Any] = {"id": "llama", "object": "model", "created": 0, "owned_by": _HUB_ID}
INFO: dict[str, Any] = {
    "model_id": _HUB_ID,
    "model_sha": None,
    "model_pipeline_tag": None,
    "max_concurrent_requests": 128,
    "max_best_of": 2,
    "max_stop_sequences": 4,
    "max_input_tokens": 8191,
    "max_total_tokens": 8192,
    "validation_workers": 2,
    "max_client_batch_size": 4,
    "router": "text-generation-router",
    "version": "3.3.6",
    "sha": None,
    "docker_label": None,
}
