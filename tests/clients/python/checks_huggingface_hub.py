"""The client of the Hugging Face Hub: its chats go to any URL, its text generation speaks TGI.

The checks of all its versions.
"""

import json

from checks import KEY, PROMPT, URL, WEATHER, raised
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

client = InferenceClient(base_url=URL, api_key=KEY)
MESSAGES = [{"role": "user", "content": PROMPT}]
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
FORMAT = {"type": "json_schema", "json_schema": {"name": "place", "schema": WEATHER, "strict": True}}


def chat() -> None:
    """One answer; the client sends "dummy" as the model's name."""
    assert client.chat_completion(MESSAGES).choices[0].message.content


def stream() -> None:
    """An answer in pieces."""
    chunks = client.chat_completion(MESSAGES, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def generate() -> None:
    """TGI's own route, streamed and not."""
    assert client.text_generation(PROMPT, max_new_tokens=10)
    assert len(list(client.text_generation(PROMPT, max_new_tokens=10, stream=True))) == 10


def tools() -> None:
    """A call of a function."""
    answer = client.chat_completion(MESSAGES, tools=TOOLS, tool_choice="required")
    (call,) = answer.choices[0].message.tool_calls
    assert set(json.loads(call.function.arguments)) == {"city"}


def structured() -> None:
    """An answer by a schema."""
    answer = client.chat_completion(MESSAGES, response_format=FORMAT)
    assert set(json.loads(answer.choices[0].message.content)) == {"city"}


def errors() -> None:
    """The library's own exception, with the words of the error."""
    error = raised(HfHubHTTPError, lambda: client.chat_completion(MESSAGES, model="unknown"))
    assert error.response.status_code == 404, error
    assert "`llama`" in str(error), error


CHECKS = {
    "chat": chat,
    "stream": stream,
    "generate": generate,
    "tools": tools,
    "structured": structured,
    "errors": errors,
}
