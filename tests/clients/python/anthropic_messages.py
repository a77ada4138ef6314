# /// script
# requires-python = ">=3.11"
# dependencies = ["anthropic==2.14.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Anthropic's own client."""

import anthropic
from anthropic import beta_tool
from checks import KEY, MODEL, PROMPT, URL, WEATHER, raised, run
from pydantic import BaseModel

client = anthropic.Anthropic(base_url=URL, api_key=KEY)
MESSAGES = [{"role": "user", "content": PROMPT}]
TOOLS = [{"name": "weather", "description": "The weather in a city.", "input_schema": WEATHER}]
ASKED = {"model": MODEL, "max_tokens": 400, "messages": MESSAGES}
calls: list[str] = []


class City(BaseModel):
    """A city."""

    name: str
    inhabitants: int


@beta_tool
def weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: Its name.
    """
    calls.append(city)
    return f"Sunny in {city}."


def chat() -> None:
    """One answer, and a key in the other header."""
    answer = client.messages.create(**ASKED, system="Be brief.")
    (block,) = answer.content
    assert block.text
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0
    other = anthropic.Anthropic(base_url=URL, api_key="none", default_headers={"Authorization": "", "X-Api-Key": KEY})
    assert other.messages.create(**ASKED).content


def stream() -> None:
    """An answer in pieces, which are the whole one."""
    with client.messages.stream(**ASKED) as events:
        pieces = list(events.text_stream)
        final = events.get_final_message()
    assert len(pieces) > 3
    assert "".join(pieces) == final.content[0].text
    assert final.usage.output_tokens > 0
    with client.messages.stream(**{**ASKED, "max_tokens": 5}) as events:
        assert events.get_final_message().stop_reason == "max_tokens"


def tools() -> None:
    """A call of a function, streamed and not."""
    asked = {**ASKED, "tools": TOOLS, "tool_choice": {"type": "any"}}
    answer = client.messages.create(**asked)
    (call,) = answer.content
    assert (call.name, set(call.input), answer.stop_reason) == ("weather", {"city"}, "tool_use")
    with client.messages.stream(**asked) as events:
        (streamed,) = events.get_final_message().content
    assert (streamed.name, set(streamed.input)) == ("weather", {"city"})


def structured() -> None:
    """An answer of a type."""
    assert isinstance(client.messages.parse(**ASKED, output_format=City).parsed_output, City)


def agent() -> None:
    """A loop of calls, by the library and by hand."""
    (block,) = client.beta.messages.tool_runner(**ASKED, tools=[weather]).until_done().content
    assert block.text
    assert calls
    first = client.messages.create(**ASKED, tools=TOOLS)
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "Sunny."}
        for block in first.content
        if block.type == "tool_use"
    ]
    assert results
    turns = [*MESSAGES, {"role": "assistant", "content": first.content}, {"role": "user", "content": results}]
    assert client.messages.create(**{**ASKED, "messages": turns}, tools=TOOLS).content[0].text


def count_tokens() -> None:
    """As many as the answer says that the prompt has."""
    counted = client.messages.count_tokens(model=MODEL, messages=MESSAGES, tools=TOOLS)
    assert counted.input_tokens == client.messages.create(**ASKED, tools=TOOLS).usage.input_tokens


def errors() -> None:
    """The library's own exceptions."""
    create = client.messages.create
    unknown = raised(anthropic.NotFoundError, lambda: create(**{**ASKED, "model": "unknown"}))
    assert unknown.type == "not_found_error"
    assert unknown.request_id
    invalid = raised(anthropic.BadRequestError, lambda: create(**{**ASKED, "max_tokens": 0}))
    assert "max_tokens" in invalid.message
    other = anthropic.Anthropic(base_url=URL, api_key="x" * 40)
    raised(anthropic.AuthenticationError, lambda: other.messages.create(**ASKED))


run(
    "anthropic",
    chat=chat,
    stream=stream,
    tools=tools,
    structured=structured,
    agent=agent,
    count_tokens=count_tokens,
    errors=errors,
)
