"""The end-to-end checks: real clients of both protocols, streaming and not, through the front door."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
from huggingface_hub import InferenceClient

from acceptance.probe import Verdict, decide, probe, undecided
from stacks.acceptance_settings import MODEL_NAME

if TYPE_CHECKING:
    from acceptance.site import Site

_TOKENS = 24
_PROMPT = "Write the numbers from one to one hundred in words, one a line."
_CHATS_ALONE = undecided("SGLang answers chats alone: the front door refuses TGI's routes and completions")


def _openai(site: Site) -> openai.OpenAI:
    site.pace()
    site.sent += 1
    return openai.OpenAI(base_url=f"{site.url}/v1", api_key=site.key, max_retries=0, timeout=120)


def _hub(site: Site) -> InferenceClient:
    site.pace()
    site.sent += 1
    return InferenceClient(base_url=site.url, api_key=site.key, timeout=120)


@probe(title="The openai package chats, not streaming, and gets its usage", minutes=0.1)
def openai_chat(site: Site) -> Verdict:
    """The openai package, one answer."""
    answer = _openai(site).chat.completions.create(
        model=MODEL_NAME, messages=[{"role": "user", "content": _PROMPT}], max_tokens=_TOKENS
    )
    used = answer.usage.completion_tokens if answer.usage else 0
    reason = answer.choices[0].finish_reason
    return decide(
        bool(answer.choices[0].message.content) and 0 < used <= _TOKENS and reason in ("length", "stop"),
        f"{used} tokens, finish reason {reason}",
    )


@probe(title="The openai package streams a chat, with usage in the last chunk", minutes=0.1)
def openai_chat_streamed(site: Site) -> Verdict:
    """The openai package, streaming."""
    chunks = list(
        _openai(site).chat.completions.create(
            model=MODEL_NAME,
            messages=[{"role": "user", "content": _PROMPT}],
            max_tokens=_TOKENS,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    usage = chunks[-1].usage
    used = usage.completion_tokens if usage else 0
    return decide(bool(text) and len(chunks) > 3 and 0 < used <= _TOKENS, f"{len(chunks)} chunks, {used} tokens")


@probe(title="The openai package completes a prompt", minutes=0.1)
def openai_completion(site: Site) -> Verdict:
    """The openai package, a completion."""
    if site.engine == "sglang":
        return _CHATS_ALONE
    answer = _openai(site).completions.create(model=MODEL_NAME, prompt="One, two, three,", max_tokens=_TOKENS)
    reason = answer.choices[0].finish_reason
    return decide(bool(answer.choices[0].text), f"finish reason {reason}")


@probe(title="The openai package lists the models", minutes=0.1)
def openai_models(site: Site) -> Verdict:
    """The openai package, the models."""
    listed = [model.id for model in _openai(site).models.list()]
    return decide(listed == [MODEL_NAME], f"models: {', '.join(listed)}")


@probe(title="huggingface_hub's client generates by TGI's protocol, not streaming, with details", minutes=0.1)
def hub_generation(site: Site) -> Verdict:
    """huggingface_hub, one answer."""
    if site.engine == "sglang":
        return _CHATS_ALONE
    answer = _hub(site).text_generation("One, two, three,", max_new_tokens=_TOKENS, details=True)
    details = answer.details
    count = details.generated_tokens if details else 0
    return decide(bool(answer.generated_text) and 0 < count <= _TOKENS, f"{count} tokens with their ids")


@probe(title="huggingface_hub's client streams by TGI's protocol", minutes=0.1)
def hub_generation_streamed(site: Site) -> Verdict:
    """huggingface_hub, streaming."""
    if site.engine == "sglang":
        return _CHATS_ALONE
    tokens = list(_hub(site).text_generation("One, two, three,", max_new_tokens=_TOKENS, stream=True))
    return decide(len(tokens) > 3 and bool("".join(tokens)), f"{len(tokens)} tokens")


@probe(title="huggingface_hub's client chats, streaming", minutes=0.1)
def hub_chat_streamed(site: Site) -> Verdict:
    """huggingface_hub, a chat."""
    stream = _hub(site).chat_completion([{"role": "user", "content": _PROMPT}], max_tokens=_TOKENS, stream=True)
    chunks = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    return decide(len(chunks) > 3 and bool("".join(chunks)), f"{len(chunks)} chunks")


@probe(title="A mistake of the client is an error that the openai package raises as what it is", minutes=0.1)
def openai_error(site: Site) -> Verdict:
    """The openai package, a mistake."""
    try:
        _openai(site).chat.completions.create(
            model="no-such-model", messages=[{"role": "user", "content": "Hi"}], max_tokens=1
        )
    except openai.NotFoundError as error:
        return decide(error.code == "model_not_found", f"NotFoundError, code {error.code}")
    return decide(False, "an unknown model was answered")
