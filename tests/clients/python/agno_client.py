# /// script
# requires-python = ">=3.11"
# dependencies = ["agno==3.1.10", "openai"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Agno with its model of servers that speak OpenAI's protocol."""

from agno.agent import Agent
from agno.models.openai.like import OpenAILike
from agno.run.base import RunStatus
from checks import KEY, MODEL, OPENAI_URL, PROMPT, run
from pydantic import BaseModel

OPTIONS = {"base_url": OPENAI_URL, "api_key": KEY}
model = OpenAILike(MODEL, **OPTIONS)
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
    assert Agent(model=model, telemetry=False).run(PROMPT).content


def stream() -> None:
    """An answer in pieces."""
    assert "".join(event.content or "" for event in Agent(model=model, telemetry=False).run(PROMPT, stream=True))


def tools() -> None:
    """An agent that calls a function."""
    assert Agent(model=model, tools=[weather], telemetry=False).run(PROMPT).content
    assert calls


def structured() -> None:
    """An answer of a type."""
    answer = Agent(model=model, output_schema=City, telemetry=False).run(PROMPT).content
    assert isinstance(answer, City), answer


def errors() -> None:
    """A run that failed, with the words of the error."""
    response = Agent(model=OpenAILike("unknown", **OPTIONS), telemetry=False).run(PROMPT)
    assert response.status == RunStatus.error
    assert "`llama`" in response.content


run("agno", "openai", chat=chat, stream=stream, tools=tools, structured=structured, errors=errors)
