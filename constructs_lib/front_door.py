"""FrontDoor: one URL for model endpoints that any OpenAI or TGI client can call, streamed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._quantities import quantity_problems
from constructs_lib._tokens import is_token
from constructs_lib.access import ApiKeyAccess, UsageLimits
from constructs_lib.errors import refuse
from constructs_lib.front_door_api import FrontDoorApi
from constructs_lib.front_door_checks import BUFFERED_SECONDS, STREAMED_SECONDS, FrontDoorArguments, check
from constructs_lib.front_door_function import python_function
from constructs_lib.planning.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_cdk import aws_lambda as lambda_

    from constructs_lib.endpoint import IModelEndpoint

# Where Lambda unpacks the code; the wrapper starts our runtime client in place of the managed one.
_WRAPPER = "/var/task/front_door/run"


class FrontDoor(Construct):
    """A Regional REST API with one function behind it, which sends each request to a SageMaker endpoint.

    It serves TGI's own routes (`POST /`, `/generate`, `/generate_stream`), OpenAI's (`POST /v1/chat/completions`,
    `GET /v1/models`) and `GET /health`. Callers send an API key as `Authorization: Bearer <key>`; read the key with
    `aws apigateway get-api-key --include-value --api-key <door.api_key.key_id>`.

    The gateway checks the key, its rate, burst and quota, and that a JSON body has what its route needs; everything
    else is the function's to answer. Prompts and answers are never logged.

    Args:
        scope: Parent construct.
        id: Identifier in the parent.
        models: The endpoints by the name under which clients ask for them: 1 to 63 letters, digits, dots,
            underscores or hyphens. They must be in this stack's account and Region. Where there are several, each
            request has to name one, which only OpenAI's routes can; where there is one, it answers all.
        streaming: Whether answers are passed on as they are generated. False is for Regions in which API Gateway or
            Lambda does not stream: answers are then collected, within 29 seconds and 6 MB. Default: True.
        timeout: The longest that one request may take, whole seconds; up to 15 minutes streamed, 29 seconds buffered.
            Default: - the longest possible.
        memory_size: Memory of the function in MiB, and CPU in proportion (1769 MiB is one vCPU). Default: 512.
        rate_limit: Requests per second that the key may send steadily, and that the API takes in all before it has
            looked at the key. Default: 10.
        burst_limit: Requests that may arrive at once above the steady rate. Default: 20.
        quota_limit: Requests that the key may send in each period. None: as many as the rate allows. Default: 10 000.
        quota_period: The period of the quota, which starts at midnight UTC. Default: a day.
        cloud_watch_role: Whether to set the role with which API Gateway writes logs in this account and Region,
            without which no stage with an access log can be created. It is one setting for all APIs of the account,
            so it stays when the stack is deleted. Pass False when the account has one, or when another stack in the
            same account and Region sets it. Default: True.
        log_retention: How long the logs of the functions and the access log keep an event. The functions' logs are
            deleted with the stack; the access log stays for its retention. Default: three months.

    Attributes:
        function: The function that serves the routes.
        api: The REST API.
        stage: Its one stage, for a domain name or a web ACL.
        api_key: The key that may call it.

    Raises:
        ConfigurationError: The arguments have problems; all are named together.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        models: Mapping[str, IModelEndpoint],
        streaming: bool = True,
        timeout: Duration | None = None,
        memory_size: float = 512,
        rate_limit: float = 10,
        burst_limit: float = 20,
        quota_limit: float | None = 10_000,
        quota_period: apigateway.Period = apigateway.Period.DAY,
        cloud_watch_role: bool = True,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
    ) -> None:
        arguments = FrontDoorArguments(
            models=models,
            streaming=streaming,
            cloud_watch_role=cloud_watch_role,
            timeout_seconds=_seconds(timeout),
            timeout_is_token=isinstance(timeout, Duration) and timeout.is_unresolved(),
            memory_size=memory_size,
            rate_limit=rate_limit,
            burst_limit=burst_limit,
            quota_limit=quota_limit,
        )
        problems = [
            *check(arguments, is_token),
            *_elsewhere(scope, models),
            *quantity_problems(timeout=timeout),
            *_kind_problems(quota_period, log_retention),
        ]
        refuse(scope, id, problems)
        super().__init__(scope, id)
        timeout = timeout or Duration.seconds(STREAMED_SECONDS if streaming else BUFFERED_SECONDS)
        limits = UsageLimits(
            rate_limit=rate_limit, burst_limit=burst_limit, quota_limit=quota_limit, quota_period=quota_period
        )
        self.function: lambda_.Function = python_function(
            self,
            "Function",
            folder="front_door",
            handler="front_door.buffered.handler",
            description="Sends the requests of a front door to SageMaker endpoints",
            timeout=timeout,
            memory_size=memory_size,
            log_retention=log_retention,
            environment=self._environment(models, streaming=streaming),
        )
        self._grant(models)
        self._api = FrontDoorApi(
            self,
            "Api",
            function=self.function,
            streaming=streaming,
            timeout=timeout,
            limits=limits,
            set_account_role=cloud_watch_role,
            log_retention=log_retention,
        )
        self.api: apigateway.IRestApi = self._api.api
        self.stage: apigateway.IStage = self._api.stage
        access = ApiKeyAccess(
            self,
            "Access",
            rest_api_id=self._api.rest_api_id,
            stage_name=self._api.stage_name,
            limits=limits,
            description=f"Calls {self.node.path}",
        )
        self.api_key: apigateway.IApiKey = access.api_key

    @property
    def url(self) -> str:
        """Base URL of the API, without a slash at its end. OpenAI clients take it with `/v1` added."""
        return self._api.url

    def _environment(self, models: Mapping[str, IModelEndpoint], *, streaming: bool) -> dict[str, str]:
        stack = Stack.of(self)
        described = {
            name: {
                "endpoint_name": endpoint.endpoint_name,
                "model_id": endpoint.model_id,
                "engine": endpoint.engine,
                "max_body_bytes": endpoint.max_body_bytes,
            }
            for name, endpoint in models.items()
        }
        environment = {
            # Not to_json_string, which leaves out what is None. Endpoint names need no escaping.
            "MODELS": json.dumps(described, separators=(",", ":")),
            "SAGEMAKER_RUNTIME_URL": f"https://runtime.sagemaker.{stack.region}.{stack.url_suffix}",
            "SAGEMAKER_URL": f"https://api.sagemaker.{stack.region}.{stack.url_suffix}",
        }
        return environment | ({"AWS_LAMBDA_EXEC_WRAPPER": _WRAPPER} if streaming else {})

    def _grant(self, models: Mapping[str, IModelEndpoint]) -> None:
        endpoints = {endpoint.endpoint_arn: endpoint for endpoint in models.values()}
        for endpoint in endpoints.values():
            endpoint.grant_invoke(self.function)
        # GET /health says whether each endpoint is in service.
        self.function.add_to_role_policy(
            iam.PolicyStatement(actions=["sagemaker:DescribeEndpoint"], resources=list(endpoints))
        )


def _seconds(timeout: Duration | None) -> float | None:
    if not isinstance(timeout, Duration) or timeout.is_unresolved():
        return None
    return timeout.to_milliseconds() / 1000


def _elsewhere(scope: Construct, models: object) -> Iterator[Problem]:
    """Endpoints that the function could not call, since SageMaker knows them by name in one account and Region."""
    stack = Stack.of(scope)
    for name, endpoint in models.items() if isinstance(models, Mapping) else ():
        env = getattr(endpoint, "env", None)
        for what in ("account", "region"):
            here, there = getattr(stack, what), getattr(env, what, None)
            if isinstance(there, str) and there != here and not is_token(there) and not is_token(here):
                word = what.capitalize() if what == "region" else what
                yield Problem(
                    f"models[{name!r}]",
                    there,
                    f"is the {word} of the endpoint, but a front door calls endpoints of its own stack's: {here}",
                    f"Put the front door into a stack of that {word}.",
                )


def _kind_problems(quota_period: object, log_retention: object) -> Iterator[Problem]:
    if not isinstance(quota_period, apigateway.Period):
        yield Problem("quota_period", quota_period, "must be a Period", "Write aws_apigateway.Period.DAY.")
    if not isinstance(log_retention, logs.RetentionDays):
        yield Problem("log_retention", log_retention, "must be RetentionDays", "Write aws_logs.RetentionDays.ONE_WEEK.")
