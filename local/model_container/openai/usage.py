"""The `usage` of answers."""

from __future__ import annotations

from local.model_container.openai.settings import Settings

Usage = dict[str, object]


def counts(prompt: int, completion: int) -> Usage:
    """The numbers."""
    return {"prompt_tokens": prompt, "total_tokens": prompt + completion, "completion_tokens": completion}


def of_answer(prompt: int, completion: int, settings: Settings, *, chat: bool) -> Usage:
    """The usage of an answer that is no stream."""
    details = None
    if settings.prompt_details:
        details = {"cached_tokens": 0, "created_cache_tokens": 0 if chat else None, "multimodal_tokens": None}
    return {**counts(prompt, completion), "prompt_tokens_details": details, "completion_tokens_details": None}


def of_stream(prompt: int, completion: int, settings: Settings) -> Usage:
    """The usage in the last chunk of a stream, which has no null."""
    details: Usage = {"prompt_tokens_details": {"cached_tokens": 0}} if settings.prompt_details else {}
    return counts(prompt, completion) | details
