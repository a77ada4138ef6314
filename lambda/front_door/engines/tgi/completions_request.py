"""From OpenAI's completion request to TGI's."""

from collections.abc import Iterator, Mapping
from typing import Any

from front_door.engines.tgi import sampling
from front_door.generation import request
from front_door.generation.request import Asked, Problems
from front_door.protocols.openai.schema import (
    SHARED,
    Field,
    Problem,
    anything,
    array,
    flag,
    integer,
    number,
    text,
    text_or,
)

_NO_LOGPROBS = "logprobs is not supported: this model's server gives none with completions, but with chat completions"


def _prompt(value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, list) and value and all(isinstance(item, (int, list)) for item in value):
        yield path, "must be a string or an array of strings, arrays of tokens are not supported"
    elif value == []:
        yield path, "must be a string or an array with at least one string"
    else:
        yield from text_or(array(text, "a string or an array of strings"))(value, path)


FIELDS: dict[str, Field] = {
    "prompt": Field(_prompt, is_required=True),
    **SHARED,
    "best_of": Field(integer(1, 2**32, "a number of candidates, at least 1")),
    "echo": Field(flag),
    "logprobs": Field(anything),
    "suffix": Field(text),
    "repetition_penalty": Field(number),
}
"""Every member that has a meaning here; `repetition_penalty` is TGI's own."""


def translated(body: Mapping[str, Any], facts: Mapping[str, Any], *, knows_all: bool = True) -> Asked:
    """What to send to a TGI container: one prompt with each request.

    Args:
        body: The request as it came.
        facts: What is known of the model.
        knows_all: Whether a name that is not OpenAI's is refused.

    Raises:
        Failure: It cannot be honoured; every problem is told.
    """
    problems = Problems()
    asked = request.usable(body, FIELDS, problems, knows_all=knows_all)
    prompts = asked.get("prompt", [])
    prompts = [prompts] if isinstance(prompts, str) else prompts
    told = sampling.sampling(asked, facts, problems)
    if "max_tokens" in asked:
        told["max_tokens"] = asked["max_tokens"]
    n = request.choices(asked, len(prompts), problems)
    with_usage = request.with_usage(asked, problems)
    _refused(asked, n, problems)
    problems.refuse()
    told["stream"] = True
    bodies = [{"prompt": prompt, **each} for prompt in prompts for each in request.several(told, n)]
    return Asked(
        bodies=bodies,
        per_prompt=n,
        is_streamed=bool(asked.get("stream")),
        with_usage=with_usage,
        stops=tuple(request.stops(asked)),
        echoes=[each["prompt"] if asked.get("echo") else "" for each in bodies],
    )


def _refused(asked: Mapping[str, Any], n: int, problems: Problems) -> None:
    if asked.get("logprobs", False) is not False:
        problems.add("logprobs", _NO_LOGPROBS)
    if asked.get("best_of", n) not in (1, n):
        problems.add("best_of", "best_of is supported as the same as n only: leave it out")
    if asked.get("suffix"):
        problems.add("suffix", "suffix is not supported: put what follows into the prompt")
