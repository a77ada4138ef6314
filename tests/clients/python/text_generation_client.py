# /// script
# requires-python = ">=3.11"
# dependencies = ["text-generation==0.7.0"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""TGI's own client."""

from checks import KEY, PROMPT, URL, raised, run
from text_generation import Client
from text_generation.errors import ValidationError

client = Client(URL, headers={"Authorization": f"Bearer {KEY}"}, timeout=60)


def generate() -> None:
    """One text."""
    answer = client.generate(PROMPT, max_new_tokens=10)
    assert answer.details.generated_tokens == 10


def stream() -> None:
    """A text in tokens."""
    tokens = list(client.generate_stream(PROMPT, max_new_tokens=10))
    assert tokens[-1].generated_text == "".join(each.token.text for each in tokens)


def chat() -> None:
    """One answer."""
    answer = client.chat(messages=[{"role": "user", "content": PROMPT}], max_tokens=10)
    assert answer.choices[0].message.content


def errors() -> None:
    """The library's own exceptions."""
    raised(ValidationError, lambda: client.generate(PROMPT, max_new_tokens=10, stop_sequences=["stop"] * 99))


run("text-generation", generate=generate, stream=stream, chat=chat, errors=errors)
