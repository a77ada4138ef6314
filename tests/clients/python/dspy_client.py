# /// script
# requires-python = ">=3.11"
# dependencies = ["dspy==3.4.1"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""DSPy, which calls through LiteLLM."""

import asyncio

import dspy
from checks import KEY, MODEL, OPENAI_URL, PROMPT, URL, raised, run
from dspy import lm15

dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)


# What a model supports is looked up in a list, unless it is declared.
lm15.register_provider(
    lm15.ProviderDefinition.chat(
        lm15.AccessPolicy(provider="tgi", env_keys=("TGI_KEY",), base_url=OPENAI_URL), compat=lm15.OpenAIChatCompat()
    ),
    supports=lm15.ModelSupport(function_calling=True, response_schema=True),
)
declared = dspy.LM(f"tgi/{MODEL}", api_key=KEY)


def chat() -> None:
    """One answer."""
    (text,) = dspy.LM(f"openai/{MODEL}", api_base=OPENAI_URL, api_key=KEY, model_type="chat")(PROMPT)
    assert text if isinstance(text, str) else text["text"]


def hugging_face() -> None:
    """One answer over the Hugging Face route."""
    (text,) = dspy.LM("huggingface/tgi", api_base=URL, api_key=KEY)(PROMPT)
    assert text if isinstance(text, str) else text["text"]


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


def stream() -> None:
    """A program whose answer comes in pieces."""

    async def collect() -> list[object]:
        listeners = [dspy.streaming.StreamListener("answer")]
        program = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=listeners)
        return [piece async for piece in program(question=PROMPT)]

    with dspy.context(lm=declared, adapter=dspy.JSONAdapter()):
        *pieces, prediction = asyncio.run(collect())
    assert any(isinstance(piece, dspy.streaming.StreamResponse) for piece in pieces)
    assert prediction.answer


def tools() -> None:
    """A program that calls a function."""
    with dspy.context(lm=declared, adapter=dspy.JSONAdapter()):
        program = dspy.Predict("question, tools: list[dspy.Tool] -> calls: dspy.ToolCalls")
        answer = program(question=PROMPT, tools=[dspy.Tool(weather)])
    (call,) = answer.calls.tool_calls
    assert call.name == "weather"


def structured() -> None:
    """A program with an output of a type, by a schema."""
    with dspy.context(lm=declared, adapter=dspy.JSONAdapter()):
        answer = dspy.Predict("question -> city: str, inhabitants: int")(question=PROMPT)
    assert isinstance(answer.inhabitants, int)


def errors() -> None:
    """The library's own exception, with the words of the error."""
    error = raised(dspy.LMError, lambda: dspy.LM("openai/unknown", api_base=OPENAI_URL, api_key=KEY)(PROMPT))
    assert "`llama`" in str(error)


run(
    "dspy",
    "litellm",
    chat=chat,
    stream=stream,
    hugging_face=hugging_face,
    tools=tools,
    structured=structured,
    errors=errors,
)
