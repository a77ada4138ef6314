# /// script
# requires-python = ">=3.11"
# dependencies = ["dspy==3.4.1"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""DSPy with the Responses API."""

import json

import dspy
from checks import KEY, MODEL, OPENAI_URL, PROMPT, WEATHER, raised, run
from pydantic import BaseModel

dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
model = dspy.LM(f"openai/{MODEL}", api_base=OPENAI_URL, api_key=KEY, model_type="responses")


class City(BaseModel):
    """A city."""

    name: str


def chat() -> None:
    """One answer."""
    (answer,) = model(PROMPT)
    assert answer["text"]


def tools() -> None:
    """A call of a function."""
    tool = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}
    (answer,) = model(PROMPT, tools=[tool], tool_choice="required")
    (call,) = answer["tool_calls"]
    assert set(json.loads(call.function.arguments)) == {"city"}


def structured() -> None:
    """An answer of a type, by a schema."""
    (answer,) = model(PROMPT, response_format=City)
    City.model_validate_json(answer["text"])


def errors() -> None:
    """The library's own exception, with the words of the error."""
    unknown = dspy.LM("openai/unknown", api_base=OPENAI_URL, api_key=KEY, model_type="responses")
    assert "`llama`" in str(raised(dspy.LMError, lambda: unknown(PROMPT)))


run("dspy", chat=chat, tools=tools, structured=structured, errors=errors)
