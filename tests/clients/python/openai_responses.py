# /// script
# requires-python = ">=3.11"
# dependencies = ["openai==3.57.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""OpenAI's own client with its Responses API."""

import json

import openai
from checks import KEY, MODEL, OPENAI_URL, PROMPT, WEATHER, raised, run
from pydantic import BaseModel

client = openai.OpenAI(base_url=OPENAI_URL, api_key=KEY)
TOOLS = [{"type": "function", "name": "weather", "parameters": WEATHER, "strict": True}]


class City(BaseModel):
    """A city."""

    name: str
    inhabitants: int


def chat() -> None:
    """One answer."""
    answer = client.responses.create(model=MODEL, input=PROMPT, instructions="Be brief.")
    assert answer.status == "completed"
    assert answer.output_text
    assert answer.usage.total_tokens > answer.usage.output_tokens > 0


def stream() -> None:
    """An answer in pieces, which are the whole one."""
    with client.responses.stream(model=MODEL, input=PROMPT) as events:
        pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
        final = events.get_final_response()
    assert len(pieces) > 3
    assert "".join(pieces) == final.output_text
    assert final.usage.output_tokens > 0
    with client.responses.stream(model=MODEL, input=PROMPT, max_output_tokens=5) as events:
        *_, last = events
    assert (last.type, last.response.incomplete_details.reason) == ("response.incomplete", "max_output_tokens")


def tools() -> None:
    """A call of a function, streamed and not."""
    asked = {"model": MODEL, "input": PROMPT, "tools": TOOLS, "tool_choice": "required"}
    (call,) = client.responses.create(**asked).output
    assert set(json.loads(call.arguments)) == {"city"}
    with client.responses.stream(**asked) as events:
        (streamed,) = events.get_final_response().output
    assert (streamed.name, set(json.loads(streamed.arguments))) == ("weather", {"city"})


def structured() -> None:
    """An answer of a type, streamed and not."""
    answer = client.responses.parse(model=MODEL, input=PROMPT, text_format=City)
    assert isinstance(answer.output_parsed, City)
    with client.responses.stream(model=MODEL, input=PROMPT, text_format=City) as events:
        assert isinstance(events.get_final_response().output_parsed, City)


def agent() -> None:
    """A conversation whose items the client keeps, with the result of a call."""
    items = [{"role": "user", "content": PROMPT}]
    first = client.responses.create(model=MODEL, input=items, tools=TOOLS)
    (call,) = [item for item in first.output if item.type == "function_call"]
    items += [*first.output, {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny."}]
    second = client.responses.create(model=MODEL, input=items, tools=TOOLS)
    assert second.output_text
    items += [*second.output, {"role": "user", "content": "And tomorrow?"}]
    assert client.responses.create(model=MODEL, input=items).output_text


def errors() -> None:
    """The library's own exceptions."""
    create = client.responses.create
    unknown = raised(openai.NotFoundError, lambda: create(model="unknown", input=PROMPT))
    assert unknown.code == "model_not_found"
    invalid = raised(openai.BadRequestError, lambda: create(model=MODEL, input=PROMPT, max_output_tokens="many"))
    assert invalid.param == "max_output_tokens"
    stored = raised(openai.BadRequestError, lambda: create(model=MODEL, input=PROMPT, previous_response_id="resp_1"))
    assert stored.param == "previous_response_id"
    raised(openai.NotFoundError, lambda: client.responses.retrieve("resp_1"))


run("openai", chat=chat, stream=stream, tools=tools, structured=structured, agent=agent, errors=errors)
