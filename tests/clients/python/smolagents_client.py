# /// script
# requires-python = ">=3.11"
# dependencies = ["smolagents[openai]==1.26.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""smolagents with OpenAI's client and with the Hugging Face Hub's."""

import openai
from checks import KEY, MODEL, OPENAI_URL, PROMPT, URL, raised, run
from smolagents import InferenceClientModel, OpenAIModel, ToolCallingAgent, tool

model = OpenAIModel(MODEL, api_base=OPENAI_URL, api_key=KEY)
hub_model = InferenceClientModel(URL, token=KEY)
MESSAGES = [{"role": "user", "content": [{"type": "text", "text": PROMPT}]}]


@tool
def weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: Its name.
    """
    return f"Sunny in {city}."


def chat() -> None:
    """One answer."""
    assert model(MESSAGES).content


def stream() -> None:
    """An answer in pieces."""
    assert "".join(delta.content or "" for delta in model.generate_stream(MESSAGES))


def tools() -> None:
    """A call of a function."""
    (call,) = model.generate(MESSAGES, tools_to_call_from=[weather]).tool_calls
    assert call.function.name == "weather"


def agent() -> None:
    """An agent, which has to call a function in each of its steps."""
    assert ToolCallingAgent(tools=[weather], model=model, max_steps=3, verbosity_level=0).run(PROMPT)


def hugging_face() -> None:
    """An answer in one piece and in several, and a call of a function."""
    assert hub_model(MESSAGES).content
    assert "".join(delta.content or "" for delta in hub_model.generate_stream(MESSAGES))
    (call,) = hub_model.generate(MESSAGES, tools_to_call_from=[weather]).tool_calls
    assert call.function.name == "weather"


def errors() -> None:
    """OpenAI's exceptions."""
    unknown = OpenAIModel("unknown", api_base=OPENAI_URL, api_key=KEY)
    assert "`llama`" in str(raised(openai.NotFoundError, lambda: unknown(MESSAGES)))


run("smolagents", chat=chat, stream=stream, tools=tools, agent=agent, hugging_face=hugging_face, errors=errors)
