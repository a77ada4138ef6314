"""What the endpoints of one model lack of each other, which is legal but risky: a client may get any of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs_lib.planning.validation.problem import PlanWarning

if TYPE_CHECKING:
    from constructs_lib.planning.serving_limits import ServingFacts

_TGI = ("tgi", "tgi-neuron")

# By the member of `ServingFacts`: what an endpoint does not do for which it is False.
_ABILITIES = {
    "chat": "answers no chats",
    "completions": "answers no completions of a prompt",
    "tools": "reads no tool calls",
    "reads_images": "reads no images",
}


# What each of an engine's endpoints can do, also one that is imported and of which nothing is declared.
_TGI_ABILITIES = {"chat": True, "completions": True, "tools": True}
_OF_ENGINE = {
    **dict.fromkeys(_TGI, _TGI_ABILITIES),
    "vllm": {"chat": True, "completions": True},
    "lmi": {"chat": True, "completions": True},
    "sglang": {"chat": True, "completions": False},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """One endpoint of a model, as far as synth knows it.

    Args:
        name: What it is called.
        engine: What runs in its container, as front doors call it.
        facts: How it serves.
        adapters: Its LoRA adapters; none if nobody has declared those of an imported one, as the front door knows none.
        is_mirror: Whether it only gets copies.
    """

    name: str
    engine: str
    facts: ServingFacts
    adapters: Sequence[str]
    is_mirror: bool = False


def target_warnings(model: str, targets: Sequence[TargetFacts]) -> Iterator[PlanWarning]:
    """What is risky about the endpoints of a model together; what is not known of one is no difference.

    Args:
        model: The name of the model.
        targets: Its endpoints.
    """
    if differences := [*_abilities(targets), *_adapters(targets)]:
        yield PlanWarning(
            "tgi-endpoint:targetsDiffer",
            f"The endpoints of the model {model} differ: {'; '.join(differences)}. A request that needs what its"
            " endpoint lacks is an error for the client (of a copy: an error that the mirror counts), and clients can"
            " name only adapters that all endpoints have that answer them. Give them the same options, or acknowledge"
            " this.",
        )
    chat_only = [target.name for target in targets if _ability(target, "completions") is False]
    if chat_only and any(target.engine in _TGI and not target.is_mirror for target in targets):
        yield PlanWarning(
            "tgi-endpoint:chatOnlyTarget",
            f"Clients of the model {model} may speak TGI, as one of its endpoints runs TGI, but"
            f" {' and '.join(chat_only)} answers chats only: POST /generate, /generate_stream and / with `inputs` are"
            " 501 there. Use an engine that completes prompts, such as vLLM, or acknowledge this if all clients send"
            " chats.",
        )


def _abilities(targets: Sequence[TargetFacts]) -> Iterator[str]:
    for member, words in _ABILITIES.items():
        values = [(target, _ability(target, member)) for target in targets]
        if any(value is True for _, value in values):
            yield from (f"{target.name} {words}" for target, value in values if value is False)


def _ability(target: TargetFacts, member: str) -> bool | None:
    """Whether an endpoint can do something: as it is declared, else as its engine always does; None if unknown."""
    declared: bool | None = getattr(target.facts, member)
    return _OF_ENGINE.get(target.engine, {}).get(member) if declared is None else declared


def _adapters(targets: Sequence[TargetFacts]) -> Iterator[str]:
    names = dict.fromkeys(name for target in targets for name in target.adapters)
    for target in targets:
        if missing := [name for name in names if name not in target.adapters]:
            noun = "adapter" if len(missing) == 1 else "adapters"
            yield f"{target.name} has no {noun} {', '.join(missing)}"
