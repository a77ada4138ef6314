# /// script
# requires-python = ">=3.11"
# dependencies = ["langchain-openai==1.7.4", "langchain==1.5.2"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""LangChain with its client of OpenAI's Responses API."""

import asyncio
from functools import reduce
from operator import add

import openai
from checks import KEY, MODEL, OPENAI_URL, PROMPT, raised, run
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy
from langchain.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

model = ChatOpenAI(base_url=OPENAI_URL, api_key=KEY, model=MODEL, use_responses_api=True)


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
    (call,) = model.bind_tools([weather], tool_choice="required").invoke(PROMPT).tool_calls
    assert set(call["args"]) == {"city"}


def structured() -> None:
    """An answer of a type, by a schema and by the call of a function."""
    for method in ("json_schema", "function_calling"):
        assert isinstance(model.with_structured_output(City, method=method).invoke(PROMPT), City)


def agent() -> None:
    """An agent with a function and a type for its answer, in a conversation of two turns."""
    made = create_agent(model, tools=[weather], response_format=ProviderStrategy(City))
    result = made.invoke({"messages": [{"role": "user", "content": PROMPT}]}, {"recursion_limit": 12})
    assert isinstance(result["structured_response"], City)
    following = [*result["messages"], {"role": "user", "content": PROMPT}]
    assert isinstance(made.invoke({"messages": following}, {"recursion_limit": 12})["structured_response"], City)


def errors() -> None:
    """OpenAI's exceptions."""
    unknown = ChatOpenAI(base_url=OPENAI_URL, api_key=KEY, model="unknown", use_responses_api=True)
    assert "`llama`" in str(raised(openai.NotFoundError, lambda: unknown.invoke(PROMPT)))


run(
    "langchain-openai",
    "langchain",
    chat=chat,
    stream=stream,
    tools=tools,
    structured=structured,
    agent=agent,
    errors=errors,
)
