"""A consumer of a front door: one API key, and the usage plan that limits it."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct


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
        apigateway.CfnUsagePlanKey(self, "PlanKey", key_id=key.ref, key_type="API_KEY", usage_plan_id=plan.ref)
        self.api_key: apigateway.IApiKey = apigateway.ApiKey.from_api_key_id(self, "ApiKey", key.ref)
        self.usage_plan: apigateway.IUsagePlan = apigateway.UsagePlan.from_usage_plan_id(self, "UsagePlan", plan.ref)
