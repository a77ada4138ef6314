# /// script
# requires-python = ">=3.11"
# dependencies = ["instructor==1.17.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Instructor, which gets answers of a type from OpenAI's client."""

import instructor
import openai
from checks import KEY, MODEL, OPENAI_URL, PROMPT, raised, run
from instructor.core import InstructorRetryException
from pydantic import BaseModel

openai_client = openai.OpenAI(base_url=OPENAI_URL, api_key=KEY)
client = instructor.from_openai(openai_client)
MESSAGES = [{"role": "user", "content": PROMPT}]


class City(BaseModel):
    """A city."""

    name: str


def tools() -> None:
    """An answer of a type by the call of a function, the default."""
    answer = client.chat.completions.create(model=MODEL, messages=MESSAGES, response_model=City)
    assert isinstance(answer, City)


def stream() -> None:
    """An answer of a type, as far as it has come."""
    *_, last = client.chat.completions.create_partial(model=MODEL, messages=MESSAGES, response_model=City)
    assert last.name is not None


def structured() -> None:
    """An answer of a type by a schema, and by a JSON object that the schema is described for."""
    for mode in (instructor.Mode.JSON_SCHEMA, instructor.Mode.TOOLS_STRICT):
        made = instructor.from_openai(openai_client, mode=mode)
        assert isinstance(made.chat.completions.create(model=MODEL, messages=MESSAGES, response_model=City), City)


def errors() -> None:
    """The library's own exception, with the words of the error."""
    create = client.chat.completions.create
    error = raised(InstructorRetryException, lambda: create(model="unknown", messages=MESSAGES, response_model=City))
    assert "`llama`" in str(error)


run("instructor", "openai", stream=stream, tools=tools, structured=structured, errors=errors)
