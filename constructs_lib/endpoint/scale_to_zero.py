"""ScaleToZero: an endpoint that costs nothing while nobody asks it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from aws_cdk import Duration

from constructs_lib._arguments import quantity_problems, seconds, type_name
from constructs_lib._tokens import hide_token, hide_tokens
from constructs_lib.planning.scaling.hours import IDLE, WeeklyHours
from constructs_lib.planning.scaling.zero import ZeroRequest
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator


class ZeroOptions(TypedDict, total=False):
    """The arguments of `ScaleToZero`, for `ScaleToZero.hours`."""

    idle: Duration
    max_copies: int
    request_tokens: int
    target: float


@dataclass(frozen=True, kw_only=True)
class ScaleToZero:
    """How an endpoint goes to zero copies of its model, and comes back.

    The model is an inference component on an endpoint whose instances follow its copies. After `idle` without a request
    the last copy is removed, and SageMaker releases its instance about 12 minutes later. The first request after that
    fails for want of capacity, which starts a copy: minutes later the model answers. A front door tells clients how
    long, or keeps them waiting (`FrontDoor(on_wake=…)`). A new endpoint starts with one copy, as SageMaker creates no
    component without.

    Args:
        idle: How long a copy must have been there without a request before the last one is removed, in whole minutes
            from 15 minutes to 24 hours. A request counts until its last token. Default: 30 minutes.
        max_copies: Most copies, which bounds the bill; an update starts as many new ones beside them. More are added by
            concurrent requests; all but one are removed when one could have carried the load for 15 minutes. Default:
            1.
        request_tokens: Prompt and answer of one request together as your clients send them, in tokens, from which the
            default of `target` is worked out, as for `auto_scale`. Default: the longest request.
        target: Requests in progress at once on one copy, above which another one is added. Default: as for
            `EndpointScaling.on_concurrency`.
        weekly_hours: The hours of `ScaleToZero.hours`. Default: none.
    """

    idle: Duration | None = None
    max_copies: int = 1
    request_tokens: int | None = None
    target: float | None = None
    weekly_hours: WeeklyHours | None = None

    @classmethod
    def hours(
        cls, *windows: str, time_zone: str, outside: Literal["idle", "closed"] = IDLE, **options: Unpack[ZeroOptions]
    ) -> ScaleToZero:
        """The same with hours in which at least one copy runs.

        The copy is ordered when the hours start, and answers after the time of a wake: let them start earlier if it has
        to answer on time. When they end, it runs on until `idle` has passed without a request. A new endpoint, and one
        whose limits a deployment changes, has the minimum of 0 until the next hours start.

        Args:
            windows: Days and a time of day, such as `mon-fri 08:00-19:00`, `sat,sun 10:00-14:00`, or
                `mon-sun 22:00-06:00`, which goes on after midnight.
            time_zone: IANA name, such as `Europe/Berlin`. The hours follow its daylight saving time.
            outside: `idle`: outside the hours requests wake the model. `closed`: they do not, and all copies are
                removed when the hours end, also those with requests in progress. Default: `idle`.
            options: The arguments of `ScaleToZero`.
        """
        return cls(weekly_hours=WeeklyHours(windows, time_zone, outside), **options)


def zero_request(given: ScaleToZero | None) -> ZeroRequest | None:
    """What the plan needs to know of the argument `scale_to_zero`; None without one, or a right one."""
    if not isinstance(given, ScaleToZero):
        return None
    return ZeroRequest(
        idle_seconds=hide_token(seconds(given.idle)),  # type: ignore[arg-type]
        max_copies=hide_token(given.max_copies),  # type: ignore[arg-type]
        request_tokens=hide_token(given.request_tokens),  # type: ignore[arg-type]
        target=hide_token(given.target),  # type: ignore[arg-type]
        hours=_hide(given.weekly_hours) if isinstance(given.weekly_hours, WeeklyHours) else None,
    )


def zero_type_problems(given: object) -> Iterator[Problem]:
    """What is wrong with the argument `scale_to_zero` itself."""
    if given is None:
        return
    if not isinstance(given, ScaleToZero):
        message = f"must be a ScaleToZero, not {type_name(given)}"
        yield Problem("scale_to_zero", given, message, "Write ScaleToZero(), or ScaleToZero.hours(…).")
        return
    yield from quantity_problems(**{"scale_to_zero.idle": given.idle})
    hours: object = given.weekly_hours
    if hours is not None and not isinstance(hours, WeeklyHours):
        fix = "Write ScaleToZero.hours('mon-fri 08:00-19:00', time_zone='Europe/Berlin')."
        yield Problem("scale_to_zero.weekly_hours", hours, f"must come from hours, not {type_name(hours)}", fix)


def _hide(hours: WeeklyHours) -> WeeklyHours:
    """The hours with their tokens hidden, for the plan to reject."""
    texts: Any = tuple(hide_token(text) for text in hours.texts)
    return replace(hide_tokens(hours), texts=texts)
