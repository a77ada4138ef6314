"""The responses of OpenAI's Responses API and Anthropic's Messages API."""

from __future__ import annotations

from scripts.openapi.schema import Schema, array, integer, nullable, one_of, record, text

_TOKENS = integer(minimum=0)

SCHEMAS: dict[str, Schema] = {
    "Response": record(
        {
            "id": text(),
            "object": {"const": "response"},
            "created_at": integer("Seconds since 1970.", minimum=0),
            "status": one_of("completed", "failed", "in_progress", "incomplete"),
            "model": text("The model's name in this API."),
            "output": array({"type": "object"}, "Messages, reasoning and function calls."),
            "usage": nullable(
                record(
                    {"input_tokens": _TOKENS, "output_tokens": _TOKENS, "total_tokens": _TOKENS},
                    required=("input_tokens", "output_tokens", "total_tokens"),
                )
            ),
            "store": {"const": False},
        },
        required=("id", "object", "created_at", "status", "model", "output", "usage", "store"),
        description="As OpenAI's, with the settings of the request.",
    ),
    "ResponseEvent": record(
        {"type": text("Such as `response.output_text.delta`."), "sequence_number": integer(minimum=0)},
        required=("type", "sequence_number"),
    ),
    "Message": record(
        {
            "id": text(),
            "type": {"const": "message"},
            "role": {"const": "assistant"},
            "model": text("The model's name in this API."),
            "content": array(record({"type": one_of("text", "thinking", "tool_use")}, required=("type",))),
            "stop_reason": nullable(one_of("end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal")),
            "stop_sequence": nullable(text()),
            "usage": record(
                {"input_tokens": _TOKENS, "output_tokens": _TOKENS}, required=("input_tokens", "output_tokens")
            ),
        },
        required=("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"),
    ),
    "MessageEvent": record({"type": text("Such as `content_block_delta`.")}, required=("type",)),
    "TokenCount": record({"input_tokens": _TOKENS}, required=("input_tokens",)),
}
