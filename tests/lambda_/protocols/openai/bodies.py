"""The bodies that TGI's container gets for a client's request."""

from collections.abc import Callable
from typing import Any

from front_door.engines.tgi.engine import TgiEngine
from front_door.generation.final_answer import with_final_answer
from front_door.generation.request import GenerationRequest, Problems
from front_door.protocols.openai.chat import parse_chat
from front_door.protocols.openai.completions import parse_completion


def chat_bodies(body: dict[str, Any], facts: dict[str, Any]) -> list[dict[str, Any]]:
    return _bodies(parse_chat, body, facts)


def completion_bodies(body: dict[str, Any], facts: dict[str, Any]) -> list[dict[str, Any]]:
    return _bodies(parse_completion, body, facts)


def _bodies(
    parse: Callable[..., GenerationRequest], body: dict[str, Any], facts: dict[str, Any]
) -> list[dict[str, Any]]:
    engine, problems = TgiEngine(), Problems()
    request = with_final_answer(parse(body, problems, strict=True), problems)
    bodies = engine.build_bodies(request, facts, problems)
    problems.raise_if_any()
    if request.max_tokens is None:
        return bodies
    return [engine.with_max_tokens(each, request.max_tokens) for each in bodies]
