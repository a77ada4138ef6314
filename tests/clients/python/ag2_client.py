# /// script
# requires-python = ">=3.11"
# dependencies = ["ag2[openai]==1.2.1"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""AG2 with its configuration of OpenAI."""

import asyncio

import openai
from ag2 import Agent
from ag2.config import OpenAIConfig
from checks import KEY, MODEL, OPENAI_URL, PROMPT, raised, run
from pydantic import BaseModel

OPTIONS = {"base_url": OPENAI_URL, "api_key": KEY}
calls: list[str] = []


class City(BaseModel):
    """A city."""

    name: str


def weather(city: str) -> str:
    """The weather in a city."""
    calls.append(city)
    return f"Sunny in {city}."


def ask(model: str = MODEL, streaming: bool = False, **options: object) -> object:
    """What an agent answers."""

    async def answer() -> object:
        made = Agent("assistant", config=OpenAIConfig(model, streaming=streaming, **OPTIONS), **options)
        return await (await made.ask(PROMPT)).content()

    return asyncio.run(answer())


def chat() -> None:
    """One answer."""
    assert ask()


def stream() -> None:
    """An answer in pieces."""
    assert ask(streaming=True)


def tools() -> None:
    """An agent that calls a function."""
    assert ask(tools=[weather])
    assert calls


def structured() -> None:
    """An answer of a type."""
    assert isinstance(ask(response_schema=City), City)


def agent() -> None:
    """An agent with a function and a type for its answer."""
    assert isinstance(ask(tools=[weather], response_schema=City), City)


def errors() -> None:
    """OpenAI's exceptions."""
    assert "`llama`" in str(raised(openai.NotFoundError, lambda: ask("unknown")))


run("ag2", "openai", chat=chat, stream=stream, tools=tools, structured=structured, agent=agent, errors=errors)
