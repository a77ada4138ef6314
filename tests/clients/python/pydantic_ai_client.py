# /// script
# requires-python = ">=3.11"
# dependencies = ["pydantic-ai-slim[openai]==2.68.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Pydantic AI with its model of OpenAI's chat completions."""

import asyncio

from checks import KEY, MODEL, OPENAI_URL, PROMPT, raised, run
from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(base_url=OPENAI_URL, api_key=KEY)
model = OpenAIChatModel(MODEL, provider=provider)
calls: list[str] = []


class City(BaseModel):
    """A city."""

    name: str


def weather(city: str) -> str:
    """The weather in a city."""
    calls.append(city)
    return f"Sunny in {city}."


def chat() -> None:
    """One answer."""
    assert Agent(model).run_sync(PROMPT).output


def stream() -> None:
    """An answer in pieces."""

    async def collect() -> str:
        async with Agent(model).run_stream(PROMPT) as result:
            return await result.get_output()

    assert asyncio.run(collect())


def tools() -> None:
    """An agent that calls a function."""
    assert Agent(model, tools=[weather]).run_sync(PROMPT).output
    assert calls


def structured() -> None:
    """An answer of a type, by the call of a function and by a schema."""
    assert isinstance(Agent(model, output_type=City).run_sync(PROMPT).output, City)
    assert isinstance(Agent(model, output_type=NativeOutput(City)).run_sync(PROMPT).output, City)


def agent() -> None:
    """An agent with a function and a type for its answer."""
    made = Agent(model, output_type=NativeOutput(City), tools=[weather])
    assert isinstance(made.run_sync(PROMPT).output, City)


def errors() -> None:
    """The library's own exception."""
    unknown = Agent(OpenAIChatModel("unknown", provider=provider))
    assert raised(ModelHTTPError, lambda: unknown.run_sync(PROMPT)).status_code == 404


run(
    "pydantic-ai-slim",
    "openai",
    chat=chat,
    stream=stream,
    tools=tools,
    structured=structured,
    agent=agent,
    errors=errors,
)
