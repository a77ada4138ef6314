# /// script
# requires-python = ">=3.11"
# dependencies = ["openai-agents==0.24.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""OpenAI's agents over chat completions."""

import asyncio

from agents import Agent, AsyncOpenAI, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from checks import KEY, MODEL, OPENAI_URL, PROMPT, run
from pydantic import BaseModel

set_tracing_disabled(True)
model = OpenAIChatCompletionsModel(model=MODEL, openai_client=AsyncOpenAI(base_url=OPENAI_URL, api_key=KEY))


class City(BaseModel):
    """A city."""

    name: str


@function_tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


def chat() -> None:
    """One answer."""
    assert Runner.run_sync(Agent(name="a", model=model), PROMPT).final_output


def stream() -> None:
    """An answer in pieces."""

    async def collect() -> list[str]:
        result = Runner.run_streamed(Agent(name="a", model=model), PROMPT)
        return [event.type async for event in result.stream_events()]

    assert "raw_response_event" in asyncio.run(collect())


def agent() -> None:
    """An agent with a function and a type for its answer, streamed and not."""
    made = Agent(name="a", model=model, tools=[weather], output_type=City)
    assert isinstance(Runner.run_sync(made, PROMPT, max_turns=12).final_output, City)

    async def collect() -> object:
        result = Runner.run_streamed(made, PROMPT, max_turns=12)
        async for _ in result.stream_events():
            pass
        return result.final_output

    assert isinstance(asyncio.run(collect()), City)


run("openai-agents", "openai", chat=chat, stream=stream, agent=agent)
