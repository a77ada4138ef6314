# /// script
# requires-python = ">=3.11"
# dependencies = ["openai==3.57.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""OpenAI's own client."""

import json

import openai
from checks import KEY, MODEL, OPENAI_URL, PROMPT, WEATHER, raised, run
from pydantic import BaseModel

client = openai.OpenAI(base_url=OPENAI_URL, api_key=KEY)
MESSAGES = [{"role": "user", "content": PROMPT}]
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER, "strict": True}}]


class City(BaseModel):
    """A city."""

    name: str
    inhabitants: int


def chat() -> None:
    """One answer."""
    answer = client.chat.completions.create(model=MODEL, messages=MESSAGES)
    assert answer.choices[0].message.content
    assert answer.usage.total_tokens > 0


def stream() -> None:
    """An answer in pieces, with the token counts at its end."""
    with client.chat.completions.stream(model=MODEL, messages=MESSAGES, stream_options={"include_usage": True}) as it:
        final = it.get_final_completion()
    assert final.choices[0].message.content
    assert final.usage.completion_tokens > 0


def tools() -> None:
    """A call of a function."""
    answer = client.chat.completions.create(model=MODEL, messages=MESSAGES, tools=TOOLS, tool_choice="required")
    (call,) = answer.choices[0].message.tool_calls
    assert set(json.loads(call.function.arguments)) == {"city"}


def structured() -> None:
    """An answer of a type."""
    answer = client.chat.completions.parse(model=MODEL, messages=MESSAGES, response_format=City)
    assert isinstance(answer.choices[0].message.parsed, City)


def errors() -> None:
    """The library's own exceptions."""
    create = client.chat.completions.create
    unknown = raised(openai.NotFoundError, lambda: create(model="unknown", messages=MESSAGES))
    assert unknown.code == "model_not_found"
    invalid = raised(openai.BadRequestError, lambda: create(model=MODEL, messages=MESSAGES, max_tokens="many"))
    assert invalid.param == "max_tokens"


run("openai", chat=chat, stream=stream, tools=tools, structured=structured, errors=errors)
