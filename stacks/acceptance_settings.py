"""What `make acceptance` deploys, as the context says it. It loads no CDK: the run needs it as well as the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from constructs_lib import InstanceType

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Final = ("AcceptanceStack", "AcceptanceZeroStack")
"""The stacks that `-c acceptance=on` adds."""

MODEL_NAME: Final = "small"
"""The name that clients use for the model."""

DEFAULT_MODEL: Final = "Qwen/Qwen2.5-0.5B-Instruct"
DEFAULT_ENGINE: Final = "vllm"
"""Not TGI: it does not start Qwen2.5 on the T4 of the cheapest instance type with a GPU, ml.g4dn.xlarge, as its kernels
for sliding windows need an Ampere GPU (huggingface/text-generation-inference issues 2037 and 2456; the plan refuses it
for the same reason). vLLM does, in half precision."""
DEFAULT_INSTANCES: Final = {
    "tgi": "ml.g6.xlarge",
    "vllm": "ml.g4dn.xlarge",
    "sglang": "ml.g4dn.xlarge",
    "lmi": "ml.g4dn.xlarge",
}
"""The cheapest instance type on which the plan says that the engine serves the default model."""
DEFAULT_TOKENS: Final = 32_768
"""The model's context: probes of time limits need long answers."""

Step = Literal["first", "updated", "failing"]
STEPS: Final[tuple[Step, ...]] = ("first", "updated", "failing")

_LEAST_TOKENS: Final = 2048


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """What is deployed for the probes.

    Args:
        model_id: Repository on the Hugging Face hub.
        engine: `tgi`, `vllm`, `sglang` or `lmi`.
        instance_type: The instance type. Default: that of `DEFAULT_INSTANCES`.
        tokens: The longest request, in tokens.
        step: `first`; `updated` has half the tokens, so that the endpoint is updated; `failing` the same, and an update
            to it fails and is rolled back.

    Raises:
        SystemExit: The engine or the step is unknown, or `tokens` is no number of at least 2048.
    """

    model_id: str = DEFAULT_MODEL
    engine: str = DEFAULT_ENGINE
    instance_type: str | None = None
    tokens: int = DEFAULT_TOKENS
    step: str = "first"

    def __post_init__(self) -> None:
        problems = []
        if self.engine not in DEFAULT_INSTANCES:
            problems.append(f"acceptance_engine={self.engine}: must be one of {', '.join(DEFAULT_INSTANCES)}.")
        if self.step not in STEPS:
            problems.append(f"acceptance_step={self.step}: must be one of {', '.join(STEPS)}.")
        if self.tokens < _LEAST_TOKENS:
            problems.append(f"acceptance_tokens={self.tokens}: must be at least {_LEAST_TOKENS}.")
        if problems:
            raise SystemExit("\n".join(problems))

    @property
    def instance(self) -> InstanceType:
        """The instance type."""
        return InstanceType.named(self.instance_type or DEFAULT_INSTANCES[self.engine])

    @property
    def step_tokens(self) -> int:
        """The longest request at this step."""
        return self.tokens if self.step == "first" else self.tokens // 2


def read_acceptance(context: Mapping[str, Any]) -> Acceptance:
    """What the context values `acceptance_…` ask for.

    Raises:
        SystemExit: One is invalid.
    """

    def value(key: str, default: str) -> str:
        found = context.get(f"acceptance_{key}")
        return default if found in (None, "") else str(found)

    tokens = value("tokens", str(DEFAULT_TOKENS))
    if not tokens.isdecimal():
        raise SystemExit(f"acceptance_tokens={tokens}: must be a whole number of at least {_LEAST_TOKENS}.")
    return Acceptance(
        model_id=value("model", DEFAULT_MODEL),
        engine=value("engine", DEFAULT_ENGINE),
        instance_type=value("instance", "") or None,
        tokens=int(tokens),
        step=value("step", "first"),
    )
