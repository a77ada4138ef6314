"""LoRA adapters: their names, and those that are inference components of their own.

SageMaker loads an adapter component into the copies of the component with the model, and names it in a header of each
request for it. So the model has to be an inference component as well, and the container has to load adapters while it
runs.

Sources: botocore 1.44.5, sagemaker `InferenceComponentSpecification` (BaseInferenceComponentName) and
`InferenceComponentContainerSpecification` (ArtifactUrl: one gzip-compressed TAR archive); model-hosting-container-
standards 0.1.16 `sagemaker/lora` (the routes that vLLM has with VLLM_ALLOW_RUNTIME_LORA_UPDATING); vLLM 0.30.0
`vllm/config/lora.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Integer, String, problem
from constructs_lib.planning.validation.unknown import Unknown

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values of vLLM's max_lora_rank."""

MOST_IN_A_BATCH = 8
"""Adapters whose requests share a batch by default, as each takes memory of the GPU."""

_NAME = String("1 to 32 letters, digits, hyphens and underscores", r"[A-Za-z0-9_-]{1,32}", longest=32)
_KEY = String("the key of an archive, ending in .tar.gz, without a slash in front", r"[^/].*\.tar\.gz")


@dataclass(frozen=True)
class AdapterChoice:
    """An adapter that is an inference component of its own.

    Args:
        name: What clients call it, after the model's name and a colon.
        key: Its archive in the bucket.
        rank: Its rank.
    """

    name: str
    key: str | Unknown
    rank: int


def names_of(adapters: object) -> tuple[str, ...] | None:
    """What requests call adapters that are written as `id`, `id@revision` or `name=/path`.

    Args:
        adapters: The option; None if it is not given or not known.
    """
    if isinstance(adapters, str) or not isinstance(adapters, Sequence):
        return None
    return tuple(one.partition("=")[0].partition("@")[0] for one in adapters if isinstance(one, str))


def adapter_problems(
    adapters: Sequence[AdapterChoice], *, has_component: bool, most_rank: object = None
) -> Iterator[Problem]:
    """What is wrong with adapters of an endpoint.

    Args:
        adapters: The adapters.
        has_component: Whether the model is an inference component.
        most_rank: The option max_lora_rank. Default: not given.
    """
    for position, adapter in enumerate(adapters):
        keyword = f"adapters[{position}]"
        for member, rule in (("name", _NAME), ("key", _KEY), ("rank", Integer(1, RANKS[-1]))):
            if found := problem(f"{keyword}.{member}", getattr(adapter, member), rule):
                yield found
        if isinstance(most_rank, int) and isinstance(adapter.rank, int) and adapter.rank > most_rank:
            message = f"is more than options.max_lora_rank={most_rank}, so that calls of the adapter would fail"
            yield Problem(f"{keyword}.rank", adapter.rank, message, "Raise that option, or leave it out.")
        if adapter.name in [one.name for one in adapters[:position]]:
            yield Problem(f"{keyword}.name", adapter.name, "is the name of two adapters", "Rename one of them.")
    if adapters and not has_component:
        yield Problem(
            "adapters",
            [one.name for one in adapters],
            "are inference components, which SageMaker loads into one with the model, and this endpoint has none",
            "Set scale_to_zero; with ScaleToZero(idle=Duration.hours(24)) it sleeps after a day without a request.",
        )


def max_rank(adapters: Sequence[AdapterChoice]) -> int:
    """VLLM's max_lora_rank for adapters."""
    needed = max((one.rank for one in adapters if isinstance(one.rank, int)), default=1)
    return min((rank for rank in RANKS if rank >= needed), default=RANKS[-1])


def max_adapters(adapters: Sequence[AdapterChoice]) -> int:
    """VLLM's max_loras for adapters."""
    return max(1, min(len(adapters), MOST_IN_A_BATCH))
