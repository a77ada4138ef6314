# /// script
# requires-python = ">=3.11"
# dependencies = ["langchain-anthropic==1.7.10", "langchain==1.5.2"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""LangChain with its client of Anthropic."""

import asyncio
from functools import reduce
from operator import add

import anthropic
from checks import KEY, MODEL, PROMPT, URL, raised, run
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain.messages import HumanMessage
from langchain.tools import tool
from langchain_anthropic import ChatAnthropic
from pydantic import BaseModel

model = ChatAnthropic(base_url=URL, api_key=KEY, model=MODEL, max_tokens=400)


class City(BaseModel):
    """A city."""

    name: str


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


def chat() -> None:
    """One answer."""
    answer = model.invoke(PROMPT)
    assert answer.text
    assert answer.usage_metadata["output_tokens"] > 0


def stream() -> None:
    """An answer in pieces, with the token counts, and in an event loop."""
    total = reduce(add, model.stream(PROMPT))
    assert total.text
    assert total.usage_metadata["output_tokens"] > 0

    async def collect() -> str:
        return "".join([chunk.text async for chunk in model.astream(PROMPT)])

    assert asyncio.run(collect())


def tools() -> None:
    """A call of a function."""
    (call,) = model.bind_tools([weather], tool_choice="any").invoke(PROMPT).tool_calls
    assert set(call["args"]) == {"city"}


def structured() -> None:
    """An answer of a type, by a schema and by the call of a function."""
    for method in ("json_schema", "function_calling"):
        assert isinstance(model.with_structured_output(City, method=method).invoke(PROMPT), City)


def agent() -> None:
    """An agent with a function and a type for its answer."""
    for strategy in (ProviderStrategy(City), ToolStrategy(City)):
        made = create_agent(model, tools=[weather], response_format=strategy)
        result = made.invoke({"messages": [{"role": "user", "content": PROMPT}]}, {"recursion_limit": 12})
        assert isinstance(result["structured_response"], City)


def count_tokens() -> None:
    """As many as the answer says that the prompt has."""
    messages = [HumanMessage(PROMPT)]
    counted = model.get_num_tokens_from_messages(messages)
    assert counted == model.invoke(messages).usage_metadata["input_tokens"]


def errors() -> None:
    """Anthropic's exceptions."""
    unknown = ChatAnthropic(base_url=URL, api_key=KEY, model="unknown", max_tokens=400)
    assert "`llama`" in str(raised(anthropic.NotFoundError, lambda: unknown.invoke(PROMPT)))


run(
    "langchain-anthropic",
    "langchain",
    chat=chat,
    stream=stream,
    tools=tools,
    structured=structured,
    agent=agent,
    count_tokens=count_tokens,
    errors=errors,
)
