# /// script
# requires-python = ">=3.11"
# dependencies = ["outlines[openai,tgi]==1.3.3"]
# [tool.uv]
# exclude-newer = "2026-11-29T00:00:00Z"
# ///
"""Outlines with OpenAI's client and, by TGI's grammars, with the Hugging Face Hub's."""

import re
from typing import Literal

import openai
import outlines
from checks import KEY, MODEL, OPENAI_URL, PROMPT, URL, raised, run
from huggingface_hub import InferenceClient
from outlines.types import Regex
from pydantic import BaseModel

client = openai.OpenAI(base_url=OPENAI_URL, api_key=KEY)
model = outlines.from_openai(client, MODEL)
tgi = outlines.from_tgi(InferenceClient(URL, token=KEY))


class City(BaseModel):
    """A city."""

    name: str


def chat() -> None:
    """One answer."""
    assert model(PROMPT)


def stream() -> None:
    """An answer in pieces."""
    assert "".join(model.stream(PROMPT))


def structured() -> None:
    """An answer of a type."""
    assert City.model_validate_json(model(PROMPT, City))


def generate() -> None:
    """Texts by TGI's own route: free, streamed, by a schema, by a regular expression and from a choice."""
    assert tgi(PROMPT)
    assert "".join(tgi.stream(PROMPT))
    # Without it, TGI's answer begins with the prompt.
    answer_alone = {"return_full_text": False}
    assert City.model_validate_json(tgi(PROMPT, City, max_new_tokens=200, **answer_alone))
    assert re.fullmatch("[0-9]{3}", tgi(PROMPT, Regex("[0-9]{3}"), **answer_alone))
    assert tgi(PROMPT, Literal["yes", "no"], **answer_alone) in ("yes", "no")


def errors() -> None:
    """The library's own exceptions, with the words of the error."""
    unknown = outlines.from_openai(client, "unknown")
    assert "`llama`" in str(raised(outlines.exceptions.NotFoundError, lambda: unknown(PROMPT)))


run("outlines", "openai", chat=chat, stream=stream, structured=structured, generate=generate, errors=errors)
