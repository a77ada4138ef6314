# /// script
# requires-python = ">=3.11"
# dependencies = ["pydantic-ai-slim[anthropic]==2.68.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Pydantic AI with its model of Anthropic's messages."""

import asyncio

from checks import KEY, MODEL, PROMPT, URL, raised, run
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider

provider = AnthropicProvider(base_url=URL, api_key=KEY)
model = AnthropicModel(MODEL, provider=provider)
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
    assert Agent(model, tools=[weather], system_prompt="Be brief.").run_sync(PROMPT).output
    assert calls


def structured() -> None:
    """An answer of a type, by the call of a function."""
    assert isinstance(Agent(model, output_type=City).run_sync(PROMPT).output, City)


def agent() -> None:
    """An agent with a function and a type for its answer."""
    assert isinstance(Agent(model, output_type=City, tools=[weather]).run_sync(PROMPT).output, City)


def errors() -> None:
    """The library's own exception."""
    unknown = Agent(AnthropicModel("unknown", provider=provider))
    assert raised(ModelHTTPError, lambda: unknown.run_sync(PROMPT)).status_code == 404


run(
    "pydantic-ai-slim",
    "anthropic",
    chat=chat,
    stream=stream,
    tools=tools,
    structured=structured,
    agent=agent,
    errors=errors,
)
