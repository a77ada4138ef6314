"""Numbers, sizes, prices and hardware as people read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_lib.planning.hardware.instance_types import InstanceType
    from constructs_lib.planning.sizing.candidates import Candidate
    from constructs_lib.planning.summary import PlanSummary

HOURS_PER_MONTH = 730

# Parts of an accelerator's name that distinguish nothing when its memory is shown beside it.
_REDUNDANT = re.compile(r" Blackwell| Server|-\d+GB")

# A server or a model may write what a terminal obeys: colours, titles, the clipboard.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """A text without what a terminal obeys, but line ends and tabs."""
    return _CONTROL.sub("", text)


def number(value: int) -> str:
    """An integer with thousands separators."""
    return f"{value:,}"


def parameters(count: int) -> str:
    """A number of parameters, such as `8.0 B`."""
    return f"{count / 1e9:.1f} B" if count >= 10**9 else f"{count / 1e6:.0f} M"


def gib(size: float) -> str:
    """A size in bytes, in GiB."""
    return f"{size / 2**30:.1f} GiB"


def hourly(price: float | None, *, derived: bool) -> str:
    """A price per hour in US dollars; `~` marks one derived from EC2's, `-` means that none is published."""
    return "-" if price is None else f"{'~' if derived else ''}{price:.3f}"


def monthly(price: float | None, *, derived: bool) -> str:
    """The price of a month of 730 hours, in whole US dollars, for a price per hour."""
    return "-" if price is None else f"{'~' if derived else ''}{price * HOURS_PER_MONTH:,.0f}"


def span(least: str, most: str) -> str:
    """A range of figures, such as `1.515–3.030`; one figure if both are the same."""
    return least if least == most else f"{least}–{most}"


def instances(summary: PlanSummary) -> str:
    """The instances of an endpoint, such as `0–4 × ml.g5.2xlarge`; without a number if it is exactly one."""
    count = span(*("?" if each is None else number(each) for each in (summary.min_instances, summary.max_instances)))
    return f"{'' if count == '1' else f'{count} × '}{', '.join(summary.instances)}"


def accelerators(instance: InstanceType) -> str:
    """The accelerators of an instance type, such as `4 × A10G 22 GiB`."""
    name = _REDUNDANT.sub("", instance.accelerator)
    if instance.accelerator_count is None or instance.memory_gib is None:
        return name
    return f"{instance.accelerator_count} × {name} {instance.memory_gib:.0f} GiB"


def gpus(candidate: Candidate) -> str:
    """The GPUs of a candidate, and how many of them the model uses if not all."""
    count, taken = candidate.instance.accelerator_count or 0, candidate.instance.accelerators_for(candidate.num_shard)
    used = f" ({taken} used)" if 0 < taken < count else ""
    return accelerators(candidate.instance) + used
