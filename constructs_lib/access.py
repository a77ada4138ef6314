"""Who may call a front door: API keys sent as `Authorization: Bearer …`, with a rate, a burst and a quota each."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.front_door_function import invocation_uri, permit_api, python_function

# A key of API Gateway is 40 characters; own values have 20 to 128. What cannot be a key never reaches the authorizer.
BEARER_KEY = r"^[Bb]earer [-A-Za-z0-9._~+/]{20,128}=*$"

# The authorizer only reads the key off the header, so its answer for a header never changes. Whether the key exists
# and has quota left, API Gateway checks itself on every request, also while the answer is cached.
_CACHE_SECONDS = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLimits:
    """What one API key may do.

    Args:
        rate_limit: Steady requests per second.
        burst_limit: Requests that may arrive at once.
        quota_limit: Requests per period; None: as many as the rate allows.
        quota_period: The period of the quota.
    """

    rate_limit: float
    burst_limit: float
    quota_limit: float | None
    quota_period: apigateway.Period


class BearerKeyAuthorizer(Construct):
    """Makes the bearer token of a request its API key, so that OpenAI's and Hugging Face's clients work unchanged.

    The function holds no secret and compares nothing: it hands the token to API Gateway as usage identifier
    (the API's key source is AUTHORIZER), and API Gateway looks the key up.
    """

    def __init__(self, scope: Construct, id: str, *, rest_api_id: str, log_retention: logs.RetentionDays) -> None:
        super().__init__(scope, id)
        self.function = python_function(
            self,
            "Function",
            folder="authorizer",
            handler="authorizer.handler",
            description="Reads the API key off the Authorization header",
            timeout=Duration.seconds(5),
            memory_size=256,
            log_retention=log_retention,
        )
        authorizer = apigateway.CfnAuthorizer(
            self,
            "Resource",
            rest_api_id=rest_api_id,
            name="BearerKey",
            type="TOKEN",
            identity_source="method.request.header.Authorization",
            identity_validation_expression=BEARER_KEY,
            authorizer_uri=invocation_uri(self.function, streaming=False),
            authorizer_result_ttl_in_seconds=_CACHE_SECONDS,
        )
        self.authorizer_id = authorizer.ref
        self.snapshot = [BEARER_KEY, _CACHE_SECONDS]
        permit_api(self, "Permission", self.function, api_id=rest_api_id, path=f"authorizers/{authorizer.ref}")


class ApiKeyAccess(Construct):
    """One API key and the usage plan that limits it on one stage."""

    def __init__(
        self, scope: Construct, id: str, *, rest_api_id: str, stage_name: str, limits: UsageLimits, description: str
    ) -> None:
        super().__init__(scope, id)
        # No value: API Gateway makes one up, so it stands in no template. No name: a change replaces nothing.
        key = apigateway.CfnApiKey(self, "Key", enabled=True, description=description)
        plan = apigateway.CfnUsagePlan(
            self,
            "Plan",
            description=description,
            api_stages=[apigateway.CfnUsagePlan.ApiStageProperty(api_id=rest_api_id, stage=stage_name)],
            throttle=apigateway.CfnUsagePlan.ThrottleSettingsProperty(
                rate_limit=limits.rate_limit, burst_limit=limits.burst_limit
            ),
            quota=None
            if limits.quota_limit is None
            else apigateway.CfnUsagePlan.QuotaSettingsProperty(
                limit=limits.quota_limit, period=limits.quota_period.value
            ),
        )
        apigateway.CfnUsagePlanKey(self, "PlanKey", key_id=key.ref, key_type="API_KEY", usage_plan_id=plan.ref)
        self.api_key = apigateway.ApiKey.from_api_key_id(self, "ApiKey", key.ref)
