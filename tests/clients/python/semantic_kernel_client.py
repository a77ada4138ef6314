# /// script
# requires-python = ">=3.11"
# dependencies = ["semantic-kernel==1.45.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Semantic Kernel with its connector of OpenAI."""

import asyncio
import json

from checks import KEY, MODEL, OPENAI_URL, PROMPT, raised, run
from openai import AsyncOpenAI
from pydantic import BaseModel
from semantic_kernel import Kernel
from semantic_kernel.connectors.ai import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory
from semantic_kernel.exceptions import ServiceResponseException
from semantic_kernel.functions import kernel_function

calls: list[str] = []


class City(BaseModel):
    """A city."""

    name: str


class Weather:
    """A plugin with one function."""

    @kernel_function
    def weather(self, city: str) -> str:
        """The weather in a city."""
        calls.append(city)
        return f"Sunny in {city}."


def history() -> ChatHistory:
    """A conversation with one message."""
    made = ChatHistory()
    made.add_user_message(PROMPT)
    return made


def ask(model: str = MODEL, **settings: object) -> str:
    """What the service answers."""

    async def answer() -> str:
        service = OpenAIChatCompletion(model, async_client=AsyncOpenAI(base_url=OPENAI_URL, api_key=KEY))
        kernel = Kernel()
        kernel.add_plugin(Weather(), "weather")
        options = OpenAIChatPromptExecutionSettings(**settings)
        return str(await service.get_chat_message_content(history(), options, kernel=kernel))

    return asyncio.run(answer())


def chat() -> None:
    """One answer."""
    assert ask()


def stream() -> None:
    """An answer in pieces."""

    async def answer() -> str:
        service = OpenAIChatCompletion(MODEL, async_client=AsyncOpenAI(base_url=OPENAI_URL, api_key=KEY))
        pieces = service.get_streaming_chat_message_content(history(), OpenAIChatPromptExecutionSettings())
        return "".join([str(piece) async for piece in pieces])

    assert asyncio.run(answer())


def tools() -> None:
    """An answer with the functions of a plugin."""
    assert ask(function_choice_behavior=FunctionChoiceBehavior.Auto())
    assert calls


def structured() -> None:
    """An answer of a type."""
    assert set(json.loads(ask(response_format=City))) == {"name"}


def errors() -> None:
    """The library's own exception, with the words of the error."""
    assert "`llama`" in str(raised(ServiceResponseException, lambda: ask("unknown")))


run("semantic-kernel", "openai", chat=chat, stream=stream, tools=tools, structured=structured, errors=errors)
