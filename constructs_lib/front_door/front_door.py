"""FrontDoor: one URL for model endpoints that any OpenAI or TGI client can call, with streaming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aws_cdk import Annotations, Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct, Node

from constructs_lib._lazy import late_string
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import is_token
from constructs_lib.errors import ConfigurationError, raise_if_any
from constructs_lib.front_door.access import Access
from constructs_lib.front_door.arguments import FrontDoorArguments
from constructs_lib.front_door.assets import lambda_root, synthesizer_problems
from constructs_lib.front_door.consumers import DEFAULT_BURST, DEFAULT_RATE, Consumers
from constructs_lib.front_door.endpoints import served_by
from constructs_lib.front_door.exposure import Exposure
from constructs_lib.front_door.function_environment import (
    PLAYGROUND_FILE,
    render_deployed_values,
    render_environment,
    sagemaker_urls,
    size_problems,
)
from constructs_lib.front_door.lambda_functions import python_function
from constructs_lib.front_door.layers import file_layer
from constructs_lib.front_door.log_queries import add_queries
from constructs_lib.front_door.metrics import FrontDoorMetrics
from constructs_lib.front_door.models_file import MODELS_PATH, render_models
from constructs_lib.front_door.playground_page import render_page
from constructs_lib.front_door.rest_api import STAGE_NAME, FrontDoorApi
from constructs_lib.front_door.validation import validate
from constructs_lib.planning.cost import DEFAULT_MEMORY_MIB
from constructs_lib.planning.summary import FRONT_DOOR_METADATA
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_lambda as lambda_

    from constructs_lib.endpoint.interface import IModelEndpoint
    from constructs_lib.front_door.access.base import AccessMethod
    from constructs_lib.front_door.consumers import Consumer
    from constructs_lib.front_door.cors import Cors
    from constructs_lib.front_door.domain import Domain
    from constructs_lib.front_door.web_acl import WebAcl


class FrontDoor(Construct, FrontDoorMetrics):
    """A REST API backed by one function, which sends each request to a SageMaker endpoint.

    It serves TGI's routes (such as `POST /generate`) and OpenAI's (such as `POST /v1/chat/completions`), describes them
    all at `GET /openapi.json`, and lists its models at `GET /v1/models`. A request names its model in the field `model`
    (OpenAI's routes) or in the path, below `/models/<name>`; it may omit the name if there is only one model.

    API Gateway checks access, rate and burst; the function validates every request and answers in the protocol of its
    client. Prompts and answers are never logged.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        models: The endpoints by the names that clients use for their models: 1 to 63 letters, digits, dots,
            underscores or hyphens. The endpoints must be in this stack's account and Region; one that another stack
            creates needs the same `env` there, or an `endpoint_name`. At most 100 endpoints, or about 50 that get their
            names at deployment.
        access: Who may call. Default: `Access.api_keys()`, with which nobody can call before `add_consumer` creates a
            key.
        streaming: Whether answers are streamed. False is for Regions without response streaming in API Gateway or
            Lambda: answers are then non-streaming, within 29 seconds and 6 MB. Default: True.
        timeout: Time limit of one request in whole seconds: up to 15 minutes with streaming, 29 seconds without.
            Default: the maximum.
        memory_size: Memory of the function in MiB, with CPU in proportion (1769 MiB is one vCPU). Each open stream
            takes an environment of that size, and its price. Default: 256, with which a cold start takes about 0.9
            seconds, as projected in docs/scaling.md, and the largest request fits.
        default_max_tokens: Token limit of an answer whose request has none; less if the prompt leaves less of the
            model's context. TGI by itself would fill its entire context. Default: 1024.
        rate_limit: Requests per second that the API accepts steadily, from all callers together. Default: 100.
        burst_limit: Requests that may arrive at once above the steady rate. Default: 200.
        vpc_endpoints: Interface VPC endpoints for `execute-api`. They make the API private: clients in their VPCs reach
            it at `url`, and nobody else reaches it. Default: a public API.
        resource_policy: Further conditions on callers, such as their IP addresses, as the document is when the front
            door is created. Without an Allow statement, it denies the callers that it names and leaves the others to
            `access`. Default: none.
        web_acl: An AWS WAF web ACL. Default: none.
        domain: A custom domain name. Default: API Gateway's.
        cors: The origins whose pages may call from a browser, with any headers. Default: none.
        playground: Whether `GET /` serves anybody a page for trying the models; its requests need access like all
            others. Cannot be used with `Access.iam()`. Default: False.
        cloud_watch_role: Whether to set the role that API Gateway writes logs with in this account and Region; without
            one, no stage with an access log can be created. It is one setting for all APIs of the account, so it is
            retained when the stack is deleted. Pass False if the account has one, or if another front door in the
            same account and Region sets it; one of the same stack must be created first. Default: True.
        log_retention: How long the logs of the functions and the access log keep an event. The functions' logs are
            deleted with the stack; the access log is retained. Default: three months.

    Attributes:
        function: The function that serves the routes.
        memory_size: The function's memory in MiB.
        api: The REST API.
        stage: Its only stage.

    Raises:
        ConfigurationError: The arguments have problems; it lists all of them.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        models: Mapping[str, IModelEndpoint],
        access: AccessMethod | None = None,
        streaming: bool = True,
        timeout: Duration | None = None,
        memory_size: float = DEFAULT_MEMORY_MIB,
        default_max_tokens: int | None = None,
        rate_limit: float = DEFAULT_RATE,
        burst_limit: float = DEFAULT_BURST,
        vpc_endpoints: Sequence[ec2.IVpcEndpoint] | None = None,
        resource_policy: iam.PolicyDocument | None = None,
        web_acl: WebAcl | None = None,
        domain: Domain | None = None,
        cors: Cors | None = None,
        playground: bool = False,
        cloud_watch_role: bool = True,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
    ) -> None:
        access = Access.api_keys() if access is None else access
        exposure = Exposure(
            vpc_endpoints=vpc_endpoints, resource_policy=resource_policy, web_acl=web_acl, domain=domain
        )
        arguments = FrontDoorArguments(
            models=models,
            access=access,
            exposure=exposure,
            cors=cors,
            streaming=streaming,
            timeout=timeout,
            memory_size=memory_size,
            default_max_tokens=default_max_tokens,
            rate_limit=rate_limit,
            burst_limit=burst_limit,
            playground=playground,
            cloud_watch_role=cloud_watch_role,
            log_retention=log_retention,
        )
        variables = _validated_environment(scope, id, arguments)
        super().__init__(scope, id)
        self._access, self._domain = access, domain
        self._models: dict[str, IModelEndpoint] = dict(models)
        self.memory_size = memory_size
        self._add_resources(arguments, variables)

    def _add_resources(self, arguments: FrontDoorArguments, variables: Mapping[str, str]) -> None:
        access = arguments.access
        self.function: lambda_.Function = self._add_function(arguments, variables)
        self._add_models()
        if arguments.playground:
            self._add_playground()
        self._allow_invocations(arguments.models)
        self._api = FrontDoorApi(self, "Api", function=self.function, arguments=arguments)
        self.api: apigateway.IRestApi = self._api.api
        self.stage: apigateway.IStage = self._api.stage
        rest_api_id, stage_name = self._api.rest_api_id, self._api.stage_name
        arguments.exposure.bind(self, access, rest_api_id=rest_api_id, stage_name=stage_name)
        self._consumers = Consumers(
            self,
            "Consumers",
            access=access,
            rest_api_id=rest_api_id,
            stage_name=stage_name,
            rate_limit=arguments.rate_limit,
            burst_limit=arguments.burst_limit,
        )
        add_queries(self, function=self.function)
        self._add_metadata()
        if access.warning:
            Annotations.of(self).add_warning_v2(access.warning.id, access.warning.message)

    def _add_function(self, arguments: FrontDoorArguments, variables: Mapping[str, str]) -> lambda_.Function:
        try:
            return python_function(
                self,
                "Function",
                folder="front_door",
                handler="front_door.lambda_runtime.managed.handler",
                description="Sends the requests of a front door to SageMaker endpoints",
                timeout=arguments.timeout_or_default(),
                memory_size=arguments.memory_size,
                log_retention=arguments.log_retention,
                environment=variables,
            )
        except RuntimeError:  # The CDK rejects the code. Whether for the synthesizer is only asked now: see there.
            problems = list(synthesizer_problems(environment_of(self)))
            scope = self.node.scope
            if not problems or scope is None:
                raise
            scope.node.try_remove_child(self.node.id)
            raise ConfigurationError(self.node.path, problems) from None

    def _add_metadata(self) -> None:
        """Leave in the cloud assembly what `python -m constructs_lib summary` works out the price from."""
        memory = None if is_token(self.memory_size) else self.memory_size
        paths = {Node.of(endpoint).path for endpoint in self._models.values() if isinstance(endpoint, Construct)}
        self.node.add_metadata(FRONT_DOOR_METADATA, {"memory_mib": memory, "endpoints": sorted(paths)})

    def _add_models(self) -> None:
        """Give the function its models, as they are at synthesis."""
        self.function.add_layers(
            file_layer(
                self,
                "Models",
                path=MODELS_PATH,
                render=lambda: render_models(self._models).text,
                description="The models of a front door",
            )
        )
        self.function.add_environment("DEPLOYED_VALUES", late_string(lambda: render_deployed_values(self._models)))

    def _add_playground(self) -> None:
        page = render_page(lambda_root() / "playground")
        description = "The page of a front door for trying its models"
        layer = file_layer(self, "Playground", path=PLAYGROUND_FILE, render=lambda: page, description=description)
        self.function.add_layers(layer)

    @property
    def url(self) -> str:
        """The base URL of the routes, without a slash at its end. OpenAI clients take it with `/v1` appended."""
        return f"https://{self._domain.name}" if self._domain else self._api.url

    def add_consumer(
        self,
        id: str,
        *,
        rate: float | None = None,
        burst: float | None = None,
        monthly_requests: float | None = None,
    ) -> Consumer:
        """Create a consumer with its own API key and usage plan.

        Requires an access method with API keys: `Access.api_keys()`, or `Access.authorizer(…, usage_plans=True)`, whose
        function must return the value of the key.

        Args:
            id: The consumer's name, unique within this front door. Changing it creates another key.
            rate: Requests per second that it may send steadily. Default: the front door's `rate_limit`.
            burst: Requests that may arrive at once above the rate. Default: the front door's `burst_limit`.
            monthly_requests: Requests that it may send in a calendar month (UTC). Default: unlimited.

        Raises:
            ConfigurationError: This front door uses no API keys or has a consumer of that name, or a limit is invalid.
        """
        return self._consumers.add(id, rate=rate, burst=burst, monthly_requests=monthly_requests)

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a grantee to call every route. Requires `Access.iam()`.

        Args:
            grantee: The principal that may call; one of another account also needs a `resource_policy` that allows it.

        Raises:
            ConfigurationError: The front door uses another access method.
        """
        if not self._access.uses_iam:
            message = f"requires Access.iam(): the front door uses {self._access.display_name}"
            raise ConfigurationError(
                self.node.path, [Problem("grantee", grantee, message, "Give the front door Access.iam().")]
            )
        stage = f"{self._api.rest_api_id}/{STAGE_NAME}"
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["execute-api:Invoke"],
            resource_arns=[environment_of(self).arn("execute-api", f"{stage}/*")],
        )

    def _allow_invocations(self, models: Mapping[str, IModelEndpoint]) -> None:
        described: set[str] = set()
        # Several models may be components of one endpoint, each with an ARN of its own to be called by.
        for endpoint in {served_by(endpoint): endpoint for endpoint in models.values()}.values():
            endpoint.grant_invoke(self.function)
            if endpoint.endpoint_arn in described:
                continue
            described.add(endpoint.endpoint_arn)
            # GET /health reports whether each endpoint is in service. A statement for each, as the CDK moves those that
            # exceed the size of an inline policy to managed policies, and does not divide them.
            self.function.add_to_role_policy(
                iam.PolicyStatement(actions=["sagemaker:DescribeEndpoint"], resources=[endpoint.endpoint_arn])
            )


def _validated_environment(scope: Construct, id: str, arguments: FrontDoorArguments) -> dict[str, str]:
    """The environment variables of the function.

    Raises:
        ConfigurationError: The arguments have problems, or the variables exceed Lambda's limit.
    """
    environment = environment_of(scope)
    if problems := validate(environment, arguments):
        raise_if_any(scope, id, [*problems, *synthesizer_problems(environment)])
    origins = arguments.cors.allowed_origins if arguments.cors else None
    variables = render_environment(
        default_max_tokens=arguments.default_max_tokens,
        cors_origins=origins,
        playground=arguments.playground,
        api_keys=arguments.access.uses_api_keys,
        streaming=arguments.streaming,
        urls=sagemaker_urls(environment),
    )
    if problems := list(size_problems(variables, arguments.models, origins or ())):
        raise_if_any(scope, id, [*problems, *synthesizer_problems(environment)])
    return variables
