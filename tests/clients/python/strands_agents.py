# /// script
# requires-python = ">=3.11"
# dependencies = ["strands-agents[openai]==1.62.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Strands Agents with its model of OpenAI."""

import asyncio

import openai
from checks import KEY, MODEL, OPENAI_URL, PROMPT, raised, run
from pydantic import BaseModel
from strands import Agent, tool
from strands.models.openai import OpenAIModel

CLIENT = {"base_url": OPENAI_URL, "api_key": KEY}
model = OpenAIModel(client_args=CLIENT, model_id=MODEL)
calls: list[str] = []


class City(BaseModel):
    """A city."""

    name: str


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    calls.append(city)
    return f"Sunny in {city}."


def chat() -> None:
    """One answer."""
    assert str(Agent(model=model, callback_handler=None)(PROMPT))


def stream() -> None:
    """An answer in pieces."""

    async def collect() -> str:
        events = Agent(model=model, callback_handler=None).stream_async(PROMPT)
        return "".join([event["data"] async for event in events if "data" in event])

    assert asyncio.run(collect())


def tools() -> None:
    """An agent with a function."""
    assert Agent(model=model, tools=[weather], callback_handler=None)(PROMPT).stop_reason == "end_turn"
    assert calls


def structured() -> None:
    """An answer of a type."""
    made = Agent(model=model, callback_handler=None)
    assert isinstance(made(PROMPT, structured_output_model=City).structured_output, City)


def errors() -> None:
    """OpenAI's exceptions."""
    unknown = Agent(model=OpenAIModel(client_args=CLIENT, model_id="unknown"), callback_handler=None)
    assert "`llama`" in str(raised(openai.NotFoundError, lambda: unknown(PROMPT)))


run("strands-agents", "openai", chat=chat, stream=stream, tools=tools, structured=structured, errors=errors)
