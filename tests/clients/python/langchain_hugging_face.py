# /// script
# requires-python = ">=3.11"
# dependencies = ["langchain-huggingface==1.2.3"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""LangChain with the Hugging Face Hub's client, which is given a URL alone."""

from checks import KEY, PROMPT, URL, raised, run
from huggingface_hub.errors import HfHubHTTPError
from langchain_core.tools import tool
from langchain_huggingface import ChatHuggingFace, HuggingFaceEndpoint
from pydantic import BaseModel

# The library sends `huggingfacehub_api_token` to the hosts of Hugging Face alone.
HEADERS = {"Authorization": f"Bearer {KEY}"}
llm = HuggingFaceEndpoint(endpoint_url=URL, server_kwargs={"headers": HEADERS}, max_new_tokens=100)
NOTHING = {"typical_p": None, "top_p": None, "temperature": None}
plain = HuggingFaceEndpoint(endpoint_url=URL, server_kwargs={"headers": HEADERS}, max_new_tokens=100, **NOTHING)
model = ChatHuggingFace(llm=llm, model_id="none")


class City(BaseModel):
    """A city."""

    name: str


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


def chat() -> None:
    """One answer."""
    assert model.invoke(PROMPT).content


def stream() -> None:
    """An answer in pieces."""
    assert "".join(chunk.text for chunk in model.stream(PROMPT))


def generate() -> None:
    """A text."""
    assert llm.invoke(PROMPT)


def generate_without_typical_p() -> None:
    """A text without the library's own sampling parameters, streamed and not."""
    text = plain.invoke(PROMPT)
    assert text
    assert "".join(plain.stream(PROMPT)).startswith(text)  # with the token that ends it


def tools() -> None:
    """A call of a function."""
    (call,) = model.bind_tools([weather], tool_choice="weather").invoke(PROMPT).tool_calls
    assert set(call["args"]) == {"city"}


def structured() -> None:
    """An answer by a schema, which goes as json_object with a schema."""
    answer = model.with_structured_output(City, method="json_schema").invoke(PROMPT)
    assert set(answer if isinstance(answer, dict) else answer.model_dump()) == {"name"}


def errors() -> None:
    """The exceptions of the Hub's client."""
    unknown = HuggingFaceEndpoint(endpoint_url=URL, server_kwargs={"headers": {"Authorization": "Bearer unknown"}})
    error = raised(HfHubHTTPError, lambda: ChatHuggingFace(llm=unknown, model_id="none").invoke(PROMPT))
    assert error.response.status_code == 401


run(
    "langchain-huggingface",
    "huggingface_hub",
    chat=chat,
    stream=stream,
    generate=generate,
    generate_without_typical_p=generate_without_typical_p,
    tools=tools,
    structured=structured,
    errors=errors,
)
