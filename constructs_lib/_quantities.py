"""Durations and sizes of the CDK as the plain numbers that a plan takes."""

from __future__ import annotations

from aws_cdk import Duration, Size, SizeRoundingBehavior

from constructs_lib._tokens import is_token
from constructs_lib.planning.validation.problem import Problem


def seconds(duration: Duration | None) -> int | None:
    """Whole seconds, or the fraction as it is for the plan to refuse; None for what is no Duration."""
    return _whole(duration.to_seconds(integral=False)) if isinstance(duration, Duration) else None


def gibibytes(size: Size | None) -> int | None:
    """Whole GiB, or the fraction as it is for the plan to refuse; None for what is no Size."""
    return _whole(size.to_gibibytes(rounding=SizeRoundingBehavior.NONE)) if isinstance(size, Size) else None


def quantity_problems(**quantities: object) -> list[Problem]:
    """Plain numbers where a Duration or a Size is wanted, as a number does not say its unit.

    Args:
        quantities: What was given, by keyword; names that end in `_size` want a Size.
    """
    return [
        _problem(keyword, value)
        for keyword, value in quantities.items()
        if value is not None and not isinstance(value, Duration | Size)
    ]


def _problem(keyword: str, value: object) -> Problem:
    kind, example = ("Size", "Size.gibibytes") if keyword.endswith("_size") else ("Duration", "Duration.seconds")
    return Problem(
        keyword=keyword,
        value=value,
        message=f"must be a {kind} of aws_cdk, which says its unit",
        fix=f"Write {example}({value if isinstance(value, int | float) else '…'}).",
    )


def _whole(number: float) -> int:
    return int(number) if not is_token(number) and number == int(number) else number  # type: ignore[return-value]
