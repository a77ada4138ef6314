"""One model of a fleet, as the caller describes it, and the engine that it means."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from constructs_lib._tokens import hide_token
from constructs_lib.endpoint.container_image import CatalogueImage, ContainerImage
from constructs_lib.endpoint.scale_to_zero import ScaleToZero, zero_request
from constructs_lib.planning.engines import ENGINES, engine_named
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.request_parts import other_construct
from constructs_lib.planning.scaling.fleet import COPIES, MAX_COPIES
from constructs_lib.planning.scaling.limits import default_target, request_tokens_problems
from constructs_lib.planning.scaling.zero import zero_problems
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Number, problem
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aws_cdk import Duration

    from constructs_lib.endpoint.model import Model
    from constructs_lib.endpoint.rollout import Rollout
    from constructs_lib.planning.engine import Engine
    from constructs_lib.planning.request import EndpointPlan, EndpointRequest

_TARGET = Number("above 0", above=0)


@dataclass(frozen=True, kw_only=True)
class FleetModel:
    """One model of a `ModelFleet`.

    The engine is that of `options` and `image`: TGI for `TgiOptions`, `TgiImage` and if both are left out.

    Args:
        model: The weights: `Model.from_hub`, `Model.from_s3` or `Model.from_s3_archive`.
        copies: The least and the most copies. Between them Application Auto Scaling adds and removes copies, so that
            each has `concurrency_target` requests in progress. Default: always one.
        options: Options of the engine. Default: the fewest GPUs on which the model fits well, and the engine's own
            defaults for the rest.
        image: The container image. Default: AWS's image of the engine's newest version that this library knows.
        environment: Further environment variables of the container, as those of `TgiEndpoint`. Default: none.
        startup_timeout: How long a copy may take until the model answers, 1 minute to 1 hour. Default: computed from
            the model's size, at least 20 minutes.
        model_download_timeout: How long SageMaker may take to copy weights from S3, 1 minute to 1 hour. Default:
            computed from the model's size, at least 20 minutes; none for the hub.
        request_tokens: Prompt and answer of a usual request together, in tokens, from which the default of
            `concurrency_target` is worked out. Default: the longest request.
        concurrency_target: Requests in progress on each copy that its scaling aims at. Default: 0.8 times what the
            plan expects one copy to hold (see `EndpointScaling.on_concurrency`).
        scale_to_zero: How this model goes to zero copies while nobody asks it, and how many it may have; it takes the
            place of `copies`, `request_tokens` and `concurrency_target`. Default: it keeps its least copies.
        rollout: How an update replaces the copies, and which alarms undo it. Default: with two or more least copies in
            batches (see `Rollout.rolling`), else all at once, which no alarm undoes.
    """

    model: Model
    copies: tuple[int, int] = (1, 1)
    options: Any = None
    image: ContainerImage | None = None
    environment: Mapping[str, str] | None = None
    startup_timeout: Duration | None = None
    model_download_timeout: Duration | None = None
    request_tokens: int | None = None
    concurrency_target: float | None = None
    scale_to_zero: ScaleToZero | None = None
    rollout: Rollout | None = None

    @property
    def engine(self) -> Engine:
        """The engine that options and image mean."""
        engines = [engine_named(name) for name in ENGINES]
        means = (
            *(one for one in engines if isinstance(self.options, one.options_type)),
            *(one for one in engines if _is_image_of(one, self.image)),
        )
        return next(iter(means), engines[0])

    @property
    def container_image(self) -> Any:
        """The image, with the default; anything that is no image as it is, for the plan to reject."""
        newest = self.engine.images.newest
        if self.image is None:
            return ContainerImage(ImageChoice(version=newest), CatalogueImage(self.engine.images, newest))
        return self.image

    @property
    def range_of_copies(self) -> Any:
        """The least and the most copies, right or wrong; a model that goes to zero begins with one."""
        zero: object = self.scale_to_zero
        return (1, zero.max_copies) if isinstance(zero, ScaleToZero) else self.copies

    @property
    def _scales(self) -> bool:
        """Whether the number of copies changes by itself."""
        return COPIES.problem("copies", self.copies) is None and self.copies[0] != self.copies[1]

    def problems(self, asked: EndpointRequest, plan: EndpointPlan) -> Iterator[Problem]:
        """What is wrong with what the plan of a copy does not see.

        Args:
            asked: What an endpoint for this model alone would be asked for.
            plan: The plan of one copy.
        """
        engine = self.engine
        is_told = other_construct(asked, asked.image) is not None  # by the plan
        if isinstance(self.image, ContainerImage) and not _is_image_of(engine, self.image) and not is_told:
            message = f"must be a {engine.images.construct} for {engine.display_name}, not {type(self.image).__name__}"
            yield Problem("image", self.image, message, f"Write {engine.images.construct}.version(…).")
        if self.scale_to_zero is not None:
            yield from self._zero_problems(asked, plan)
            return
        target = hide_token(self.concurrency_target)
        if isinstance(target, Unknown):
            message = "must be known at synth, as the number below which a copy is removed is worked out from it"
            yield Problem("concurrency_target", target, message, "Write it as a number.")
        elif target is not None and (found := problem("concurrency_target", target, _TARGET)):
            yield found
        tokens = list(request_tokens_problems(hide_token(self.request_tokens), plan))
        yield from tokens
        if self._scales and not tokens:
            yield from self._target_problems(plan)

    def _zero_problems(self, asked: EndpointRequest, plan: EndpointPlan) -> Iterator[Problem]:
        found = zero_problems(zero_request(self.scale_to_zero), asked, plan)
        # That number is checked with those of the other models.
        yield from (each for each in found if each.keyword != MAX_COPIES)
        defaults = {one.name: one.default for one in fields(self)}
        for keyword in ("copies", "request_tokens", "concurrency_target"):
            value = getattr(self, keyword)
            if value != defaults[keyword]:
                message = "is for a model that keeps its least copies; scale_to_zero has arguments of its own for it"
                yield Problem(keyword, value, message, "Leave it out.")

    def _target_problems(self, plan: EndpointPlan) -> Iterator[Problem]:
        is_missing = self.concurrency_target is None and default_target(plan, self.request_tokens) is None
        if is_missing and not plan.problems:
            message = "is required to scale this model: the plan does not know how many requests a copy holds"
            fix = "Set it to the requests in progress at once that a copy should have."
            yield Problem("concurrency_target", None, message, fix)


def _is_image_of(engine: Engine, image: object) -> bool:
    return any(one.__name__ == engine.images.construct for one in type(image).__mro__)
