# /// script
# requires-python = ">=3.11"
# dependencies = ["llama-index-llms-openai-like==0.8.1"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""LlamaIndex with its client of servers that speak OpenAI's protocol."""

import openai
from checks import KEY, MODEL, OPENAI_URL, PROMPT, raised, run
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

OPTIONS = {
    "api_base": OPENAI_URL,
    "api_key": KEY,
    "is_chat_model": True,
    "is_function_calling_model": True,
    "should_use_structured_outputs": True,
}
model = OpenAILike(model=MODEL, **OPTIONS)
MESSAGES = [ChatMessage(role="user", content=PROMPT)]


class City(BaseModel):
    """A city."""

    name: str


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


def chat() -> None:
    """One answer."""
    assert model.chat(MESSAGES).message.content


def stream() -> None:
    """An answer in pieces."""
    assert "".join(chunk.delta or "" for chunk in model.stream_chat(MESSAGES))


def complete() -> None:
    """A text by the route of completions."""
    assert OpenAILike(model=MODEL, **{**OPTIONS, "is_chat_model": False}).complete(PROMPT).text


def tools() -> None:
    """A call of a function."""
    tool = FunctionTool.from_defaults(weather)
    response = model.chat_with_tools([tool], user_msg=PROMPT, tool_required=True)
    (call,) = model.get_tool_calls_from_response(response)
    assert set(call.tool_kwargs) == {"city"}


def structured() -> None:
    """An answer of a type."""
    assert isinstance(model.as_structured_llm(City).chat(MESSAGES).raw, City)


def errors() -> None:
    """OpenAI's exceptions."""
    unknown = OpenAILike(model="unknown", **OPTIONS)
    assert "`llama`" in str(raised(openai.NotFoundError, lambda: unknown.chat(MESSAGES)))


run(
    "llama-index-llms-openai-like",
    chat=chat,
    stream=stream,
    complete=complete,
    tools=tools,
    structured=structured,
    errors=errors,
)
