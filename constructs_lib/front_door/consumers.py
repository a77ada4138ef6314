"""The consumers of a front door: an API key for each, and the usage plan that limits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Annotations
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from constructs_lib._tokens import is_token
from constructs_lib.errors import raise_if_any
from constructs_lib.front_door.validation import consumer_problems
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import String, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.front_door.access import Access

_NOBODY = "tgi-endpoint:noConsumer"
_NAME = String("a name without slashes", r"[^/]+", longest=128)


class Consumer(Construct):
    """Who calls a front door with an API key of its own. Made by `FrontDoor.add_consumer`.

    The key's value stands in no template, output or log: read it with
    `aws apigateway get-api-key --include-value --api-key <consumer.api_key.key_id>`. Its id is what the function's log
    and the saved queries call `consumer`.

    Attributes:
        api_key: The key.
        usage_plan: The plan with its rate, burst and monthly quota.
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
        # No value: API Gateway makes one up, so it stands in no template. No name: a change replaces nothing.
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
        key_id, plan_id = key.ref, plan.ref
        apigateway.CfnUsagePlanKey(self, "PlanKey", key_id=key_id, key_type="API_KEY", usage_plan_id=plan_id)
        self.api_key: apigateway.IApiKey = apigateway.ApiKey.from_api_key_id(self, "ApiKey", key_id)
        self.usage_plan: apigateway.IUsagePlan = apigateway.UsagePlan.from_usage_plan_id(self, "UsagePlan", plan_id)


class Consumers(Construct):
    """All consumers of one front door. Where its access asks for keys and there are none, it warns.

    Args:
        scope: The front door.
        id: Its id.
        access: Who may call.
        rest_api_id: The API.
        stage_name: Its stage.
        rate_limit: Steady requests per second of the whole stage.
        burst_limit: Requests that may arrive at once.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        access: Access,
        rest_api_id: str,
        stage_name: str,
        rate_limit: float,
        burst_limit: float,
    ) -> None:
        super().__init__(scope, id)
        self._access = access
        self._rest_api_id = rest_api_id
        self._stage_name = stage_name
        self._limits = {"rate_limit": rate_limit, "burst_limit": burst_limit}
        self._path = scope.node.path
        if access.uses_api_keys:
            # Withdrawn by the first consumer.
            Annotations.of(self).add_warning_v2(
                _NOBODY,
                "Nobody can call this front door: it asks for API keys, and no consumer has one. Add one with"
                ' door.add_consumer("team-a").',
            )

    def add(self, id: str, *, rate: float | None, burst: float | None, monthly_requests: float | None) -> Consumer:
        """One more (see `FrontDoor.add_consumer`)."""
        rate = self._limits["rate_limit"] if rate is None else rate
        burst = self._limits["burst_limit"] if burst is None else burst
        limits = {"rate": rate, "burst": burst}
        found = [*self._id_problems(id), *consumer_problems(limits, self._limits, monthly_requests, is_token)]
        raise_if_any(self, str(id), found)
        Annotations.of(self).acknowledge_warning(_NOBODY)
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
            message = f"cannot have a key: with {self._access.words} the front door asks for none"
            yield Problem("id", id, message, "Leave the consumer out, or give the front door Access.api_keys().")
        if wrong := problem("id", id, _NAME):
            yield wrong
        elif self.node.try_find_child(id) is not None:
            yield Problem("id", id, "is the name of a consumer of this front door already", "Choose another one.")
