"""Several variants of one endpoint, each with a share of its requests.

SageMaker chooses the variant after the request's body is written, so all of them have to speak one protocol, and a
front door may only promise what every one of them serves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from constructs_lib.planning.image_rules import kind_problem
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.request import EndpointRequest
from constructs_lib.planning.sagemaker import NAME
from constructs_lib.planning.summary import PlanSummary
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Number, problem
from constructs_lib.planning.validation.unknown import Unknown

MAX_VARIANTS = 10
"""Source: botocore 1.44.5, sagemaker 2017-07-24, ProductionVariantList."""

ONE_ENGINE = (
    "all variants of an endpoint have the same engine, as SageMaker chooses the variant after the request's body is"
    " written"
)

_WEIGHT = Number("at least 0", inclusive_minimum=0)


def weight_problems(keyword: str, weight: object) -> Iterator[Problem]:
    """What is wrong with the weight of a variant.

    Args:
        keyword: The argument as the caller wrote it.
        weight: The weight, with tokens hidden.
    """
    if found := problem(keyword, weight, _WEIGHT):
        fix = "Give a number from 0 on: a variant's share is its weight divided by the sum of all weights."
        yield replace(found, fix=fix)


def first_weight_problems(weight: object, *, scales_to_zero: bool) -> Iterator[Problem]:
    """What is wrong with the weight of an endpoint's first variant.

    Args:
        weight: The weight, with tokens hidden.
        scales_to_zero: Whether the endpoint has `scale_to_zero`.
    """
    keyword = "variant_weight"
    yield from weight_problems(keyword, weight)
    if scales_to_zero and weight != 1:
        message = "is for endpoints without scale_to_zero, which have one variant and address the model in it"
        yield Problem(keyword, weight, message, f"Leave {keyword} out, or remove scale_to_zero.")


def no_share_error() -> str:
    """Says that no variant of an endpoint gets requests."""
    return (
        "variant_weight=0: no variant of this endpoint has a weight above 0, so that none gets requests. Add one with"
        " add_variant(…, weight=1), or leave variant_weight out."
    )


def variant_problems(
    id: object, weight: object, names: Collection[str], *, scales_to_zero: bool, is_reserved: bool
) -> Iterator[Problem]:
    """What is wrong with adding a variant, whatever is in it.

    Args:
        id: Its name, with tokens hidden.
        weight: Its weight, with tokens hidden.
        names: The variants that the endpoint has.
        scales_to_zero: Whether the endpoint has `scale_to_zero`.
        is_reserved: Whether the CDK has the name for itself.
    """
    if isinstance(id, Unknown):
        yield Problem("id", id, "must be known at synth, as it identifies the variant's resources", "Write it out.")
    elif found := problem("id", id, NAME):
        yield replace(found, fix="Write a name such as blue.")
    elif is_reserved:
        yield Problem("id", id, "is a name that the CDK has for itself", "Rename it.")
    elif id in names:
        yield Problem("id", id, "is the name of a variant that the endpoint has already", "Give another one.")
    yield from weight_problems("weight", weight)
    if len(names) >= MAX_VARIANTS:
        message = f"would be variant number {len(names) + 1}, and SageMaker allows {MAX_VARIANTS}"
        yield Problem("id", id, message, "Remove one that lost, or use another endpoint.")
    if scales_to_zero:
        message = (
            "is for endpoints without scale_to_zero: requests name the inference component that answers, and SageMaker"
            " divides them by weights only between variants that have a Model"
        )
        yield Problem("add_variant", id, message, "Remove scale_to_zero, or create another endpoint.")


def with_engine_reason(problems: Iterable[Problem], request: EndpointRequest) -> Iterator[Problem]:
    """The problems of a variant's plan; those of another engine with the reason why it cannot be another one.

    Args:
        problems: The problems.
        request: What the variant is asked for.
    """
    image = kind_problem(request) if isinstance(request.image, ImageChoice) else None
    wrong_options = request.options is not None and not isinstance(request.options, request.engine.options_type)
    for found in problems:
        is_other = found == image or (found.keyword == "options" and wrong_options)
        yield replace(found, message=f"{found.message}; {ONE_ENGINE}") if is_other else found


def other_image_problem(image: object, kind: str, wanted: str) -> Problem:
    """Says that an image is one of another engine.

    Args:
        image: The image.
        kind: The name of its type.
        wanted: The name of the type of the endpoint's images.
    """
    message = f"must be a {wanted}, not {kind}; {ONE_ENGINE}"
    return Problem("image", image, message, f"Write {wanted}.version(…), or create an endpoint of the other engine.")


def scaled_variant_warning(name: str) -> PlanWarning:
    """Says how to remove a variant that scales, or to change its instance type.

    Args:
        name: The variant.
    """
    return PlanWarning(
        "tgi-endpoint:scalingKeepsVariant",
        f"While auto_scale of the variant {name} is on, SageMaker refuses an update that removes the variant or changes"
        " its instance type, and CloudFormation rolls back. Do it in two deployments: one without this auto_scale, then"
        " one with the change.",
    )


def variants_summary(summaries: Sequence[PlanSummary], weights: Sequence[object]) -> PlanSummary:
    """The summary of an endpoint with several variants.

    Args:
        summaries: That of each variant, the first one first.
        weights: Their weights, with tokens hidden.
    """
    first = summaries[0]
    return replace(
        first,
        model=", ".join(dict.fromkeys(one.model or "-" for one in summaries)),
        instances=list(dict.fromkeys(name for one in summaries for name in one.instances)),
        min_instances=_sum([one.min_instances for one in summaries]),
        max_instances=_sum([one.max_instances for one in summaries]),
        context=_least([one.context for one in summaries]),
        stream_tokens=_least([one.stream_tokens for one in summaries]),
        streams=_streams(summaries, weights),
        min_usd_per_hour=_sum([one.min_usd_per_hour for one in summaries]),
        max_usd_per_hour=_sum([one.max_usd_per_hour for one in summaries]),
        price_is_derived=any(one.price_is_derived for one in summaries),
        most_of_a_type=_most_of_a_type(summaries),
    )


def _streams(summaries: Sequence[PlanSummary], weights: Sequence[object]) -> int | None:
    """How many requests at once all variants together serve, when the first of them has its share full."""
    shares = [weight for weight in weights if isinstance(weight, int | float)]
    if len(shares) < len(summaries) or not sum(shares):
        return None
    served = [(one.streams, share) for one, share in zip(summaries, shares, strict=True) if share]
    if any(streams is None for streams, _ in served):
        return None
    return int(min((streams or 0) * sum(shares) / share for streams, share in served))


def _most_of_a_type(summaries: Sequence[PlanSummary]) -> int | None:
    """The most instances of one type, all variants together; each may have any of its types."""
    counts: dict[str, int] = {}
    for one in summaries:
        if one.max_instances is None:
            return None
        for name in one.instances:
            counts[name] = counts.get(name, 0) + one.max_instances
    return max(counts.values())


def _least(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return min(known) if len(known) == len(numbers) else None


def _sum(numbers: Sequence[Any]) -> Any:
    """The sum; None if one of them is not known."""
    return None if None in numbers else sum(numbers)
