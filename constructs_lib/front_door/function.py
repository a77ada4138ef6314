"""The function of a front door: its environment, its models and what it may call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from constructs_lib._functions import synthesizer_problems
from constructs_lib._lambda_root import lambda_root
from constructs_lib._lazy import late_string
from constructs_lib._stack_env import environment_of, unique_path
from constructs_lib.errors import ConfigurationError, raise_if_any
from constructs_lib.front_door.assets import openapi_text
from constructs_lib.front_door.callers_file import CALLERS_PATH
from constructs_lib.front_door.endpoints import served_by
from constructs_lib.front_door.function_environment import (
    PLAYGROUND_FILE,
    caller_variables,
    lambda_url,
    render_deployed_values,
    render_environment,
    sagemaker_urls,
    size_problems,
)
from constructs_lib.front_door.lambda_functions import front_door_function
from constructs_lib.front_door.layers import file_layer
from constructs_lib.front_door.models_file import MODELS_PATH, OPENAPI_PATH, render_models
from constructs_lib.front_door.playground_page import render_page
from constructs_lib.front_door.routed_models import answering_endpoints, mirrors_of
from constructs_lib.front_door.validation import validate

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from constructs_lib._protection import FunctionProtection
    from constructs_lib.endpoint.interface import IModelEndpoint
    from constructs_lib.front_door.arguments import FrontDoorArguments
    from constructs_lib.front_door.callers_file import Callers
    from constructs_lib.front_door.front_door_function import FrontDoorFunction
    from constructs_lib.front_door.mirror_function import MirrorFunction
    from constructs_lib.front_door.routed_models import RoutedModel

# The longest name of a function that Lambda accepts.
_LONGEST_NAME = "x" * 64


def validated_environment(scope: Construct, id: str, arguments: FrontDoorArguments) -> dict[str, str]:
    """The environment variables of the function.

    Args:
        scope: The scope of the front door.
        id: The front door's id.
        arguments: Its arguments, whatever their types are.

    Raises:
        ConfigurationError: The arguments have problems, or the variables exceed Lambda's limit.
    """
    environment = environment_of(scope)
    if problems := validate(environment, arguments):
        raise_if_any(scope, id, [*problems, *synthesizer_problems(environment)])
    origins = arguments.cors.allowed_origins if arguments.cors else None
    variables = render_environment(
        # As the construct's node will have it, which exists only when there is no problem.
        path=f"{unique_path(scope)}/{id.replace('/', '--')}",
        default_max_tokens=arguments.default_max_tokens,
        cors_origins=origins,
        playground=arguments.playground,
        api_keys=arguments.access.uses_api_keys,
        streaming=arguments.streaming,
        holds_clients=arguments.on_wake is not None,
        wake_route=arguments.wake,
        urls=sagemaker_urls(environment),
    )
    if arguments.access.models_by_scope is not None:
        variables |= caller_variables()
    if mirrors_of(arguments.models):
        variables["LAMBDA_URL"] = lambda_url(environment)
    measured = measured_variables(variables, arguments.models)
    if problems := list(size_problems(measured, arguments.models, origins or (), environment)):
        raise_if_any(scope, id, [*problems, *synthesizer_problems(environment)])
    return variables


def measured_variables(variables: Mapping[str, str], models: Mapping[str, RoutedModel]) -> Mapping[str, str]:
    """The variables with the longest name of the second function, which only the deployment knows, if there is one."""
    return {**variables, "MIRROR_FUNCTION": _LONGEST_NAME} if mirrors_of(models) else variables


def add_function(
    front_door: Construct,
    *,
    arguments: FrontDoorArguments,
    protection: FunctionProtection,
    variables: Mapping[str, str],
    models: Mapping[str, RoutedModel],
    callers: Callers,
) -> tuple[FrontDoorFunction, MirrorFunction | None]:
    """The function with its layers and permissions, and the second one that its Mirrors need.

    Args:
        front_door: The front door.
        arguments: Its arguments.
        protection: How both functions are protected.
        variables: The environment variables.
        models: Its models; the function gets those that it has at synthesis.
        callers: Who may call what, likewise.

    Raises:
        ConfigurationError: The CDK cannot find the code with the stack's synthesizer.
    """
    here = environment_of(front_door)
    values = late_string(lambda: render_deployed_values(models, here, callers))
    layers = [_models_layer(front_door, arguments, models, callers)]
    if arguments.playground:
        layers.append(_playground_layer(front_door))
    function = _create(front_door, arguments, protection, {**variables, "DEPLOYED_VALUES": values}, layers)
    _allow_invocations(function.role, models)
    return function, _add_mirror(front_door, function, layers[0], arguments, protection, variables, models)


def _add_mirror(
    front_door: Construct,
    function: FrontDoorFunction,
    layer: lambda_.CfnLayerVersion,
    arguments: FrontDoorArguments,
    protection: FunctionProtection,
    variables: Mapping[str, str],
    models: Mapping[str, RoutedModel],
) -> MirrorFunction | None:
    """The second function, if a model has a Mirror."""
    if not (mirrors := mirrors_of(models)):
        return None
    # Imported here, as few front doors have one.
    from constructs_lib.front_door.mirror_function import MirrorFunction

    here = environment_of(front_door)
    # Without those of callers: nobody calls it.
    values = late_string(lambda: render_deployed_values(models, here))
    mirror = MirrorFunction(
        front_door,
        function=function,
        layer=layer,
        endpoints=_called([mirror.to for mirror in mirrors.values()]),
        arguments=arguments,
        protection=protection,
        variables={**variables, "DEPLOYED_VALUES": values},
    )
    function.add_environment({"MIRROR_FUNCTION": mirror.name})
    iam.Grant.add_to_principal(grantee=function.role, actions=["lambda:InvokeFunction"], resource_arns=[mirror.arn])
    return mirror


def _create(
    front_door: Construct,
    arguments: FrontDoorArguments,
    protection: FunctionProtection,
    variables: Mapping[str, str],
    layers: Sequence[lambda_.CfnLayerVersion],
) -> FrontDoorFunction:
    try:
        return front_door_function(
            front_door,
            "Function",
            folder="front_door",
            handler="front_door.lambda_runtime.managed.handler",
            description="Sends the requests of a front door to SageMaker endpoints",
            timeout_seconds=arguments.timeout_seconds(),
            memory_size=arguments.memory_size,
            log_retention=arguments.log_retention,
            protection=protection,
            environment=variables,
            layers=layers,
        )
    except RuntimeError:  # The CDK rejects the code. Whether for the synthesizer is only asked now: see there.
        problems = list(synthesizer_problems(environment_of(front_door)))
        scope = front_door.node.scope
        if not problems or scope is None:
            raise
        scope.node.try_remove_child(front_door.node.id)
        raise ConfigurationError(front_door.node.path, problems) from None


def _models_layer(
    front_door: Construct, arguments: FrontDoorArguments, models: Mapping[str, RoutedModel], callers: Callers
) -> lambda_.CfnLayerVersion:
    """Models and callers, as they are at synthesis, and the description of the API, which the function's code lacks."""
    here = environment_of(front_door)
    aliases, counting = dict(arguments.model_aliases or {}), tuple(arguments.count_tokens or ())

    def models_text() -> str:
        return render_models(models, here, aliases=aliases, counting=counting).text

    def callers_text() -> str | None:
        rendered = callers.render(render_models(models, here).deployed_values) if callers.is_restricted else None
        return rendered.text if rendered else None

    return file_layer(
        front_door,
        "Models",
        files={
            MODELS_PATH: models_text,
            OPENAPI_PATH: openapi_text,
            CALLERS_PATH: callers_text,
        },
        description="The models of a front door",
    )


def _playground_layer(front_door: Construct) -> lambda_.CfnLayerVersion:
    page = render_page(lambda_root() / "playground")
    description = "The page of a front door for trying its models"
    return file_layer(front_door, "Playground", files={PLAYGROUND_FILE: lambda: page}, description=description)


def _allow_invocations(role: iam.Role, models: Mapping[str, RoutedModel]) -> None:
    described: set[str] = set()
    for endpoint in _called([endpoint for model in models.values() for endpoint in answering_endpoints(model)]):
        endpoint.grant_invoke(role)
        if endpoint.endpoint_arn in described:
            continue
        described.add(endpoint.endpoint_arn)
        # GET /health reports whether each endpoint is in service. A statement for each, as the CDK moves those that
        # exceed the size of an inline policy to managed policies, and does not divide them.
        iam.Grant.add_to_principal(
            grantee=role, actions=["sagemaker:DescribeEndpoint"], resource_arns=[endpoint.endpoint_arn]
        )


def _called(endpoints: Iterable[IModelEndpoint]) -> Iterable[IModelEndpoint]:
    """The endpoints to be called, each once: several models may be components of one, each with an ARN of its own."""
    return {served_by(endpoint): endpoint for endpoint in endpoints}.values()
