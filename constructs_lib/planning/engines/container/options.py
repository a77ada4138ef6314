"""What a caller declares of a container of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from constructs_lib.planning.sagemaker import MAX_BODY_BYTES
from constructs_lib.planning.serving_limits import ServingFacts


class ContainerProtocol(StrEnum):
    """What a container answers at `POST /invocations`."""

    OPENAI = "openai"
    """OpenAI's chat completions and completions, told apart by `messages` and `prompt`, as vLLM does."""

    TGI = "tgi"
    """TGI's generate requests with `inputs`, and its chats, as TGI and forks of it do."""


@dataclass(frozen=True, kw_only=True)
class ContainerOptions:
    """What a container is declared to do.

    Args:
        protocol: What it answers.
        serving: What else is known of it.
        max_body_bytes: Largest request body that it accepts.
    """

    protocol: ContainerProtocol = ContainerProtocol.OPENAI
    serving: ServingFacts = field(default_factory=ServingFacts)
    max_body_bytes: int = MAX_BODY_BYTES
