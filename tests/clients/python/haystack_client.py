# /// script
# requires-python = ">=3.11"
# dependencies = ["haystack-ai==3.4.1", "huggingface-api-haystack==3.1.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Haystack with OpenAI's client and with the Hugging Face Hub's."""

import json

import openai
from checks import KEY, MODEL, OPENAI_URL, PROMPT, URL, WEATHER, raised, run
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import Tool
from haystack.utils import Secret
from haystack_integrations.components.generators.huggingface_api import HuggingFaceAPIChatGenerator

MESSAGES = [ChatMessage.from_user(PROMPT)]
TOOL = Tool("weather", "The weather in a city.", WEATHER, lambda city: f"Sunny in {city}.")
FORMAT = {"type": "json_schema", "json_schema": {"name": "place", "schema": WEATHER, "strict": True}}


def generator(model: str = MODEL, **options: object) -> OpenAIChatGenerator:
    """The component with OpenAI's client."""
    return OpenAIChatGenerator(Secret.from_token(KEY), model, api_base_url=OPENAI_URL, **options)


def hub_generator(**options: object) -> HuggingFaceAPIChatGenerator:
    """The component with the Hub's client, which is given a URL alone."""
    return HuggingFaceAPIChatGenerator(
        "text_generation_inference", {"url": URL}, token=Secret.from_token(KEY), **options
    )


def chat() -> None:
    """One answer."""
    assert generator().run(MESSAGES)["replies"][0].text


def stream() -> None:
    """An answer in pieces."""
    chunks: list[str] = []
    generator(streaming_callback=lambda chunk: chunks.append(chunk.content)).run(MESSAGES)
    assert "".join(chunks)


def tools() -> None:
    """A call of a function."""
    (call,) = (
        generator(generation_kwargs={"tool_choice": "required"}, tools=[TOOL]).run(MESSAGES)["replies"][0].tool_calls
    )
    assert set(call.arguments) == {"city"}


def structured() -> None:
    """An answer by a schema."""
    (reply,) = generator(generation_kwargs={"response_format": FORMAT}).run(MESSAGES)["replies"]
    assert set(json.loads(reply.text)) == {"city"}


def hugging_face() -> None:
    """An answer in one piece and in several, and a call of a function."""
    assert hub_generator().run(MESSAGES)["replies"][0].text
    chunks: list[str] = []
    hub_generator(streaming_callback=lambda chunk: chunks.append(chunk.content)).run(MESSAGES)
    assert "".join(chunks)
    (call,) = hub_generator(tools=[TOOL]).run(MESSAGES)["replies"][0].tool_calls
    assert set(call.arguments) == {"city"}


def errors() -> None:
    """OpenAI's exceptions."""
    error = raised(openai.NotFoundError, lambda: generator("unknown").run(MESSAGES))
    assert "`llama`" in str(error)


run(
    "haystack-ai",
    "huggingface-api-haystack",
    chat=chat,
    stream=stream,
    tools=tools,
    structured=structured,
    hugging_face=hugging_face,
    errors=errors,
)
