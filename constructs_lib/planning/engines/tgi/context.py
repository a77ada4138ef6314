"""What TGI's rules look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from constructs_lib.planning.engines.tgi.options import Attention
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.version import Version
from constructs_lib.planning.models.facts import ModelChoice, ModelFacts

FLASH_CAPABILITY = (8, 0)
"""Ampere: older GPUs have neither bfloat16 nor the kernels of flashinfer and Marlin."""

_DEFAULT_PREFILL = 4096
_DEFAULT_PREFILL_OF = {"gemma3": 8000, "qwen2_vl": 10_000, "qwen2_5_vl": 10_000}

_NO_CHUNKING_TYPES = ("gemma3", "mllama", "qwen2_vl", "qwen2_5_vl", "idefics2", "idefics3", "paligemma", "llava_next")


@dataclass(frozen=True)
class EngineContext:
    """What the rules look at.

    Args:
        values: The options that are given and right by themselves.
        unknown: Options that are given but cannot be judged, each with what a message shows of it: not resolved at
            synth, or wrong and reported already.
        version: TGI's version.
        model: Which weights.
        facts: Their shape, where it is known.
        instance: Where they run.
        network_isolation: Whether the container has no network.
    """

    values: Mapping[str, object]
    unknown: Mapping[str, object]
    version: Version
    model: ModelChoice
    facts: ModelFacts | None
    instance: InstanceType
    network_isolation: bool

    def number(self, keyword: str) -> int | None:
        """The option's value if it is given and a whole number."""
        value = None if keyword in self.unknown else self.values.get(keyword)
        return value if isinstance(value, int) else None

    def given(self, keyword: str) -> bool:
        """Whether the caller gives the option, right or wrong."""
        return keyword in self.values or keyword in self.unknown

    def shown(self, keyword: str) -> object:
        """The option as a message shows it: what the caller gives, or a word for what is known at deployment."""
        return self.unknown[keyword] if keyword in self.unknown else self.values.get(keyword)

    def text(self, keyword: str) -> str | None:
        """The option's value if it is given and text."""
        value = None if keyword in self.unknown else self.values.get(keyword)
        return str(value) if isinstance(value, str) else None

    def real(self, keyword: str, default: float) -> float:
        """The option's value if it is given and a number, else the default."""
        value = None if keyword in self.unknown else self.values.get(keyword)
        return float(value) if isinstance(value, int | float) else default

    @property
    def old_gpu(self) -> bool:
        """Whether the GPU is known to be older than Ampere."""
        capability = self.instance.compute_capability
        return capability is not None and capability < FLASH_CAPABILITY

    @property
    def attention(self) -> str | None:
        """The attention kernels that are asked for, by the caller or by us."""
        return self.text("attention") or (Attention.PAGED.value if self.old_gpu and self.version >= (2, 3, 0) else None)

    @property
    def chunks_prefill(self) -> bool | None:
        """Whether TGI splits long prompts over batches; None where the model is not known."""
        off = (
            self.version < (3, 0, 0)
            or self.values.get("prefill_chunking") is False
            or bool(self.number("speculate"))
            or self.attention == Attention.PAGED
        )
        if off:
            return False
        if self.facts is None:
            return None
        return self.facts.flash and self.facts.model_type not in _NO_CHUNKING_TYPES

    @property
    def default_prefill(self) -> int:
        """TGI's own max_batch_prefill_tokens where it does not work one out from the GPU's speed."""
        return _DEFAULT_PREFILL_OF.get(self.facts.model_type, _DEFAULT_PREFILL) if self.facts else _DEFAULT_PREFILL
