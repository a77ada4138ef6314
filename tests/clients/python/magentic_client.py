# /// script
# requires-python = ">=3.11"
# dependencies = ["magentic==0.41.1"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Magentic with its model of OpenAI."""

import openai
from checks import KEY, MODEL, OPENAI_URL, PROMPT, raised, run
from magentic import FunctionCall, OpenaiChatModel, StreamedStr, prompt
from pydantic import BaseModel

model = OpenaiChatModel(MODEL, api_key=KEY, base_url=OPENAI_URL)


class City(BaseModel):
    """A city."""

    name: str


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


@prompt("{question}", model=model)
def answer(question: str) -> str:
    """One answer."""


@prompt("{question}", model=model)
def answer_in_pieces(question: str) -> StreamedStr:
    """An answer in pieces."""


@prompt("{question}", model=model)
def answer_with_a_city(question: str) -> City:
    """An answer of a type."""


@prompt("{question}", functions=[weather], model=model)
def answer_with_a_call(question: str) -> FunctionCall[str]:
    """A call of a function."""


@prompt("{question}", model=OpenaiChatModel("unknown", api_key=KEY, base_url=OPENAI_URL))
def answer_of_nobody(question: str) -> str:
    """A model that there is not."""


def chat() -> None:
    """One answer."""
    assert answer(PROMPT)


def stream() -> None:
    """An answer in pieces."""
    assert "".join(answer_in_pieces(PROMPT))


def tools() -> None:
    """A call of a function."""
    assert answer_with_a_call(PROMPT)().startswith("Sunny in")


def structured() -> None:
    """An answer of a type."""
    assert isinstance(answer_with_a_city(PROMPT), City)


def errors() -> None:
    """OpenAI's exceptions."""
    assert "`llama`" in str(raised(openai.NotFoundError, lambda: answer_of_nobody(PROMPT)))


run("magentic", "openai", chat=chat, stream=stream, tools=tools, structured=structured, errors=errors)
