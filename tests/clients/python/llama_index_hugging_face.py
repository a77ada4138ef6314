# /// script
# requires-python = ">=3.11"
# dependencies = ["llama-index-llms-huggingface-api==0.8.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""LlamaIndex with the Hugging Face Hub's client, which is given a URL alone."""

import json

from checks import KEY, PROMPT, URL, raised, run
from huggingface_hub.errors import HfHubHTTPError
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.huggingface_api import HuggingFaceInferenceAPI

model = HuggingFaceInferenceAPI(model=URL, token=KEY, is_function_calling_model=True)
MESSAGES = [ChatMessage(role="user", content=PROMPT)]


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


def chat() -> None:
    """One answer."""
    assert model.chat(MESSAGES).message.content


def stream() -> None:
    """An answer in pieces."""
    assert "".join(chunk.delta or "" for chunk in model.stream_chat(MESSAGES))


def generate() -> None:
    """A text."""
    assert HuggingFaceInferenceAPI(model=URL, token=KEY, is_chat_model=False).complete(PROMPT).text


def tools() -> None:
    """A call of a function; the library's own reading of it loses the arguments, as they are text."""
    tool = FunctionTool.from_defaults(weather)
    response = model.chat_with_tools([tool], user_msg=PROMPT, tool_required=True)
    (call,) = response.message.additional_kwargs["tool_calls"]
    assert set(json.loads(call.function.arguments)) == {"city"}


def errors() -> None:
    """The exceptions of the Hub's client."""
    unknown = HuggingFaceInferenceAPI(model=URL, token="x" * 40)
    assert raised(HfHubHTTPError, lambda: unknown.chat(MESSAGES)).response.status_code == 401


run(
    "llama-index-llms-huggingface-api",
    "huggingface_hub",
    chat=chat,
    stream=stream,
    generate=generate,
    tools=tools,
    errors=errors,
)
