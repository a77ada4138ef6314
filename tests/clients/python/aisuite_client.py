# /// script
# requires-python = ">=3.11"
# dependencies = ["aisuite[openai]==0.2.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""aisuite with its provider of OpenAI."""

import json

import aisuite
from aisuite.provider import LLMError
from checks import KEY, MODEL, OPENAI_URL, PROMPT, WEATHER, raised, run

client = aisuite.Client({"openai": {"base_url": OPENAI_URL, "api_key": KEY}})
MESSAGES = [{"role": "user", "content": PROMPT}]
FORMAT = {"type": "json_schema", "json_schema": {"name": "place", "schema": WEATHER, "strict": True}}
calls: list[str] = []


def weather(city: str) -> str:
    """The weather in a city."""
    calls.append(city)
    return f"Sunny in {city}."


def ask(model: str = MODEL, **options: object) -> aisuite.framework.ChatCompletionResponse:
    """What the model answers."""
    return client.chat.completions.create(model=f"openai:{model}", messages=MESSAGES, **options)


def chat() -> None:
    """One answer."""
    assert ask().choices[0].message.content


def stream() -> None:
    """An answer in pieces."""
    assert "".join(chunk.choices[0].delta.content or "" for chunk in ask(stream=True) if chunk.choices)


def tools() -> None:
    """An answer after as many calls of a function as the model wants."""
    assert ask(tools=[weather], max_turns=3).choices
    assert calls


def structured() -> None:
    """An answer by a schema."""
    assert set(json.loads(ask(response_format=FORMAT).choices[0].message.content)) == {"city"}


def errors() -> None:
    """The library's own exception, with the words of the error."""
    assert "`llama`" in str(raised(LLMError, lambda: ask("unknown")))


run("aisuite", "openai", chat=chat, stream=stream, tools=tools, structured=structured, errors=errors)
