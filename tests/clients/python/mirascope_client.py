# /// script
# requires-python = ">=3.11"
# dependencies = ["mirascope[openai]==2.8.2"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Mirascope with its provider of OpenAI's chat completions."""

import json

from checks import KEY, MODEL, OPENAI_URL, PROMPT, raised, run
from mirascope import llm
from pydantic import BaseModel

llm.register_provider("openai:completions", scope="tgi/", base_url=OPENAI_URL, api_key=KEY)
model = llm.Model(f"tgi/{MODEL}")


class City(BaseModel):
    """A city."""

    name: str


@llm.tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


def chat() -> None:
    """One answer."""
    assert model.call(PROMPT).text()


def stream() -> None:
    """An answer in pieces."""
    assert "".join(model.stream(PROMPT).text_stream())


def tools() -> None:
    """A call of a function."""
    (call,) = model.call(PROMPT, tools=[weather]).tool_calls
    assert set(json.loads(call.args)) == {"city"}


def structured() -> None:
    """An answer of a type, by the call of a function and by a schema."""
    for mode in ("tool", "strict"):
        assert isinstance(model.call(PROMPT, format=llm.format(City, mode=mode)).parse(), City)


def errors() -> None:
    """The library's own exceptions."""
    assert "`llama`" in str(raised(llm.NotFoundError, lambda: llm.Model("tgi/unknown").call(PROMPT)))


run("mirascope", "openai", chat=chat, stream=stream, tools=tools, structured=structured, errors=errors)
