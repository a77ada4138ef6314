"""LangChain's OpenAI client, configured with only the URL and the key."""

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from tests.e2e.deployed_cloud import Cloud

pytestmark = pytest.mark.xdist_group("e2e")

QUESTION = [SystemMessage("Answer in one word."), HumanMessage("What is deep learning?")]


class City(BaseModel):
    """A city."""

    name: str
    inhabitants: int


def model(cloud: Cloud, **options: Any) -> ChatOpenAI:
    cloud.limiter.take(2)
    return ChatOpenAI(model="llama", base_url=f"{cloud.url}/v1", api_key=SecretStr(cloud.api_key), **options)


def test_it_answers(cloud: Cloud) -> None:
    answer = model(cloud, max_tokens=10, temperature=0).invoke(QUESTION)
    assert answer.text
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 10
    assert answer.response_metadata["finish_reason"] == "length"


def test_it_answers_with_default_options(cloud: Cloud) -> None:
    assert model(cloud).invoke(QUESTION).text


def test_it_streams(cloud: Cloud) -> None:
    chat = model(cloud, max_tokens=10, temperature=0, stream_usage=True)
    chunks = list(chat.stream(QUESTION))
    total = AIMessageChunk(content="")
    for chunk in chunks:
        total += chunk
    assert len(chunks) >= 10
    assert total.text == chat.invoke(QUESTION).text
    assert total.usage_metadata is not None
    assert total.usage_metadata["output_tokens"] == 10


def test_it_streams_asynchronously(cloud: Cloud) -> None:
    async def collect() -> str:
        return "".join([chunk.text async for chunk in model(cloud, max_tokens=10, temperature=0).astream(QUESTION)])

    assert asyncio.run(collect())


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_it_gets_structured_output(cloud: Cloud, method: Any) -> None:
    answer = model(cloud, max_tokens=300).with_structured_output(City, method=method).invoke(QUESTION)
    assert isinstance(answer, City)


def test_it_binds_tools(cloud: Cloud) -> None:
    answer = model(cloud, max_tokens=300).bind_tools([City], tool_choice="City").invoke(QUESTION)
    (call,) = answer.tool_calls
    assert call["name"] == "City"
    assert set(call["args"]) == {"name", "inhabitants"}
    assert call["id"]
