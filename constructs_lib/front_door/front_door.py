"""FrontDoor: one URL for model endpoints that any OpenAI or TGI client can call, streamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aws_cdk import Annotations, Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._quantities import quantity_problems
from constructs_lib._stack_env import StackEnvironment, environment_of
from constructs_lib._tokens import is_token
from constructs_lib.errors import ConfigurationError, raise_if_any
from constructs_lib.front_door.access import Access
from constructs_lib.front_door.assets import synthesizer_problems
from constructs_lib.front_door.consumers import Consumers
from constructs_lib.front_door.exposure import Exposure
from constructs_lib.front_door.function_environment import environment
from constructs_lib.front_door.lambda_functions import python_function
from constructs_lib.front_door.log_queries import add_queries
from constructs_lib.front_door.metrics import DoorMetrics
from constructs_lib.front_door.model_validation import default_tokens_problems, models_problems, size_problems
from constructs_lib.front_door.part_validation import elsewhere_problems, part_problems
from constructs_lib.front_door.rest_api import STAGE_NAME, FrontDoorApi, FrontDoorApiOptions
from constructs_lib.front_door.validation import BUFFERED_SECONDS, STREAMED_SECONDS, FrontDoorArguments, check
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_lambda as lambda_

    from constructs_lib.endpoint.interface import IModelEndpoint
    from constructs_lib.front_door.consumers import Consumer
    from constructs_lib.front_door.cors import Cors
    from constructs_lib.front_door.domain import Domain
    from constructs_lib.front_door.web_acl import WebAcl


class FrontDoor(Construct, DoorMetrics):
    """A REST API with one function behind it, which sends each request to a SageMaker endpoint.

    It serves TGI's own routes (such as `POST /generate`) and OpenAI's (such as `POST /v1/chat/completions`), describes
    all of them at `GET /openapi.json`, and names its models at `GET /v1/models`. Requests name a model in `model`
    (OpenAI's routes) or below `/models/<name>` (TGI's); where there is one model, they need not.

    The gateway checks access, rate and burst, and that a JSON body has what its route needs; everything else is the
    function's to answer. Prompts and answers are never logged.

    Args:
        scope: Parent construct.
        id: Identifier in the parent.
        models: The endpoints by the name under which clients ask for them: 1 to 63 letters, digits, dots,
            underscores or hyphens. They must be in this stack's account and Region.
        access: Who may call. Default: - `Access.api_keys()`: nobody, until `add_consumer` makes a key.
        streaming: Whether answers are passed on as they are generated. False is for Regions in which API Gateway or
            Lambda does not stream: answers are then collected, within 29 seconds and 6 MB. Default: True.
        timeout: The longest that one request may take, whole seconds; up to 15 minutes streamed, 29 seconds buffered.
            Default: - the longest possible.
        memory_size: Memory of the function in MiB, and CPU in proportion (1769 MiB is one vCPU). Default: 512.
        default_max_tokens: The most tokens that an answer gets whose request does not say how many; less where the
            prompt leaves less of what the model takes. TGI alone would fill its whole context. Default: 1024.
        rate_limit: Requests per second that the API takes in all, steadily. Default: 100.
        burst_limit: Requests that may arrive at once above the steady rate. Default: 200.
        vpc_endpoints: Interface endpoints of `execute-api` through which alone the API can be reached; it has no
            address on the internet then, and clients in those VPCs use `url`. Default: - the internet.
        resource_policy: Conditions on callers beside `access`, such as their addresses, as the document is when the
            front door is made. Where it allows nobody explicitly, it denies whom it names and leaves the others to
            `access`. Default: none.
        web_acl: A firewall before the API. Default: none.
        domain: A name of its own for the API. Default: - API Gateway's.
        cors: Which pages of other origins may call from a browser. Default: - none.
        playground: Whether `GET /` shows a page to try the models with, to anybody; its requests need access as all
            others. Not with `Access.iam()`. Default: False.
        cloud_watch_role: Whether to set the role with which API Gateway writes logs in this account and Region,
            without which no stage with an access log can be created. It is one setting for all APIs of the account,
            so it stays when the stack is deleted. Pass False when the account has one, or when another stack in the
            same account and Region sets it. Default: True.
        log_retention: How long the logs of the functions and the access log keep an event. The functions' logs are
            deleted with the stack; the access log stays for its retention. Default: three months.

    Attributes:
        function: The function that serves the routes.
        api: The REST API.
        stage: Its one stage.

    Raises:
        ConfigurationError: The arguments have problems; all are named together.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        models: Mapping[str, IModelEndpoint],
        access: Access | None = None,
        streaming: bool = True,
        timeout: Duration | None = None,
        memory_size: float = 512,
        default_max_tokens: int | None = None,
        rate_limit: float = 100,
        burst_limit: float = 200,
        vpc_endpoints: Sequence[ec2.IVpcEndpoint] | None = None,
        resource_policy: iam.PolicyDocument | None = None,
        web_acl: WebAcl | None = None,
        domain: Domain | None = None,
        cors: Cors | None = None,
        playground: bool = False,
        cloud_watch_role: bool = True,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
    ) -> None:
        place = environment_of(scope)
        access = Access.api_keys() if access is None else access
        exposure = Exposure(
            vpc_endpoints=vpc_endpoints, resource_policy=resource_policy, web_acl=web_acl, domain=domain
        )
        arguments = FrontDoorArguments(
            streaming=streaming,
            cloud_watch_role=cloud_watch_role,
            playground=playground,
            signed=getattr(access, "uses_iam", False),
            timeout_seconds=_seconds(timeout),
            timeout_is_token=isinstance(timeout, Duration) and timeout.is_unresolved(),
            memory_size=memory_size,
            rate_limit=rate_limit,
            burst_limit=burst_limit,
        )
        problems = [
            *models_problems(models),
            *check(arguments, is_token),
            *elsewhere_problems(place, models),
            *quantity_problems(timeout=timeout),
            *part_problems(place, access=access, exposure=exposure, cors=cors, log_retention=log_retention),
        ]
        if not any(found.keyword.startswith("models") for found in problems):
            problems += default_tokens_problems(default_max_tokens, models, is_token)
        variables: dict[str, str] = {}
        if not problems:
            variables = environment(
                models,
                default_max_tokens=default_max_tokens,
                cors_origins=cors.allowed_origins if cors else None,
                playground=playground,
                api_keys=access.uses_api_keys,
                streaming=streaming,
                urls=_sagemaker_urls(place),
            )
            problems += size_problems(len(models), variables)
        if problems:
            problems += synthesizer_problems(place)
        raise_if_any(scope, id, problems)
        super().__init__(scope, id)
        self._access = access
        self._domain = domain
        self._models = tuple(models)
        timeout = timeout or Duration.seconds(STREAMED_SECONDS if streaming else BUFFERED_SECONDS)
        try:
            self.function: lambda_.Function = python_function(
                self,
                "Function",
                folder="front_door",
                handler="front_door.lambda_runtime.managed.handler",
                description="Sends the requests of a front door to SageMaker endpoints",
                timeout=timeout,
                memory_size=memory_size,
                log_retention=log_retention,
                environment=variables,
            )
        except RuntimeError:  # the CDK refuses the code: see whether it is for the synthesizer
            found = list(synthesizer_problems(place))
            if not found:
                raise
            scope.node.try_remove_child(id)
            raise ConfigurationError(self.node.path, found) from None
        self._permit(models)
        self._api = FrontDoorApi(
            self,
            "Api",
            function=self.function,
            options=FrontDoorApiOptions(
                access=access,
                exposure=exposure,
                cors=cors,
                playground=playground,
                streaming=streaming,
                timeout=timeout,
                rate_limit=rate_limit,
                burst_limit=burst_limit,
                set_account_role=cloud_watch_role,
                log_retention=log_retention,
            ),
        )
        self.api: apigateway.IRestApi = self._api.api
        self.stage: apigateway.IStage = self._api.stage
        exposure.bind(self, access, rest_api_id=self._api.rest_api_id, stage_name=self._api.stage_name)
        self._consumers = Consumers(
            self,
            "Consumers",
            access=access,
            rest_api_id=self._api.rest_api_id,
            stage_name=self._api.stage_name,
            rate_limit=rate_limit,
            burst_limit=burst_limit,
        )
        add_queries(self, function=self.function)
        if access.warning:
            Annotations.of(self).add_warning_v2(access.warning.id, access.warning.message)

    @property
    def url(self) -> str:
        """The URL under which the routes are, without a slash at its end. OpenAI's clients take it with `/v1` added."""
        return f"https://{self._domain.name}" if self._domain else self._api.url

    def add_consumer(
        self,
        id: str,
        *,
        rate: float | None = None,
        burst: float | None = None,
        monthly_requests: float | None = None,
    ) -> Consumer:
        """Give a consumer an API key of its own, with its own usage plan.

        Only for an access that asks for keys: `Access.api_keys()`, or `Access.authorizer(…, usage_plans=True)`, whose
        function has to name the key's value.

        Args:
            id: The consumer's name, among all of this front door's. Another name makes another key.
            rate: Requests per second that it may send steadily. Default: as many as the whole front door takes.
            burst: Requests that may arrive at once above the rate. Default: as many as the whole front door takes.
            monthly_requests: Requests that it may send in a calendar month (UTC). Default: as many as the rate allows.

        Raises:
            ConfigurationError: This front door asks for no keys, it has a consumer of that name, or a limit is wrong.
        """
        return self._consumers.add(id, rate=rate, burst=burst, monthly_requests=monthly_requests)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow to call every route, for a front door with `Access.iam()`.

        Args:
            grantee: Who may call; of another account, it also needs a `resource_policy` that allows it.

        Raises:
            ConfigurationError: IAM does not decide who may call this front door.
        """
        if not self._access.uses_iam:
            message = f"IAM does not decide who may call: the access is {self._access.words}"
            raise ConfigurationError(
                self.node.path, [Problem("grantee", grantee, message, "Give the front door Access.iam().")]
            )
        stage = f"{self._api.rest_api_id}/{STAGE_NAME}"
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["execute-api:Invoke"],
            resource_arns=[environment_of(self).arn("execute-api", f"{stage}/*")],
        )

    def _permit(self, models: Mapping[str, IModelEndpoint]) -> None:
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


def _sagemaker_urls(place: StackEnvironment) -> dict[str, str]:
    domain = f"{place.region}.{place.url_suffix}"
    return {
        "SAGEMAKER_RUNTIME_URL": f"https://runtime.sagemaker.{domain}",
        "SAGEMAKER_URL": f"https://api.sagemaker.{domain}",
    }
