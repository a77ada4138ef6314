"""Numbers and sizes as people read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.planning.hardware.instance_types import InstanceType
    from constructs_lib.planning.sizing.candidates import Candidate

HOURS_PER_MONTH = 730

# What an accelerator's name has beyond what tells it apart beside its memory.
_SURPLUS = re.compile(r" Blackwell| Server|-\d+GB")


def number(value: int) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,}"


def parameters(count: int) -> str:
    """A number of parameters, such as `8.0 B`."""
    return f"{count / 1e9:.1f} B" if count >= 10**9 else f"{count / 1e6:.0f} M"


def gib(size: float) -> str:
    """A size in bytes, in GiB."""
    return f"{size / 2**30:.1f} GiB"


def money(price: float | None, *, derived: bool) -> str:
    """A price per hour; `~` marks one that is worked out, `-` one that nobody publishes."""
    return "-" if price is None else f"{'~' if derived else ''}{price:.3f}"


def month(price: float | None, *, derived: bool) -> str:
    """What a month of 730 hours costs, in whole dollars."""
    return "-" if price is None else f"{'~' if derived else ''}{price * HOURS_PER_MONTH:,.0f}"


def accelerators(instance: InstanceType) -> str:
    """The accelerators of an instance, such as `4 × A10G 22 GiB`."""
    name = _SURPLUS.sub("", instance.accelerator)
    if instance.accelerator_count is None or instance.memory_gib is None:
        return name
    return f"{instance.accelerator_count} × {name} {instance.memory_gib:.0f} GiB"


def gpus(one: Candidate) -> str:
    """The GPUs of a candidate, and how many of them share the model where it is not all."""
    count = one.instance.accelerator_count or 0
    used = f" ({one.num_shard} used)" if 0 < one.num_shard < count else ""
    return accelerators(one.instance) + used
