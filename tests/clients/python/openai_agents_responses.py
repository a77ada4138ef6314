# /// script
# requires-python = ">=3.11"
# dependencies = ["openai-agents==0.24.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""OpenAI's agents with their default, the Responses API."""

import asyncio

from agents import Agent, ModelSettings, Runner, function_tool, set_default_openai_client, set_tracing_disabled
from checks import KEY, MODEL, OPENAI_URL, PROMPT, raised, run
from openai import AsyncOpenAI, NotFoundError
from pydantic import BaseModel

set_tracing_disabled(True)
set_default_openai_client(AsyncOpenAI(base_url=OPENAI_URL, api_key=KEY))
calls: list[str] = []


class City(BaseModel):
    """A city."""

    name: str


@function_tool
def weather(city: str) -> str:
    """The weather in a city."""
    calls.append(city)
    return f"Sunny in {city}."


async def answer(made: Agent) -> object:
    """What an agent answers, not streamed."""
    return (await Runner.run(made, PROMPT, max_turns=12)).final_output


async def streamed(made: Agent) -> tuple[object, list[str]]:
    """What an agent answers, streamed, and the types of the events."""
    result = Runner.run_streamed(made, PROMPT, max_turns=12)
    events = [event.type async for event in result.stream_events()]
    return result.final_output, events


def chat() -> None:
    """One answer."""
    assert loop.run(answer(Agent(name="a", model=MODEL, instructions="Be brief.")))


def stream() -> None:
    """An answer in pieces."""
    text, events = loop.run(streamed(Agent(name="a", model=MODEL)))
    assert text
    assert events.count("raw_response_event") > 3


def tools() -> None:
    """A call of a function."""
    settings = ModelSettings(tool_choice="required")
    loop.run(answer(Agent(name="a", model=MODEL, tools=[weather], model_settings=settings)))
    assert calls


def structured() -> None:
    """An answer of a type."""
    assert isinstance(loop.run(answer(Agent(name="a", model=MODEL, output_type=City))), City)


def agent() -> None:
    """An agent with a function and a type for its answer, streamed and not."""
    made = Agent(name="a", model=MODEL, tools=[weather], output_type=City)
    assert isinstance(loop.run(answer(made)), City)
    assert isinstance(loop.run(streamed(made))[0], City)


def errors() -> None:
    """OpenAI's exceptions."""
    unknown = Agent(name="a", model="unknown")
    assert "`llama`" in str(raised(NotFoundError, lambda: loop.run(answer(unknown))))


# One client belongs to one event loop.
with asyncio.Runner() as loop:
    run(
        "openai-agents",
        "openai",
        chat=chat,
        stream=stream,
        tools=tools,
        structured=structured,
        agent=agent,
        errors=errors,
    )
