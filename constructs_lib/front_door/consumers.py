"""The consumers of a front door: an API key for each, and the usage plan that limits it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from aws_cdk import Annotations
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from constructs_lib._arguments import is_number, is_whole_number
from constructs_lib._tokens import hide_token
from constructs_lib.errors import raise_if_any
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import String, problem
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from constructs_lib.front_door.access.base import AccessMethod

DEFAULT_RATE = 100
"""Requests per second that a front door accepts steadily, from all callers together."""

DEFAULT_BURST = 200
"""Requests that a front door accepts at once above the steady rate, from all callers together."""

_NO_CONSUMER = "tgi-endpoint:noConsumer"
_NAME = String("a name without slashes", r"[^/]+", longest=128)


class Consumer(Construct):
    """A caller of a front door with its own API key. Created by `FrontDoor.add_consumer`.

    The value of the key is in no template, output or log: read it with
    `aws apigateway get-api-key --include-value --api-key <consumer.key_id>`. The function's log and the saved queries
    show the key's id as `consumer`.

    Attributes:
        key_id: Id of the key.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        rest_api_id: str,
        stage_name: str,
        rate: float,
        burst: float,
        monthly_requests: float | None,
        description: str,
    ) -> None:
        super().__init__(scope, id)
        # Without a value: API Gateway generates it, so it is in no template. Without a name: no change replaces it.
        key = apigateway.CfnApiKey(self, "Key", enabled=True, description=description)
        plan = apigateway.CfnUsagePlan(
            self,
            "Plan",
            description=description,
            api_stages=[apigateway.CfnUsagePlan.ApiStageProperty(api_id=rest_api_id, stage=stage_name)],
            throttle=apigateway.CfnUsagePlan.ThrottleSettingsProperty(rate_limit=rate, burst_limit=burst),
            quota=None
            if monthly_requests is None
            else apigateway.CfnUsagePlan.QuotaSettingsProperty(limit=monthly_requests, period="MONTH"),
        )
        self.key_id: str = key.ref
        self._plan_id = plan.ref
        apigateway.CfnUsagePlanKey(self, "PlanKey", key_id=self.key_id, key_type="API_KEY", usage_plan_id=self._plan_id)

    @cached_property
    def api_key(self) -> apigateway.IApiKey:
        """The key."""
        return apigateway.ApiKey.from_api_key_id(self, "ApiKey", self.key_id)

    @cached_property
    def usage_plan(self) -> apigateway.IUsagePlan:
        """The usage plan with its rate, burst and monthly quota."""
        return apigateway.UsagePlan.from_usage_plan_id(self, "UsagePlan", self._plan_id)


class Consumers(Construct):
    """The consumers of one front door. Warns if the access method needs API keys and there is no consumer.

    Args:
        scope: The front door.
        id: Its id.
        path: Path of the front door.
        access: The access method.
        rest_api_id: The API.
        stage_name: Its stage.
        rate_limit: Steady requests per second of the entire stage.
        burst_limit: Requests of the entire stage that may arrive at once.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        path: str,
        access: AccessMethod,
        rest_api_id: str,
        stage_name: str,
        rate_limit: float,
        burst_limit: float,
    ) -> None:
        super().__init__(scope, id)
        self._access = access
        self._rest_api_id = rest_api_id
        self._stage_name = stage_name
        self._stage_limits = {"rate_limit": rate_limit, "burst_limit": burst_limit}
        self._path = path
        self._ids: set[str] = set()
        self._annotations = Annotations.of(self)
        if access.uses_api_keys:
            # The first consumer acknowledges it.
            self._annotations.add_warning_v2(
                _NO_CONSUMER,
                "Nobody can call this front door: it requires API keys, and it has no consumer. Add one with"
                ' front_door.add_consumer("team-a").',
            )

    def add(self, id: str, *, rate: float | None, burst: float | None, monthly_requests: float | None) -> Consumer:
        """Create a consumer (see `FrontDoor.add_consumer`)."""
        rate = self._stage_limits["rate_limit"] if rate is None else rate
        burst = self._stage_limits["burst_limit"] if burst is None else burst
        limits, stage_limits = {"rate": rate, "burst": burst}, self._stage_limits
        problems = [
            *self._id_problems(id),
            *_consumer_problems(_hide_tokens(limits), _hide_tokens(stage_limits), hide_token(monthly_requests)),
        ]
        raise_if_any(self, str(id), problems)
        self._ids.add(id)
        self._annotations.acknowledge_warning(_NO_CONSUMER)
        return Consumer(
            self,
            id,
            rest_api_id=self._rest_api_id,
            stage_name=self._stage_name,
            rate=rate,
            burst=burst,
            monthly_requests=monthly_requests,
            description=f"{id} calls {self._path}",
        )

    def _id_problems(self, id: str) -> Iterator[Problem]:
        if not self._access.uses_api_keys:
            message = f"cannot have an API key: {self._access.display_name} uses none"
            yield Problem("id", id, message, "Remove the consumer, or give the front door Access.api_keys().")
        if found := problem("id", id, _NAME):
            yield found
        elif id in self._ids:
            yield Problem("id", id, "is already a consumer of this front door", "Choose another name.")


def limit_problems(limits: Mapping[str, object]) -> Iterator[Problem]:
    """Problems of a steady rate and a burst.

    Args:
        limits: The rate and then the burst, by keyword; an `Unknown` is not checked.
    """
    (rate_keyword, rate), (burst_keyword, burst) = limits.items()
    if not isinstance(rate, Unknown) and not (is_number(rate) and rate > 0):
        message = "must be more than 0 requests per second"
        yield Problem(rate_keyword, rate, message, "Give the steady rate.")
    if not isinstance(burst, Unknown) and not _is_count(burst):
        fix = "Give the number of requests that may arrive at once."
        yield Problem(burst_keyword, burst, "must be a whole number, at least 1", fix)


def _consumer_problems(
    limits: Mapping[str, object], stage_limits: Mapping[str, object], monthly_requests: object
) -> Iterator[Problem]:
    wrong = list(limit_problems(limits))
    yield from wrong
    valid = limits.keys() - {found.keyword for found in wrong}
    for (keyword, value), (stage_keyword, limit) in zip(limits.items(), stage_limits.items(), strict=True):
        if keyword in valid and is_number(value) and is_number(limit) and value > limit:
            message = f"exceeds the {limit:g} of the entire front door"
            yield Problem(keyword, value, message, f"Lower it, or raise {stage_keyword} of the front door.")
    quota = monthly_requests
    if quota is not None and not isinstance(quota, Unknown) and not _is_count(quota):
        yield Problem("monthly_requests", quota, "must be a whole number, at least 1", "Raise it, or omit the quota.")


def _is_count(value: object) -> bool:
    return is_whole_number(value) and value >= 1


def _hide_tokens(limits: Mapping[str, object]) -> dict[str, object]:
    return {keyword: hide_token(value) for keyword, value in limits.items()}
