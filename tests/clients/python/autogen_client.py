# /// script
# requires-python = ">=3.11"
# dependencies = ["autogen-ext[openai]==0.7.5", "autogen-agentchat==0.7.5"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""AutoGen with its client of OpenAI's chat completions."""

import asyncio

import openai
from autogen_agentchat.agents import AssistantAgent
from autogen_core.models import ModelInfo, UserMessage
from autogen_core.tools import FunctionTool
from autogen_ext.models.openai import OpenAIChatCompletionClient
from checks import KEY, MODEL, OPENAI_URL, PROMPT, raised, run
from pydantic import BaseModel

INFO = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)
MESSAGES = [UserMessage(content=PROMPT, source="user")]
calls: list[str] = []


class City(BaseModel):
    """A city."""

    name: str


async def weather(city: str) -> str:
    """The weather in a city."""
    calls.append(city)
    return f"Sunny in {city}."


def client(model: str = MODEL) -> OpenAIChatCompletionClient:
    """The client of the library."""
    return OpenAIChatCompletionClient(model=model, base_url=OPENAI_URL, api_key=KEY, model_info=INFO)


def chat() -> None:
    """One answer."""
    assert asyncio.run(client().create(MESSAGES)).content


def stream() -> None:
    """An answer in pieces."""

    async def collect() -> str:
        return "".join([piece async for piece in client().create_stream(MESSAGES) if isinstance(piece, str)])

    assert asyncio.run(collect())


def tools() -> None:
    """An agent with a function."""
    made = AssistantAgent("assistant", client(), tools=[weather], reflect_on_tool_use=True)
    assert asyncio.run(made.run(task=PROMPT)).messages[-1].content
    assert calls


def structured() -> None:
    """An agent with a type for its answer."""
    made = AssistantAgent("assistant", client(), output_content_type=City)
    assert isinstance(asyncio.run(made.run(task=PROMPT)).messages[-1].content, City)


def agent() -> None:
    """An agent with a function and a type for its answer."""
    tool = FunctionTool(weather, "The weather in a city.", strict=True)
    made = AssistantAgent("assistant", client(), tools=[tool], output_content_type=City, max_tool_iterations=5)
    assert isinstance(asyncio.run(made.run(task=PROMPT)).messages[-1].content, City)


def errors() -> None:
    """OpenAI's exceptions."""
    error = raised(openai.NotFoundError, lambda: asyncio.run(client("unknown").create(MESSAGES)))
    assert "`llama`" in str(error)


run(
    "autogen-ext",
    "openai",
    chat=chat,
    stream=stream,
    tools=tools,
    structured=structured,
    agent=agent,
    errors=errors,
)
