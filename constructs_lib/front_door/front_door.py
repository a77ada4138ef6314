"""FrontDoor: one URL for model endpoints that any OpenAI, Anthropic or TGI client can call, with streaming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from aws_cdk import Annotations, Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._arguments import seconds
from constructs_lib._stack_env import environment_of, node_of, share_environment
from constructs_lib._tokens import is_token
from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.access import Access
from constructs_lib.front_door.arguments import FrontDoorArguments
from constructs_lib.front_door.callers_file import Callers, ConsumerLimits
from constructs_lib.front_door.consumer_rules import ORIGINAL_KEY
from constructs_lib.front_door.consumers import DEFAULT_BURST, DEFAULT_RATE, Consumers
from constructs_lib.front_door.exposure import Exposure
from constructs_lib.front_door.function import add_function, measured_variables, validated_environment
from constructs_lib.front_door.function_network import FunctionNetwork
from constructs_lib.front_door.hardened import hardened_concurrency
from constructs_lib.front_door.log_queries import add_queries
from constructs_lib.front_door.protection import protect
from constructs_lib.front_door.rest_api import STAGE_NAME, FrontDoorApi
from constructs_lib.front_door.rollback_alarms import give_rollback_alarms
from constructs_lib.front_door.routed_models import all_endpoints, is_routed
from constructs_lib.front_door.watched import WatchedFrontDoor
from constructs_lib.front_door.web_acl import WebAcl
from constructs_lib.planning.cost import DEFAULT_MEMORY_MIB
from constructs_lib.planning.summary import FRONT_DOOR_METADATA
from constructs_lib.planning.validation.problem import Problem

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from constructs import Node

    from constructs_lib.endpoint.interface import IModelEndpoint
    from constructs_lib.front_door.access.base import AccessMethod
    from constructs_lib.front_door.consumer import Consumer
    from constructs_lib.front_door.cors import Cors
    from constructs_lib.front_door.domain import Domain
    from constructs_lib.front_door.routed_models import RoutedModel


class FrontDoor(Construct, WatchedFrontDoor):
    """A REST API backed by one function, which sends each request to a SageMaker endpoint.

    It serves TGI's routes (such as `POST /generate`), OpenAI's (`POST /v1/chat/completions`, `POST /v1/responses`) and
    Anthropic's (`POST /v1/messages`), describes them all at `GET /openapi.json`, and lists its models at
    `GET /v1/models`. A request names its model in the field `model` (OpenAI's and Anthropic's routes) or in the path,
    below `/models/<name>`; it may omit the name if there is only one model. A LoRA adapter is named `<name>:<adapter>`.

    For models on TGI all are translated or passed on. For models on vLLM, SGLang, LMI and other containers that speak
    OpenAI's protocol, chats and completions are passed on, as far as the container has them; responses and messages
    become chats. TGI's are translated where the container completes prompts, and answer 501 elsewhere.

    API Gateway checks access, rate and burst; the function validates every request and answers in the protocol of its
    client. Prompts and answers are never logged.

    Args:
        scope: Parent construct.
        id: Identifier within the parent.
        models: The endpoints by the names that clients use for their models: 1 to 63 letters, digits, dots,
            underscores or hyphens. Several endpoints may have one name: `Split` divides its callers, `Fallback` goes
            to the next endpoint if one refuses, `Mirror` copies requests for another one. The endpoints must be in this
            stack's account and Region, those of a Split, Fallback or Mirror in any Region; one that another stack
            creates needs the same `env` there, or an `endpoint_name`. At most 100 endpoints, or about 50 that get their
            names at deployment.
        access: Who may call. Default: `Access.api_keys()`, with which nobody can call before `add_consumer` creates a
            key.
        streaming: Whether answers are streamed. False is for Regions without response streaming in API Gateway or
            Lambda: answers are then non-streaming, within 29 seconds and 6 MB. Default: True.
        timeout: Time limit of one request in whole seconds: up to 15 minutes with streaming, 29 seconds without.
            Default: the maximum.
        memory_size: Memory of the function in MiB, with CPU in proportion (1769 MiB is one vCPU). Each open stream
            takes an environment of that size, and its price. Default: 256, with which a cold start takes less than a
            second, as docs/scaling.md projects it, and the largest request fits.
        default_max_tokens: Token limit of an answer whose request has none; less if the prompt leaves less of the
            model's context. TGI by itself would fill its entire context. Default: 1024.
        model_aliases: What other names that clients send stand for, such as `{"claude-*": "llama", "gpt-*": "llama"}`:
            an alias is a name, or how names begin and a star; it stands for a model, or for `<name>:<adapter>`. Names
            and hub ids of models count first, then whole names, then the longest beginning. Aliases are not listed.
            Default: none.
        count_tokens: The names of the models for which `POST /v1/messages/count_tokens` answers, with the exact number:
            each request makes the model read the prompt. Default: none.
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
        on_store_failure: What a consumer with limits on tokens or streams gets while the table that counts them cannot
            be used. `open`: answers, which are not counted; `closed`: 503. Default: `open`.
        on_wake: What a client gets whose model has zero copies (`ScaleToZero`). `hold`: it waits until the model
            answers or the timeout is near; the model must wake within the timeout, and answers must be streamed.
            Default: 503 with the time that the wake takes.
        wake: Whether `POST /models/<name>/wake` starts a model that has zero copies, and says how long that takes.
            Default: False.
        playground: Whether `GET /` serves anybody a page for trying the models; its requests need access like all
            others. Cannot be used with `Access.iam()`. Default: False.
        mirror_concurrency: Reserved concurrency of the function that sends the copies of a `Mirror`: so many run at the
            same time; more wait for at most a minute and are then dropped. The account must have it beside the 100 that
            Lambda keeps unreserved. Default: 10.
        mirror_timeout: Time limit of one copy in whole seconds, at most 15 minutes. Default: 5 minutes.
        cloud_watch_role: Whether to set the role that API Gateway writes logs with in this account and Region; without
            one, no stage with an access log can be created. It is one setting for all APIs of the account, so it is
            retained when the stack is deleted. Pass False if the account has one, or if another front door in the
            same account and Region sets it; one of the same stack must be created first. Default: True.
        log_retention: How long the logs of the functions and the access log keep an event. The functions' logs are
            deleted with the stack; the access log is retained. Default: three months; a year if `hardened`.
        encryption_key: A symmetric key of AWS KMS that encrypts all logs and the functions' environments. Its policy
            gets a statement for CloudWatch Logs; the policy of an imported key must have it, as a warning says.
            Default: keys of AWS.
        vpc: VPC in which the functions have their network interfaces; that of the smoke test stays outside. Default:
            outside any VPC.
        vpc_subnets: Subnets for the network interfaces, which have private addresses only. Each must reach SageMaker,
            and Lambda if a model has a `Mirror`: by a route to a NAT gateway, or by VPC endpoints. Default: the VPC's
            private subnets.
        security_groups: Security groups of the network interfaces; they need no inbound rule. Default: a new one that
            lets nothing in, and out to port 443 alone.
        service_endpoints: Whether to create the interface VPC endpoints of the services that the functions call, as far
            as this app has none in the VPC. They have private DNS, so that the whole VPC uses them; one that others
            have created there makes the deployment fail. Default: False.
        reserved_concurrency: Reserved concurrency of the function: so many requests are open at the same time, and no
            more; an answer is one until its last token. The account must have it beside the 100 that Lambda keeps
            unreserved. Default: no reservation, all functions of the account share its concurrency; as many as
            `rate_limit` says if `hardened`.
        execution_logging: Whether API Gateway logs the errors of its executions, without bodies or headers, into a log
            group with the same retention and key that is deleted with the stack. Default: False; True if `hardened`.
        hardened: Whether to protect the front door as common rule packs demand: it requires `encryption_key` and `vpc`,
            and gives `reserved_concurrency`, `execution_logging`, `log_retention` and `web_acl` (`WebAcl.managed()`)
            other defaults. Default: False.

    Attributes:
        memory_size: The function's memory in MiB.
        rest_api_id: Id of the REST API.

    Raises:
        ConfigurationError: The arguments have problems; it lists all of them.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        models: Mapping[str, RoutedModel],
        access: AccessMethod | None = None,
        streaming: bool = True,
        timeout: Duration | None = None,
        memory_size: float = DEFAULT_MEMORY_MIB,
        default_max_tokens: int | None = None,
        model_aliases: Mapping[str, str] | None = None,
        count_tokens: Sequence[str] | None = None,
        rate_limit: float = DEFAULT_RATE,
        burst_limit: float = DEFAULT_BURST,
        vpc_endpoints: Sequence[ec2.IVpcEndpoint] | None = None,
        resource_policy: iam.PolicyDocument | None = None,
        web_acl: WebAcl | None = None,
        domain: Domain | None = None,
        cors: Cors | None = None,
        on_store_failure: Literal["open", "closed"] = "open",
        on_wake: Literal["hold"] | None = None,
        wake: bool = False,
        playground: bool = False,
        mirror_concurrency: float | None = None,
        mirror_timeout: Duration | None = None,
        cloud_watch_role: bool = True,
        log_retention: logs.RetentionDays | None = None,
        encryption_key: kms.IKey | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        service_endpoints: bool = False,
        reserved_concurrency: float | None = None,
        execution_logging: bool | None = None,
        hardened: bool = False,
    ) -> None:
        access = Access.api_keys() if access is None else access
        if hardened is True:
            web_acl = WebAcl.managed() if web_acl is None else web_acl
            log_retention = logs.RetentionDays.ONE_YEAR if log_retention is None else log_retention
            execution_logging = True if execution_logging is None else execution_logging
            reserved_concurrency = (
                hardened_concurrency(rate_limit) if reserved_concurrency is None else reserved_concurrency
            )
        exposure = Exposure(
            vpc_endpoints=vpc_endpoints, resource_policy=resource_policy, web_acl=web_acl, domain=domain
        )
        network = FunctionNetwork(vpc, vpc_subnets, security_groups, service_endpoints=service_endpoints)
        arguments = FrontDoorArguments(
            models=models,
            access=access,
            exposure=exposure,
            cors=cors,
            streaming=streaming,
            timeout=timeout,
            memory_size=memory_size,
            default_max_tokens=default_max_tokens,
            model_aliases=model_aliases,
            count_tokens=count_tokens,
            rate_limit=rate_limit,
            burst_limit=burst_limit,
            on_store_failure=on_store_failure,
            on_wake=on_wake,
            wake=wake,
            playground=playground,
            mirror_concurrency=mirror_concurrency,
            mirror_timeout=mirror_timeout,
            cloud_watch_role=cloud_watch_role,
            log_retention=logs.RetentionDays.THREE_MONTHS if log_retention is None else log_retention,
            encryption_key=encryption_key,
            network=network,
            reserved_concurrency=reserved_concurrency,
            execution_logging=False if execution_logging is None else execution_logging,
            hardened=hardened,
        )
        variables = validated_environment(scope, id, arguments)
        super().__init__(scope, id)
        share_environment(self, scope)
        self._access, self._domain = access, domain
        self._holds_clients = on_wake is not None
        self._models: dict[str, RoutedModel] = dict(models)
        self.memory_size: float = memory_size
        self._has_smoke_test = False
        self._add_resources(arguments, variables)

    def _add_resources(self, arguments: FrontDoorArguments, variables: Mapping[str, str]) -> None:
        access, node = arguments.access, self.node
        path = node.path
        self._protection = protection = protect(self, arguments)
        callers = Callers(models_by_scope=access.models_by_scope, on_store_failure=arguments.on_store_failure)
        self._function, self._mirror = add_function(
            self,
            arguments=arguments,
            protection=protection,
            variables=variables,
            models=self._models,
            callers=callers,
        )
        self._api = FrontDoorApi(
            self, "Api", path=path, function=self._function, arguments=arguments, protection=protection
        )
        self.rest_api_id: str = self._api.rest_api_id
        stage_name = self._api.stage_name
        arguments.exposure.bind(self, access, rest_api_id=self.rest_api_id, stage_name=stage_name)
        self._consumers = Consumers(
            self,
            "Consumers",
            path=path,
            arguments=arguments,
            rest_api_id=self.rest_api_id,
            stage_name=stage_name,
            function=self._function,
            variables=measured_variables(variables, self._models),
            callers=callers,
        )
        log_group_name = self._function.log_group_name
        add_queries(self, path=path, log_group_name=log_group_name, models=self._models, mirror=self._mirror)
        give_rollback_alarms(self, self._models)
        self._add_metadata(node)
        if any(is_routed(model) for model in self._models.values()):
            self._add_target_warnings()
        if access.warning:
            Annotations.of(self).add_warning_v2(access.warning.id, access.warning.message)

    def _add_metadata(self, node: Node) -> None:
        """Leave in the cloud assembly what `python -m constructs_lib summary` works out the price from."""
        memory = None if is_token(self.memory_size) else self.memory_size
        paths = {node_of(endpoint).path for endpoint in self.endpoints if isinstance(endpoint, Construct)}
        node.add_metadata(FRONT_DOOR_METADATA, {"memory_mib": memory, "endpoints": sorted(paths)})

    def _add_target_warnings(self) -> None:
        # Imported here, as few front doors choose among endpoints.
        from constructs_lib.front_door.targets import target_warnings

        for warning in target_warnings(self._models):
            Annotations.of(self).add_warning_v2(warning.id, warning.message)

    @property
    def url(self) -> str:
        """The base URL of the routes, without a slash at its end. OpenAI clients take it with `/v1` appended."""
        return f"https://{self._domain.name}" if self._domain else self._api.url

    @property
    def function(self) -> lambda_.IFunction:
        """The function that serves the routes. Its resource is `function_resource`."""
        return self._function.construct

    @property
    def function_resource(self) -> lambda_.CfnFunction:
        """The function's resource, for properties that the front door has no argument for."""
        return self._function.resource

    @property
    def log_group_name(self) -> str:
        """Name of the function's log group."""
        return self._function.log_group_name

    @property
    def models(self) -> Mapping[str, RoutedModel]:
        """The endpoints, or what chooses among several, by the names that clients use for their models."""
        return self._models

    @property
    def endpoints(self) -> tuple[IModelEndpoint, ...]:
        """All endpoints of the models, each once: also those of a Split, a Fallback or a Mirror."""
        return all_endpoints(self._models.values())

    @property
    def api(self) -> apigateway.IRestApi:
        """The REST API."""
        return self._api.api

    @property
    def stage(self) -> apigateway.IStage:
        """The only stage of the REST API."""
        return self._api.stage

    @property
    def api_name(self) -> str:
        """Name of the REST API, which is a dimension of API Gateway's metrics."""
        # API Gateway leaves other characters out of the dimension.
        return self._api.name.encode("ascii", "ignore").decode()

    def add_consumer(
        self,
        id: str,
        *,
        rate: float | None = None,
        burst: float | None = None,
        monthly_requests: float | None = None,
        models: Sequence[str] | None = None,
        tokens_per_minute: int | None = None,
        concurrent_streams: int | None = None,
        tokens_per_day: int | None = None,
        tokens_per_month: int | None = None,
        keys: Sequence[str] = (ORIGINAL_KEY,),
    ) -> Consumer:
        """Create a consumer with its own API key and usage plan.

        Requires an access method with API keys: `Access.api_keys()`, or `Access.authorizer(…, usage_plans=True)`, whose
        function must return the value of the key.

        API Gateway applies `rate`, `burst` and `monthly_requests` to each key by itself. The function applies the other
        limits to the consumer, whichever of its keys is sent. It counts tokens and streams in a DynamoDB table, which
        the front door has once a consumer has such a limit: before a request runs it reserves the tokens that the
        request may take, and afterwards corrects that to those it took. What exceeds a limit is answered with 429.

        Args:
            id: The consumer's name, unique within this front door. Changing it creates another key.
            rate: Requests per second that each key may send steadily. Default: the front door's `rate_limit`.
            burst: Requests of each key that may arrive at once above the rate. Default: the front door's `burst_limit`.
            monthly_requests: Requests that each key may send in a calendar month (UTC). Default: unlimited.
            models: The names of the models that it may use, each with its adapters. The other models are not listed for
                it, and requests to them are answered with 403. Default: all models.
            tokens_per_minute: Tokens of prompts and answers together in a minute of the clock. Default: unlimited.
            concurrent_streams: Requests that may run at the same time. Default: unlimited.
            tokens_per_day: Tokens in a day, which begins at 00:00 UTC. Default: unlimited.
            tokens_per_month: Tokens in a calendar month, which begins at 00:00 UTC. Default: unlimited.
            keys: The names of its keys, one or two, which are all valid. The values are generated and kept in Secrets
                Manager (`Consumer.secrets`), but for the key `original`, whose value API Gateway alone has. To rotate a
                key, add the name of another one, move the clients to it, and remove the first name. Default:
                `original`.

        Raises:
            ConfigurationError: This front door uses no API keys or has a consumer of that name, a limit or a name is
                invalid, or there are more keys than the function's environment has room for.
        """
        limits = ConsumerLimits(
            models=models,
            tokens_per_minute=tokens_per_minute,
            concurrent_streams=concurrent_streams,
            tokens_per_day=tokens_per_day,
            tokens_per_month=tokens_per_month,
        )
        return self._consumers.add(
            id, rate=rate, burst=burst, monthly_requests=monthly_requests, limits=limits, keys=keys
        )

    def add_smoke_test(self, *, timeout: Duration | None = None) -> None:
        """Fail a deployment, so that CloudFormation rolls it back, if a model gives no token.

        A custom resource invokes the front door's function after each deployment that changes how a model answers: its
        Model, EndpointConfig, Endpoint or inference component, or the function. Each model is asked for a short
        completion: each endpoint of a Split, Fallback or Mirror, and each variant of an endpoint, whatever its weight.
        What may pass, such as a model that is still loading, is asked for again. The message of a failure has the last
        error, the plan's likeliest causes and links to the logs. During a rollback nothing is tested.

        Models with `scale_to_zero`, imported endpoints and endpoints of other stacks are left out, and an info of the
        synthesis says so; without any other model there is no test. Stacks nested in one parent count as one.

        Args:
            timeout: How long to ask, from 10 seconds to 14 minutes. Default: as long as the slowest of the models takes
                to load on a new instance, at most 14 minutes.

        Raises:
            ConfigurationError: There is a smoke test already, or the timeout is invalid.
        """
        # Imported here, as it costs time and not every front door has one.
        from constructs_lib.front_door.smoke_test import add_smoke_test, smoke_test_problems

        if problems := smoke_test_problems(timeout, is_second=self._has_smoke_test):
            raise ConfigurationError(self.node.path, problems)
        self._has_smoke_test = add_smoke_test(
            self,
            function=self._function,
            mirror=self._mirror,
            models=self._models,
            limit=seconds(timeout),
            protection=self._protection.outside_vpc(),
        )

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
        stage = f"{self.rest_api_id}/{STAGE_NAME}"
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["execute-api:Invoke"],
            resource_arns=[environment_of(self).arn("execute-api", f"{stage}/*")],
        )
