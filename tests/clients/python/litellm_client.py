# /// script
# requires-python = ">=3.11"
# dependencies = ["litellm==1.110.2"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""LiteLLM, by its OpenAI-compatible and its Hugging Face route."""

import json

import litellm
from checks import KEY, MODEL, OPENAI_URL, PROMPT, URL, WEATHER, raised, run

MESSAGES = [{"role": "user", "content": PROMPT}]
OPENAI = {"model": f"openai/{MODEL}", "api_base": OPENAI_URL, "api_key": KEY}
HUGGING_FACE = {"model": "huggingface/tgi", "api_base": URL, "api_key": KEY}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
FORMAT = {"type": "json_schema", "json_schema": {"name": "place", "schema": WEATHER, "strict": True}}


def chat() -> None:
    """One answer, with the library's own settings among the parameters."""
    answer = litellm.completion(messages=MESSAGES, num_retries=1, timeout=60, **OPENAI)
    assert answer.choices[0].message.content


def stream() -> None:
    """An answer in pieces."""
    chunks = litellm.completion(messages=MESSAGES, stream=True, **OPENAI)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def hugging_face() -> None:
    """The same over the Hugging Face route."""
    assert litellm.completion(messages=MESSAGES, **HUGGING_FACE).choices[0].message.content
    chunks = litellm.completion(messages=MESSAGES, stream=True, **HUGGING_FACE)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def tools() -> None:
    """A call of a function."""
    answer = litellm.completion(messages=MESSAGES, tools=TOOLS, tool_choice="required", **OPENAI)
    (call,) = answer.choices[0].message.tool_calls
    assert set(json.loads(call.function.arguments)) == {"city"}


def structured() -> None:
    """An answer by a schema."""
    answer = litellm.completion(messages=MESSAGES, response_format=FORMAT, **OPENAI)
    assert set(json.loads(answer.choices[0].message.content)) == {"city"}


def errors() -> None:
    """The library's own exceptions."""
    call = {**OPENAI, "model": "openai/unknown"}
    error = raised(litellm.NotFoundError, lambda: litellm.completion(messages=MESSAGES, **call))
    assert "`llama`" in str(error)


run("litellm", chat=chat, stream=stream, hugging_face=hugging_face, tools=tools, structured=structured, errors=errors)
