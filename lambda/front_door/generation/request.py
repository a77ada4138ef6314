"""What the requests of OpenAI's routes have in common, whatever engine answers them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from front_door.config import Config, Model
from front_door.errors import Failure
from front_door.protocols.openai.schema import Field, Problem, any_of

MOST_CHOICES = 8
"""How many choices one request may ask for: each is a request of its own to the model."""
_MOST_TOLD = 20

# They change nothing in the answer: who asks, and what OpenAI keeps or caches.
HARMLESS = frozenset(
    (
        "user",
        "metadata",
        "store",
        "parallel_tool_calls",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
    )
)
# They are taken where they say what happens anyway.
_ONLY: dict[str, tuple[object, ...]] = {
    "service_tier": ("auto", "default"),
    "verbosity": ("medium",),
    "modalities": (["text"],),
}
_REFUSED = {
    "audio": "the answer is text",
    "functions": "use `tools`",
    "function_call": "use `tool_choice`",
    "moderation": "nothing is moderated here",
    "prediction": "leave it out",
    "reasoning_effort": "leave it out",
    "web_search_options": "nothing is searched here",
}


class Problems:
    """Everything that is wrong with one request, told together."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, param: str, sentence: str) -> None:
        """Note one; the sentence names the parameter and what to change, and no text of the client's."""
        self._found.append((param, sentence))

    def is_about(self, name: str) -> bool:
        """Whether there is one about this member or something in it."""
        return any(param.startswith(name) for param, _ in self._found)

    def refuse(self) -> None:
        """Raise what was noted.

        Raises:
            Failure: There is a problem; up to 20 are in its words, and `param` is the first.
        """
        if not self._found:
            return
        told = [sentence for _, sentence in self._found[:_MOST_TOLD]]
        if more := len(self._found) - len(told):
            told.append(f"and {more} more")
        raise Failure("bad_request", "; ".join(told), param=self._found[0][0])


def usable(
    body: Mapping[str, Any], fields: Mapping[str, Field], problems: Problems, *, knows_all: bool = True
) -> dict[str, Any]:
    """The members of a body that mean something and have the right type.

    Args:
        body: The request. A null means the default.
        fields: What its route takes.
        problems: Where the others are noted.
        knows_all: Whether a name that is not OpenAI's is a problem; else it is passed over, as TGI does.
    """
    found = {}
    for name, field_ in fields.items():
        if name not in body and field_.is_required:
            problems.add(name, f"{name}: missing field `{name}`{field_.hint}")
        elif body.get(name) is not None or field_.is_required:
            wrong = list(field_.type(body[name], name))
            for path, problem in wrong:
                problems.add(path, f"{path}: {problem}")
            if not wrong:
                found[name] = body[name]
    others = {name: value for name, value in body.items() if value is not None and name not in fields}
    unknown = [name[:100] for name, value in others.items() if not _is_known(name, value, problems)]
    if unknown and knows_all:
        arguments = "argument" if len(unknown) == 1 else "arguments"
        problems.add(unknown[0], f"Unrecognized request {arguments} supplied: {', '.join(unknown)}")
    return found


def _is_known(name: str, value: object, problems: Problems) -> bool:
    """Whether it is OpenAI's name; where the value would change the answer, that is a problem."""
    if name in _REFUSED:
        problems.add(name, f"{name} is not supported: {_REFUSED[name]}")
    elif name in _ONLY and value not in _ONLY[name]:
        problems.add(name, f"{name} is supported as {any_of(map(_plain, _ONLY[name]))} only")
    return name in HARMLESS or name in _ONLY or name in _REFUSED


def _plain(value: object) -> str:
    return value if isinstance(value, str) else str(value).replace("'", '"')


@dataclass(slots=True)
class Asked:
    """A request, ready to be sent.

    Attributes:
        bodies: What the model's container gets, one for each choice of the answer, in their order.
        per_prompt: How many of the choices follow from one prompt; usage counts a prompt once.
        is_streamed: Whether the answer is wanted as it comes.
        with_usage: Whether a stream is to end with the token counts.
        stops: Where the text ends; the text does not contain it.
        echoes: For each choice what stands in front of its text.
        logprobs: Whether the log probability of each token is wanted.
        required: By the name of each tool what its arguments must have.
    """

    bodies: list[dict[str, Any]]
    per_prompt: int = 1
    is_streamed: bool = False
    with_usage: bool = False
    stops: tuple[str, ...] = ()
    echoes: list[str] = field(default_factory=list)
    logprobs: bool = False
    required: dict[str, list[str]] = field(default_factory=dict)


def stops(body: Mapping[str, Any]) -> list[str]:
    """`stop`, which may be one string."""
    stop = body.get("stop", [])
    return [stop] if isinstance(stop, str) else list(dict.fromkeys(stop))


def with_usage(body: Mapping[str, Any], problems: Problems) -> bool:
    """What `stream_options` asks for."""
    options = body.get("stream_options")
    if options is not None and not body.get("stream"):
        problems.add(
            "stream_options", "stream_options is allowed with stream only: set `stream` to true or leave it out"
        )
    return bool((options or {}).get("include_usage"))


def choices(body: Mapping[str, Any], prompts: int, problems: Problems) -> int:
    """How many choices each prompt is to have."""
    n: int = body.get("n", 1)
    if n * prompts > MOST_CHOICES:
        which = f"n ({n}) times the number of prompts ({prompts})" if prompts > 1 else f"n ({n})"
        problems.add("n", f"{which} is more than the {MOST_CHOICES} choices that one request may have")
    return n


def several(body: dict[str, Any], n: int) -> Iterator[dict[str, Any]]:
    """The body for each of `n` choices: where a seed is given, each has its own."""
    for index in range(n):
        yield {**body, "seed": (body["seed"] + index) % 2**64} if "seed" in body else body


def model_named(config: Config, name: object) -> Model:
    """The model that a request's `model` means.

    Args:
        config: The models.
        name: A name of this door or a hub id; None, "" and "tgi" mean the only model.

    Raises:
        Failure: There is no such model, or none was named where there are several.
    """
    if name is not None and not isinstance(name, str):
        raise Failure("bad_request", "model must be a string", param="model")
    if name in (None, "", "tgi") and len(config.models) == 1:
        return next(iter(config.models.values()))
    names = ", ".join(f"`{known}`" for known in config.models)
    if not name:
        raise Failure("bad_request", f"you must provide a model parameter: one of {names}", param="model")
    model = config.model(name)
    if model is None:
        message = f"The model `{name[:100]}` does not exist or you do not have access to it. There is {names}."
        raise Failure("model_not_found", message, param="model")
    return model
