"""Request and response of `/invocations`: TGI's generate, or OpenAI's chat or completion, depending on the body."""

from __future__ import annotations

from scripts.openapi import openai_requests
from scripts.openapi.schema import Schema, any_of, array, ref

_MESSAGES = [{"role": "user", "content": "What is Deep Learning?"}]


def _open(name: str, others: dict[str, Schema]) -> Schema:
    """The same request, in which unknown properties are ignored, as TGI does."""
    schema = openai_requests.SCHEMAS[name]
    properties = {key: value for key, value in schema["properties"].items() if key not in others}
    kept = {"type": schema["type"], "required": schema["required"], "properties": properties}
    return {"description": f"As `{name}`; unknown properties are ignored.", **kept}


SCHEMAS: dict[str, Schema] = {
    "InvocationsRequest": any_of(
        ref("CompatGenerateRequest"),
        ref("InvocationsChat"),
        ref("InvocationsCompletion"),
        type="object",
        description="With `inputs` TGI's request, else with `messages` a chat, else with `prompt` a completion.",
        examples=[
            {"inputs": "What is Deep Learning?", "parameters": {"max_new_tokens": 20}},
            {"messages": _MESSAGES, "max_tokens": 20},
        ],
    ),
    "InvocationsChat": _open("ChatCompletionRequest", openai_requests.OTHER_CHAT),
    "InvocationsCompletion": _open("CompletionRequest", openai_requests.OTHER_COMPLETION),
    "InvocationsResponse": any_of(
        array(ref("GenerateResponse"), minItems=1, maxItems=1),
        ref("ChatCompletion"),
        ref("Completion"),
        ref("ServerResponse"),
    ),
    "InvocationsStream": any_of(
        ref("StreamResponse"), ref("ChatCompletionChunk"), ref("CompletionChunk"), ref("ServerResponse")
    ),
}
